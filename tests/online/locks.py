"""Locks that uv, Poetry, PDM, pipenv and pip write: `virtpy sync` installs the same set as each tool itself.

One project with dependencies under markers, an extra and groups, packaged by hatchling, is locked by each tool and
installed by it into a venv of its own; virtpy follows the same file. And the other way round: what `virtpy lock` writes
is installed by uv and by pip.
"""

import json
import os
import re
import sys
from pathlib import Path

from support import own_interpreter, require, require_equal

PROJECT = """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=%(python)s"
dependencies = ["httpx[http2]>=0.27", "rich>=13,<14", "colorama; sys_platform == 'win32'", "pydantic>=2"]
[project.optional-dependencies]
tables = ["tabulate", "prettytable"]
[project.scripts]
shop = "shop:main"
[dependency-groups]
dev = ["pytest>=8", {include-group = "lint"}]
lint = ["isort"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""

PIPFILE = """
[[source]]
name = "own"
url = "%(index)s"
verify_ssl = true
[packages]
httpx = {extras = ["http2"], version = ">=0.27"}
rich = ">=13,<14"
[dev-packages]
pytest = ">=8"
"""

INSTALLED = """
import importlib.metadata as metadata, json
names = {}
for distribution in metadata.distributions():
    name = distribution.name.lower().replace("_", "-").replace(".", "-")
    if name not in ("pip", "setuptools", "wheel"):
        names[name] = distribution.version
print(json.dumps(names))
"""


class Scene:
    """The project, the tools and the venvs."""

    def __init__(self, place):
        self.place = place
        self.python = own_interpreter()
        # What was found to be right since the last tool.
        self.steps = []
        # Known when uv has locked.
        self.index = ""
        self.folder = place.path("shop")
        (self.folder / "src/shop").mkdir(parents=True)
        (self.folder / "src/shop/__init__.py").write_text("def main():\n    print('open')\n")
        minor = "%d.%d" % sys.version_info[:2]
        (self.folder / "pyproject.toml").write_text(PROJECT % {"python": minor})
        place.environment["UV_PYTHON"] = self.python
        place.environment["UV_PYTHON_DOWNLOADS"] = "never"
        configured = os.environ.get("PIP_INDEX_URL") or pip_setting(place, "global.index-url")
        if configured:
            place.environment["UV_DEFAULT_INDEX"] = configured

    def tool(self, name, requirement):
        """A program in a venv of its own."""
        venv = self.place.path("tools") / name
        self.place.run([self.python, "-m", "venv", venv])
        self.place.run([venv / "bin/python", "-m", "pip", "install", "--quiet", requirement])
        return venv / "bin" / name

    def run(self, command, **variables):
        """Runs a tool in the project's folder."""
        environment = dict(self.place.environment, **{name: str(value) for name, value in variables.items()})
        return self.place.run(command, environment=environment, cwd=self.folder)[0]

    def installed(self, venv):
        """What is in a venv."""
        return json.loads(self.place.run([Path(venv) / "bin/python", "-c", INSTALLED])[0])

    def venv(self, name):
        """An empty venv without anything."""
        path = self.place.path(name)
        self.place.run([self.python, "-m", "venv", "--without-pip", path])
        return path

    def follow(self, what, theirs, *arguments):
        """Lets virtpy follow a lock, and compares with what another tool installed."""
        venv = self.place.path("virtpy-" + what.replace(" ", "-"))
        self.place.virtpy("new", venv, "-p", self.python)
        self.place.virtpy("sync", "--venv", venv, *arguments, cwd=self.folder)
        found, expected = self.installed(venv), self.installed(theirs)
        require(len(expected) >= 2, "%s: %r is not what the project asks for" % (what, expected))
        require_equal(found, expected, what)
        self.place.virtpy("check", "--venv", venv)
        again = self.place.virtpy("sync", "--venv", venv, *arguments, cwd=self.folder)[1]
        require("Nothing to do" in again, "%s: the second time is not idle: %s" % (what, again))
        self.steps.append("%s: the same %d distributions" % (what, len(expected)))


