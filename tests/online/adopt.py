"""Venvs that pip, uv, virtualenv and Poetry filled work as before once virtpy adopted them.

Real distributions with C extensions, data files, namespaces, scripts and entry points; one is changed
by hand, one is editable. What can be imported, what importlib.metadata tells and what scripts print is compared
before and after; adopting the second venv puts nothing into the store that the first has put there.
"""

import json
import os
import re

from foreign_wheels import Index
from side_by_side import MODULES, import_all
from support import own_interpreter, require, require_equal

DISTRIBUTIONS = """
numpy pandas requests rich django jupyter-core pyyaml setuptools lxml greenlet zope.interface cryptography
pydantic jmespath argcomplete docutils tqdm babel
""".split()

# What Poetry gets: it locks for every platform, so what these need elsewhere has to be there (tzdata).
POETRY_DISTRIBUTIONS = """
numpy requests certifi idna urllib3 charset-normalizer rich pygments markdown-it-py mdurl django asgiref
sqlparse pyyaml setuptools lxml greenlet zope.interface jmespath argcomplete docutils babel tzdata
""".split()

# Scripts with an argument each: entry points, and files that wheels carry themselves.
SCRIPTS = {
    "django-admin": ["--version"],
    "jupyter": ["--paths"],
    "f2py": ["-v"],
    "jp.py": ["--help"],
    "register-python-argcomplete": ["--help"],
    "tqdm": ["--version"],
    "pybabel": ["--version"],
    "pygmentize": ["-V"],
    "normalizer": ["--version"],
}

# What cannot be adopted besides the package that is edited. The pip that virtualenv puts into a venv has rows in RECORD
# without hashes, for its scripts and for a note of virtualenv's, so nothing tells whether they are as they were made.
LEFT_ALONE = {"by-pip": ["vp-editable"], "by-virtualenv": ["pip"]}

# What importlib.metadata says of every distribution; files without links, bytecode and the installer's own.
METADATA = r"""
import json
from importlib.metadata import distributions
own = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".virtpy"}
facts = {}
for dist in distributions():
    paths = [path for path in dist.files or [] if path.suffix != ".pyc" and path.name not in own]
    facts[dist.metadata["Name"]] = {
        "version": dist.version,
        "requires": sorted(dist.requires or []),
        "entry_points": sorted([e.group, e.name, e.value] for e in dist.entry_points),
        "summary": dist.metadata["Summary"],
        "files": sorted(str(path) for path in paths if not path.locate().is_dir()),
        "missing": sorted(str(path) for path in paths if not path.locate().exists()),
        "requested": dist.read_text("REQUESTED") is not None,
        "direct_url": dist.read_text("direct_url.json"),
    }
print(json.dumps(facts))
"""

PROJECT = """[project]
name = "scene"
version = "1.0"
requires-python = "%s"
dependencies = [%s]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "loopback"
url = "%s"
priority = "primary"
"""

