"""The standard library's own ways to packages: resources, metadata, sources, bytecode, processes, venvs."""

import json

from support import require, require_equal

RESOURCES = r"""
import hashlib, importlib.metadata, importlib.resources, json, pkgutil
digest = lambda content: hashlib.sha256(content).hexdigest()


def walk(folder, name=""):
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir() and item.name != "__pycache__":
            yield from walk(item, name + item.name + "/")
        elif item.is_file() and item.name != ".virtpy":  # virtpy's marker in a folder that several share.
            yield name + item.name, digest(item.read_bytes())


found = {}
for package in ("demo_data", "certifi", "demo_shared", "django.contrib.admin"):
    found[package] = list(walk(importlib.resources.files(package)))
with importlib.resources.as_file(importlib.resources.files("demo_data") / "tables" / "two.csv") as path:
    found["as_file"] = [str(path), path.read_text(), path.is_file()]
with importlib.resources.as_file(importlib.resources.files("demo_data") / "tables") as path:
    found["as_file of a folder"] = sorted(str(p.relative_to(path)) for p in path.rglob("*"))
found["get_data"] = [
    digest(pkgutil.get_data("certifi", "cacert.pem")),
    pkgutil.get_data("demo_data", "tables/deep/three.json").decode(),
]
found["modules"] = sorted(m.name for m in pkgutil.walk_packages(__import__("attr").__path__, "attr."))
files = [f for d in importlib.metadata.distributions() if d.metadata["Name"] != "pip" for f in d.files or ()]
found["missing"] = sorted(str(f) for f in files if "__pycache__" not in str(f) and not f.locate().exists())
owners = importlib.metadata.packages_distributions()
found["packages"] = {name: sorted(values) for name, values in owners.items() if "pip" not in values}
print(json.dumps(found))
"""

SOURCES = r"""
import inspect, json, linecache, traceback
import attr, certifi, demo_callback, demo_single, django.http, numpy.ma, six, zope.event, demo_shared.second
found = {}
for thing in (attr.define, certifi.where, demo_callback.call, demo_single.call, django.http.HttpRequest,
              numpy.ma.make_mask, six.ensure_str, zope.event.notify, demo_shared.second.answer):
    source, line = inspect.getsourcelines(inspect.unwrap(thing) if callable(thing) else thing)
    found[thing.__name__] = [inspect.getsourcefile(thing), inspect.getfile(thing), line, len(source)]
try:
    demo_callback.call(demo_callback.fail)
except ValueError:
    found["traceback"] = traceback.format_exc()
found["certificates"] = certifi.where()
print(json.dumps(found))
"""

PROCESSES = """
import concurrent.futures, multiprocessing, pickle
import demo_callback, numpy

def square(number):
    return int(demo_callback.call(numpy.square, number))

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        print(sum(pool.map(square, range(5))))
    print(pickle.loads(pickle.dumps(demo_callback.call)) is demo_callback.call)
"""


def compileall(pair):
    """`python -m compileall` of site-packages, and of one package."""
    folder = pair.site_packages("ours")
    pair.run("ours", ["python", "-m", "compileall", "-q", folder], pair.place.root)
    pair.run(
        "ours", ["python", "-m", "compileall", "-q", folder / "attr", folder / "demo_shared"], pair.place.root
    )
    return "compileall ends well on site-packages and on packages"


def pip_check(pair):
    """A real pip, from outside, finds nothing wrong."""

    def say(venv):
        """What pip says of a venv."""
        command = ["python", "-m", "pip", "--python", pair.program(venv, "python"), "check"]
        return pair.run("real", command, pair.place.root)

    require_equal(say("ours").strip(), say("real").strip(), "pip check")

    def listing(venv):
        """The distributions that pip sees in a venv, but pip itself."""
        command = ["python", "-m", "pip", "--python", pair.program(venv, "python"), "list", "--format=freeze"]
        lines = pair.run("real", command, pair.place.root).splitlines()
        return sorted(line for line in lines if not line.startswith(("pip==", "setuptools==", "wheel==")))

    number = len(pair.same("pip list", listing))
    return "pip check and pip list from outside agree on %d distributions" % number


def resources(pair):
    """importlib.resources, importlib.metadata and pkgutil."""
    facts = pair.same("resources", lambda venv: json.loads(pair.python(venv, RESOURCES)))
    require_equal(facts["missing"], [], "files of distributions that are not there")
    require_equal(facts["as_file"][0].split("/", 1)[0], "VENV", "as_file gives a path in the venv")
    require(len(facts["demo_data"]) == 4, "the data package: %r" % facts["demo_data"])
    number = sum(len(facts[name]) for name in ("demo_data", "certifi", "demo_shared", "django.contrib.admin"))
    return (
        "importlib.resources finds %d files of 4 packages; every file of every distribution exists" % number
    )


def sources_of_code(pair):
    """inspect and tracebacks name the venv's paths."""
    found = pair.same("inspect and tracebacks", lambda venv: json.loads(pair.python(venv, SOURCES)))
    for name, fact in found.items():
        path = fact[0] if isinstance(fact, list) else fact
        require("VENV/lib" in path, "%s is not in the venv: %s" % (name, path))
    return "inspect and tracebacks name the venv's files (%d looked at)" % len(found)


def processes_and_venvs(pair):
    """multiprocessing with spawn, pickle, and a venv made by the venv's own interpreter."""
    folder = pair.folder("processes")
    (folder / "spawn.py").write_text(PROCESSES)
    text = pair.same("multiprocessing", lambda venv: pair.run(venv, ["python", "spawn.py"], folder))
    require_equal(text.split(), ["30", "True"], "what the processes computed")
    pair.run("ours", ["python", "-m", "venv", folder / "inner"], folder)
    prefix = pair.place.run([folder / "inner/bin/python", "-c", "import sys; print(sys.prefix)"])[0].strip()
    require_equal(prefix, str(folder / "inner"), "the prefix of the venv in a venv")
    pair.place.run([folder / "inner/bin/python", "-m", "pip", "--version"])
    return "multiprocessing spawns, pickle finds packages' functions, a venv in the venv works"