def pip_setting(place, key):
    """What pip's configuration says of a key, if it says anything."""
    pip = [sys.executable, "-m", "pip", "config"]
    if key not in place.run(pip + ["list"])[0]:
        return ""
    return place.run(pip + ["get", key])[0].strip()


def check(place):
    """Lets each tool lock and install, and follows."""
    scene = Scene(place)
    for tool in (uv, poetry, pdm, pipenv, pip, own):
        tool(scene)
        yield from scene.steps
        scene.steps = []


def uv(scene):
    """`uv lock`, `uv sync`, and what uv exports."""
    program = scene.tool("uv", "uv")
    scene.run([program, "lock"])
    scene.index = re.search(r'registry = "([^"]+)"', (scene.folder / "uv.lock").read_text()).group(1)
    for what, chosen in (
        ("uv", []),
        ("uv with an extra", ["--extra", "tables"]),
        ("uv without groups", ["--no-default-groups"]),
        ("uv with one group only", ["--only-group", "lint"]),
    ):
        theirs = scene.venv("theirs-" + what.replace(" ", "-"))
        scene.run([program, "sync", "--frozen", *chosen], UV_PROJECT_ENVIRONMENT=theirs)
        scene.follow(what, theirs, "uv.lock", *chosen)
    scene.run([program, "export", "--quiet", "--format", "pylock.toml", "-o", "pylock.uv.toml"])
    scene.follow("uv's pylock.toml", scene.place.path("theirs-uv"), "pylock.uv.toml")
    scene.run([program, "export", "--quiet", "--format", "requirements.txt", "-o", "exported.txt"])
    scene.follow("uv's requirements", scene.place.path("theirs-uv"), "exported.txt")
    # pipenv, for one, would take a pylock file for its own lock.
    for name in ("uv.lock", "pylock.uv.toml", "exported.txt"):
        os.remove(str(scene.folder / name))