# Poetry asks nobody for a password, and puts nothing outside the project.
POETRY = {
    "POETRY_KEYRING_ENABLED": "false",
    "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}

EDITABLE = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "vp-editable"
version = "1.0"
"""


def check(place):
    """Makes the venvs, adopts them one after the other and yields what was shown."""
    python = own_interpreter()
    tools = place.path("tools")
    place.run([python, "-m", "venv", tools])
    place.run([tools / "bin/pip", "install", "--quiet", "uv", "virtualenv", "poetry>=2,<3"])
    clean = dict(place.environment)
    for name in list(clean):
        if name.startswith(("PIP_FIND_LINKS", "UV_", "POETRY_", "VIRTPY_LINK_MODE")):
            del clean[name]
    place.environment.update(clean)
    make_venvs(place, tools, python)
    stored = 0
    for venv in ("by-pip", "by-uv", "by-virtualenv", "by-poetry/.venv"):
        for step in adopt(place, venv, stored):
            yield step
        stored = size(place.path("s/w"))
    place.virtpy("store", "verify")
    yield "store verify finds nothing"
    for step in changes(place, "by-pip"):
        yield step


def make_venvs(place, tools, python):
    """The same distributions in a venv of each tool; pip chooses the versions."""
    place.run([python, "-m", "venv", "by-pip"])
    pip = [place.path("by-pip/bin/python"), "-m", "pip"]
    place.run(pip + ["install", "--quiet"] + DISTRIBUTIONS)
    pins = place.run(pip + ["freeze", "--all", "--exclude", "pip"])[0].split()
    project = place.path("editable")
    (project / "vp_editable").mkdir(parents=True)
    (project / "vp_editable/__init__.py").write_text("value = 1\n")
    (project / "pyproject.toml").write_text(EDITABLE)
    place.run(pip + ["install", "--quiet", "--editable", project])

    place.run([tools / "bin/uv", "venv", "--quiet", "--python", python, "by-uv"])
    uv = [tools / "bin/uv", "pip", "install", "--quiet", "--python", place.path("by-uv/bin/python")]
    place.run(uv + pins)
    place.run([tools / "bin/virtualenv", "--quiet", "--python", python, "by-virtualenv"])
    place.run([place.path("by-virtualenv/bin/pip"), "install", "--quiet"] + pins)

    make_poetry_venv(place, tools, python, pins)


def make_poetry_venv(place, tools, python, pins):
    """A project's `.venv`, filled by Poetry from wheels on the loopback interface."""
    wheels, folder = place.path("wheels"), place.path("by-poetry")
    normal = {pin: re.sub("[-_.]+", "-", pin.split("==")[0]).lower() for pin in pins}
    wanted = {name.replace(".", "-") for name in POETRY_DISTRIBUTIONS}
    pins = [pin for pin in pins if normal[pin] in wanted]
    download = [place.path("by-pip/bin/python"), "-m", "pip", "download", "--quiet", "--only-binary", ":all:"]
    place.run(download + ["--no-deps", "--dest", wheels] + pins + ["tzdata"])
    index = Index(wheels)
    folder.mkdir()
    version = place.python("by-pip", "import sys; print('%d.%d' % sys.version_info[:2])")
    quoted = ", ".join('"%s"' % pin for pin in pins)
    (folder / "pyproject.toml").write_text(PROJECT % ("~=%s.0" % version, quoted, index.url))
    place.run([python, "-m", "venv", "--without-pip", folder / ".venv"])
    environment = dict(place.environment, VIRTUAL_ENV=str(folder / ".venv"), **POETRY)
    place.run([tools / "bin/poetry", "install", "--no-interaction"], environment=environment, cwd=folder)
    index.stop()


def adopt(place, venv, stored):
    """Adopts one venv; it must be as before, and smaller. `stored` is what the store held in bytes."""
    root = place.path(venv)
    (root / "mine.txt").write_text("mine\n")
    site = place.python(venv, "import sysconfig; print(sysconfig.get_path('purelib'))")
    unowned = os.path.join(site, "rich", "mine.py")
    with open(unowned, "w") as file:
        file.write("value = 'mine'\n")
    edited = os.path.join(site, "docutils", "core.py")
    os.rename(edited, edited + ".old")  # uv's file is a second name of its cache's.
    with open(edited + ".old") as old, open(edited, "w") as new:
        new.write(old.read() + "\n# mine\n")
    os.remove(edited + ".old")
    before, bytes_before = snapshot(place, venv), size(root)
    said = json.loads(place.virtpy("adopt", "--dry-run", "--json", root)[0])[0]
    require_equal(size(root), bytes_before, "the size of %s after a dry run" % venv)
    done = json.loads(place.virtpy("adopt", "--json", root)[0])[0]
    require_equal(said["adopted"], done["adopted"], "what the dry run said")
    left = sorted(one["name"] for one in done["left_alone"])
    require_equal(left, sorted(["docutils"] + LEFT_ALONE.get(venv, [])), "what is left alone in %s: %s" % (venv, done["left_alone"]))
    after, bytes_after = snapshot(place, venv), size(root)
    for key in before:
        require_equal(after[key], before[key], "%s of %s" % (key, venv))
    require(os.path.exists(unowned), "the file that nobody owns is gone")
    place.virtpy("check", "--venv", root)
    grown = size(place.path("s/w")) - stored
    sizes = "%s takes %d bytes instead of %d" % (venv, bytes_after, bytes_before)
    require(bytes_after * 10 < bytes_before, sizes)
    yield "%s: %d adopted, as before with %.1f MB instead of %.1f; the store has %.1f MB more" % (
        venv,
        len(done["adopted"]),
        bytes_after / 1e6,
        bytes_before / 1e6,
        grown / 1e6,
    )
    if stored:
        shared = sum(one["in_store"] for one in done["adopted"])
        require(len(done["adopted"]) - shared <= 3, "%s shares only %d: %s" % (venv, shared, done["adopted"]))
        yield "%s: %d of them were in the store" % (venv, shared)


def snapshot(place, venv):
    """What a program can tell of a venv."""
    names = [name for name in json.loads(place.python(venv, MODULES)) if not name.startswith("__editable__")]
    scripts = {}
    for name, arguments in SCRIPTS.items():
        path = place.path(venv) / "bin" / name
        if path.exists():
            scripts[name] = place.run([path] + arguments)
    return {
        "imports": import_all(place, venv, names),
        "metadata": json.loads(place.python(venv, METADATA)),
        "scripts": scripts,
        "scripts' names": sorted(set(os.listdir(str(place.path(venv) / "bin"))) - {"__pycache__"}),
    }


def changes(place, venv):
    """An adopted venv is one of virtpy's: it can be changed, and emptied."""
    root = place.path(venv)
    place.virtpy("add", "--venv", root, "--upgrade", "idna<3.9")
    version = place.python(venv, "import importlib.metadata as m; print(m.version('idna'))")
    require(version.startswith("3.8"), "idna is %s" % version)
    place.run([root / "bin/python", "-m", "pip", "check"])
    yield "virtpy changes an adopted package's version, and pip is content"
    names = [one["name"] for one in json.loads(place.virtpy("list", "--venv", root, "--json")[0])]
    place.virtpy("remove", "--venv", root, *names)
    site = place.python(venv, "import sysconfig; print(sysconfig.get_path('purelib'))")
    left = sorted(name for name in os.listdir(site) if name != "__pycache__")
    require_equal(left, ["_virtpy.pth", "rich"], "what is left of %s" % venv)
    require_equal(os.listdir(os.path.join(site, "rich")), ["mine.py"], "what is left of rich")
    yield "removing everything leaves what nobody owns"


def size(root):
    """What a folder takes on the disk in bytes, links not followed."""
    total = 0
    for folder, folders, files in os.walk(str(root)):
        total += sum(os.lstat(os.path.join(folder, name)).st_blocks * 512 for name in folders + files)
    return total
