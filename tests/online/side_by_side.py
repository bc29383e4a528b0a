"""Popular distributions, installed by real pip and by virtpy: a program must not be able to tell."""

import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

from support import CheckFailed, own_interpreter, require, require_equal

DISTRIBUTIONS = """
numpy pandas scipy matplotlib pillow requests rich flask django fastapi
sqlalchemy boto3 pydantic pyyaml lxml cryptography jinja2 click attrs pytest
black mypy sphinx jupyterlab tornado protobuf google-auth azure-core zope.interface opentelemetry-sdk
""".split()

# Those of them that show every shape of a wheel: libraries beside each other, namespaces, data files, scripts.
FEW = """
numpy pandas pillow flask sqlalchemy lxml pytest black sphinx protobuf azure-core zope.interface opentelemetry-sdk
""".split()

# Scripts that say their version.
SCRIPTS = ("black", "mypy", "pytest", "flask", "sphinx-build", "jupyter-lab", "django-admin")

# What importlib.metadata says about every distribution.
METADATA = r"""
import json, sys
from importlib.metadata import distributions
facts = {}
for dist in distributions():
    name = dist.metadata["Name"]
    files = [str(path) for path in dist.files or []]
    facts[name] = {
        "version": dist.version,
        "requires": sorted(dist.requires or []),
        "entry_points": sorted([e.group, e.name, e.value] for e in dist.entry_points),
        "summary": dist.metadata["Summary"],
        "files": sorted(f for f in files if "__pycache__" not in f),
        "missing": sorted(str(path) for path in dist.files or [] if not path.locate().exists()),
    }
print(json.dumps(facts))
"""

# The names that can be imported from site-packages.
MODULES = r"""
import json, pkgutil, sysconfig
paths = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
names = sorted({m.name for m in pkgutil.iter_modules(paths)})
print(json.dumps(names))
"""

# Files that belong to the installer and not to the distribution.
INSTALLERS_OWN = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def normal(text, venv):
    """The text without the venv's path, addresses in memory, times, and warnings' line numbers."""
    text = text.replace(str(venv), "VENV")
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def import_all(place, venv, names):
    """How the import of each name ends, each in a process of its own."""

    def one(name):
        code = (
            "import warnings; warnings.simplefilter('ignore')\n"
            "try:\n import %s as m\n print('fine', sorted(n for n in dir(m) if not n.startswith('__'))[:50])\n"
            "except BaseException as error:\n print(type(error).__name__, error)\n" % name
        )
        try:
            text = place.python(venv, code)
        except CheckFailed as problem:
            text = str(problem).split("\n", 1)[1]
        return name, normal(text.splitlines()[-1] if text else "", place.path(venv))

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        return dict(pool.map(one, names))


def scripts(place, venv):
    """The scripts of a venv, by name: executable or not, and the text up to the interpreter and pip's own wording."""
    found = {}
    folder = place.path(venv) / "bin"
    for path in sorted(folder.iterdir()):
        if path.is_dir() or re.match(r"(python|pip|activate|deactivate|pydoc\.|Activate)", path.name):
            continue
        content = path.read_bytes()
        targets = re.findall(rb"^from (\S+) import (\S+)", content, re.MULTILINE)
        if content.startswith(b"#!") and b"sys.exit(" in content and targets and len(content) < 800:
            description = "entry point " + b" ".join(targets[0]).decode()
        else:
            body = content.split(b"\n", 1)[-1] if content.startswith(b"#!") else content
            description = hashlib.sha256(body).hexdigest()
        found[path.name] = (os.access(str(path), os.X_OK), description)
    return found


def data_files(place, venv):
    """The contents of what stands beside bin/ and lib/, with links followed, without virtpy's markers of folders."""
    found = {}
    root = place.path(venv)
    for top in ("share", "etc", "include", "man", "doc"):
        for folder, _, names in os.walk(str(root / top), followlinks=True):
            for name in names:
                if name == ".virtpy":
                    continue
                path = os.path.join(folder, name)
                with open(path, "rb") as stream:
                    digest = hashlib.sha256(stream.read()).hexdigest()
                found[os.path.relpath(path, str(root))] = digest
    return found


def check(place):
    """Compares a few."""
    return compare(place, FEW)


def check_all(place):
    """Compares thirty."""
    return compare(place, DISTRIBUTIONS)


def compare(place, distributions):
    """Installs the same pins twice and compares all that a program can see."""
    interpreter = own_interpreter()
    place.run([interpreter, "-m", "venv", "real"])
    place.run([place.path("real/bin/python"), "-m", "pip", "install", "--quiet"] + distributions)
    pins = place.run([place.path("real/bin/python"), "-m", "pip", "freeze", "--all"])[0].splitlines()
    pins = [pin for pin in pins if not re.match(r"pip==", pin)]
    place.path("pins.txt").write_text("\n".join(pins) + "\n")
    place.new("ours", interpreter)
    place.virtpy("add", "--venv", "ours", "--no-deps", "-r", "pins.txt")
    yield "%d distributions installed by both" % len(pins)

    frozen = place.virtpy("freeze", "--venv", "ours")[0].splitlines()
    spelling = lambda pins: sorted(re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower() + pin.split("==")[1] for pin in pins)
    require_equal(spelling(frozen), spelling(pins), "freeze")
    place.virtpy("check", "--venv", "ours")
    yield "freeze and check agree"

    theirs = json.loads(place.python("real", METADATA))
    ours = json.loads(place.python("ours", METADATA))
    theirs.pop("pip", None)
    ours.pop("pip", None)
    require_equal(sorted(ours), sorted(theirs), "names of the distributions")
    for name, facts in theirs.items():
        for key in ("version", "requires", "entry_points", "summary"):
            require_equal(ours[name][key], facts[key], "%s's %s" % (name, key))
        wanted = {f for f in facts["files"] if f.rsplit("/", 1)[-1] not in INSTALLERS_OWN}
        lacking = sorted(wanted - set(ours[name]["files"]))
        require(not lacking, "%s lacks files in its RECORD: %s" % (name, lacking[:10]))
        require(not ours[name]["missing"], "%s names files that are not there: %s" % (name, ours[name]["missing"][:10]))
    yield "importlib.metadata agrees on %d distributions" % len(theirs)

    names = json.loads(place.python("real", MODULES))
    mine = json.loads(place.python("ours", MODULES))
    outside = {"pip"}
    require_equal(sorted(set(mine) - outside), sorted(set(names) - outside), "top-level modules")
    names = sorted(set(names) - outside)
    require_equal(import_all(place, "ours", names), import_all(place, "real", names), "imports")
    yield "%d imports end alike" % len(names)

    require_equal(scripts(place, "ours"), scripts(place, "real"), "scripts")
    yield "%d scripts agree" % len(scripts(place, "ours"))
    for script in (name for name in SCRIPTS if (place.path("real/bin") / name).exists()):
        results = []
        for venv in ("ours", "real"):
            text = place.run([place.path(venv) / "bin" / script, "--version"])[0]
            results.append(normal(text, place.path(venv)))
        require_equal(results[0], results[1], script + " --version")
    yield "scripts run alike"

    require_equal(data_files(place, "ours"), data_files(place, "real"), "data files")
    yield "%d data files agree" % len(data_files(place, "ours"))

    requirements = re.sub(r"==.*", "", "\n".join(pins)).split()
    place.virtpy("remove", "--venv", "ours", *requirements)
    left = json.loads(place.python("ours", MODULES))
    require_equal(sorted(set(left) - outside), [], "modules left after the removal of everything")
    require_equal(data_files(place, "ours"), {}, "data files left")
    yield "removing everything leaves nothing"