def poetry(scene):
    """`poetry lock` and `poetry install`."""
    program = scene.tool("poetry", "poetry==2.5.1")
    variables = {
        "POETRY_VIRTUALENVS_IN_PROJECT": "false",
        "POETRY_KEYRING_ENABLED": "false",
        "POETRY_NO_INTERACTION": "1",
        "POETRY_CACHE_DIR": scene.place.path("poetry-cache"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    source = scene.folder / "pyproject.toml"
    text = source.read_text()
    source.write_text(text + "[[tool.poetry.source]]\nname = 'own'\nurl = '%s'\npriority = 'primary'\n" % scene.index)
    scene.run([program, "lock"], **variables)
    theirs = scene.venv("theirs-poetry")
    scene.run([program, "sync", "--extras", "tables"], VIRTUAL_ENV=theirs, **variables)
    scene.follow("poetry", theirs, "poetry.lock", "--extra", "tables")
    os.remove(str(scene.folder / "poetry.lock"))
    source.write_text(text)


def pdm(scene):
    """`pdm lock` in the standard's form, and `pdm sync`."""
    # It takes any version of its dependencies, and works with those of its time.
    uv_program = scene.place.path("tools/uv/bin/uv")
    venv = scene.venv("pdm-tool")
    then = ["--exclude-newer", "2025-10-15"]
    scene.place.run([uv_program, "pip", "install", "--quiet", "--python", venv / "bin/python", *then, "pdm"])
    program = venv / "bin/pdm"
    theirs = scene.venv("theirs-pdm")
    variables = {"PDM_USE_VENV": "true", "VIRTUAL_ENV": theirs, "PDM_CHECK_UPDATE": "0", "PDM_IGNORE_SAVED_PYTHON": "1"}
    variables["HOME"] = scene.place.path("home")
    source = scene.folder / "pyproject.toml"
    text = source.read_text()
    source.write_text(text + "[[tool.pdm.source]]\nname = 'own'\nurl = '%s'\n" % scene.index)
    scene.run([program, "config", "--local", "lock.format", "pylock"], **variables)
    scene.run([program, "lock", "--group", ":all"], **variables)
    scene.run([program, "sync", "--prod", "--no-editable"], **variables)
    theirs_only = scene.installed(theirs)
    require("shop" in theirs_only, "PDM did not install the project: %r" % theirs_only)
    # PDM installs the project beside what is locked.
    scene.run([program, "sync", "--prod", "--no-self", "--clean"], **variables)
    scene.follow("pdm", theirs, "pylock.toml")
    scene.run([program, "sync", "--no-self", "--clean", "--group", "tables"], **variables)
    scene.follow("pdm with an extra and groups", theirs, "pylock.toml", "--extra", "tables", "--group", "dev")
    source.write_text(text)
    for name in ("pylock.toml", "pdm.toml", ".pdm-python"):
        if (scene.folder / name).exists():
            os.remove(str(scene.folder / name))


def pipenv(scene):
    """`pipenv lock` and `pipenv sync`."""
    program = scene.tool("pipenv", "pipenv")
    folder = scene.folder
    (folder / "Pipfile").write_text(PIPFILE % {"index": scene.index})
    theirs = scene.venv("theirs-pipenv")
    variables = {"PIPENV_VERBOSITY": "-1", "PIPENV_NOSPIN": "1", "VIRTUAL_ENV": theirs, "PIPENV_IGNORE_VIRTUALENVS": "0"}
    scene.place.run([scene.python, "-m", "venv", "--clear", theirs])
    scene.run([program, "lock"], **variables)
    scene.run([program, "sync"], **variables)
    scene.follow("pipenv", theirs, "Pipfile.lock")
    scene.run([program, "sync", "--dev"], **variables)
    scene.follow("pipenv with dev", theirs, "Pipfile.lock", "--group", "dev")
    for name in ("Pipfile", "Pipfile.lock"):
        os.remove(str(folder / name))


def pip(scene):
    """`pip lock`, whose file pip itself does not install yet: what it resolved is what `pip install` does."""
    tools = scene.place.path("tools/pip-new")
    scene.place.run([scene.python, "-m", "venv", tools])
    scene.place.run([tools / "bin/python", "-m", "pip", "install", "--quiet", "--upgrade", "pip"])
    asked = ["httpx[http2]>=0.27", "rich>=13,<14", "pydantic>=2"]
    scene.run([tools / "bin/python", "-m", "pip", "--quiet", "lock", "-o", "pylock.pip.toml"] + asked)
    theirs = scene.place.path("theirs-pip")
    scene.place.run([scene.python, "-m", "venv", theirs])
    scene.run([theirs / "bin/python", "-m", "pip", "install", "--quiet"] + asked)
    scene.follow("pip", theirs, "pylock.pip.toml")
    os.remove(str(scene.folder / "pylock.pip.toml"))


def own(scene):
    """What `virtpy lock` writes, installed by uv and by pip."""
    uv_program = scene.place.path("tools/uv/bin/uv")
    scene.place.virtpy("lock", "-o", "pylock.toml", cwd=scene.folder)
    first = (scene.folder / "pylock.toml").read_bytes()
    scene.place.virtpy("lock", "--upgrade", cwd=scene.folder)
    require((scene.folder / "pylock.toml").read_bytes() == first, "the same input gave other bytes")
    theirs = scene.venv("theirs-own")
    scene.run([uv_program, "pip", "sync", "--python", theirs / "bin/python", "pylock.toml", "--preview"])
    scene.follow("virtpy's own lock, installed by uv", theirs, "pylock.toml")
    scene.place.virtpy("lock", "-o", "locked.txt", "--no-project", cwd=scene.folder)
    theirs = scene.place.path("theirs-own-pip")
    scene.place.run([scene.python, "-m", "venv", theirs])
    scene.run([theirs / "bin/python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "locked.txt"])
    scene.follow("virtpy's own requirements, installed by pip", theirs, "locked.txt")
