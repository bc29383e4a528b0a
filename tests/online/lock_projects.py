"""What ten well-known projects require (`projects/`, their dependency tables), locked by virtpy and by uv: the same packages in the same
versions, for every Python that they are locked for, and the same bytes when they are locked again.
"""

import json
import os
import re
import sys
from pathlib import Path

from support import own_interpreter, require

PROJECTS = sorted(Path(__file__).resolve().parent.glob("projects/*.toml"))

PYTHONS = ("3.11", "3.12", "3.13")

#: Prints the packages of a lock with all extras and groups on Linux with CPython of a version: names and versions.
CHOSEN = """
import json, sys, tomllib
from packaging.markers import Marker

path, version = sys.argv[1:]
with open(path, "rb") as file:
    table = tomllib.load(file)
environment = {
    "python_version": version, "python_full_version": version + ".0", "implementation_version": version + ".0",
    "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64",
    "implementation_name": "cpython", "platform_python_implementation": "CPython", "platform_release": "6",
    "platform_version": "1", "extras": set(table.get("extras", ())),
    "dependency_groups": set(table.get("dependency-groups", ())),
}
applies = lambda marker: not marker or Marker(marker).evaluate(environment, context="lock_file")
found = {one["name"]: one["version"] for one in table["packages"] if "version" in one and applies(one.get("marker"))}
print(json.dumps(found))
"""



def check(place):
    """Locks each project with both, and compares."""
    python = own_interpreter()
    venv = place.path("tools")
    place.run([python, "-m", "venv", venv])
    place.run([venv / "bin/python", "-m", "pip", "install", "--quiet", "uv", "packaging>=25"])
    environment = dict(place.environment, UV_PYTHON=python, UV_PYTHON_DOWNLOADS="never")
    configured = os.environ.get("PIP_INDEX_URL") or index_of_pip(place)
    if configured:
        environment["UV_DEFAULT_INDEX"] = configured
    require(len(PROJECTS) == 10, "ten projects are to be there: %s" % PROJECTS)
    for source in PROJECTS:
        folder = place.path("locked") / source.stem
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(source.read_text())
        lock = folder / "pylock.toml"
        place.virtpy("lock", cwd=folder)
        first = lock.read_bytes()
        lock.unlink()
        place.virtpy("lock", cwd=folder)
        require(lock.read_bytes() == first, "%s: locked twice, and the bytes differ" % source.stem)
        place.run([venv / "bin/uv", "lock", "--quiet"], environment=environment, cwd=folder)
        export = [venv / "bin/uv", "export", "--quiet", "--frozen", "--all-extras", "--all-groups", "--no-emit-project"]
        place.run(export + ["--format", "pylock.toml", "-o", "pylock.uv.toml"], environment=environment, cwd=folder)
        counts = []
        for version in PYTHONS:
            ours, others = (chosen(place, venv, folder / name, version) for name in ("pylock.toml", "pylock.uv.toml"))
            require(len(others) >= 3, "%s: uv has locked next to nothing: %r" % (source.stem, others))
            differing = sorted(set(ours.items()) ^ set(others.items()))
            require(not differing, "%s for Python %s differs: %s" % (source.stem, version, differing))
            counts.append(len(ours))
        yield "%s: the same packages for Python %s: %s" % (source.stem, " and ".join(PYTHONS), counts)


def index_of_pip(place):
    """The index of pip's configuration."""
    listed = place.run([sys.executable, "-m", "pip", "config", "list"])[0]
    found = re.search(r"^global\.index-url='([^']*)'", listed, re.MULTILINE)
    return found.group(1) if found else ""


def chosen(place, venv, lock, version):
    """The packages of a lock for a Python: versions by name."""
    return json.loads(place.run([venv / "bin/python", "-c", CHOSEN, lock, version])[0])
