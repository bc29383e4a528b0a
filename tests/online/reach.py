"""Other tools make venvs that share, and their users see no difference.

tox, nox, Hatch and pre-commit, unmodified, run the tests of a project in plain venvs, then with `virtpy enable`: the same results, the
same packages, a twentieth of the bytes, nothing that is not from the store. Then what people do with these tools: `--recreate`, `tox -p`,
a project that is moved, a folder that is removed. The plugin fits several versions of virtualenv, steps aside where something else is
asked for, and leaves the tools' own files as they were. Poetry makes venvs of virtpy's by `virtpy enable poetry` alone.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

from support import own_interpreter, require, require_equal

TOOLS = ["tox>=4", "nox", "hatch>=1.14", "pre-commit>=4"]

# The oldest that are said to work.
OLDER_TOOLS = ["tox==4.11.*", "nox==2024.*", "hatch==1.14.*", "pre-commit==3.*", "virtualenv<20.30"]

# The newest of each; that of the tools is newer still.
VIRTUALENVS = ["virtualenv==20.26.0", "virtualenv<21"]

FILES = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
[project]
name = "shop"
version = "0.1.0"
dependencies = ["attrs", "rich"]
[tool.hatch.envs.default]
installer = "pip"
dependencies = ["pytest"]
""",
    "src/shop/__init__.py": "import attrs, rich\n",
    "tests/test_shop.py": "import shop\n\ndef test_it():\n    assert shop.rich\n",
    "tox.ini": """
[tox]
env_list = one, two
[testenv]
deps = pytest
commands = python -m pytest -q tests
""",
    "noxfile.py": """
import nox

@nox.session(venv_backend="virtualenv")
def tests(session):
    session.install("pytest", "-e", ".")
    session.run("python", "-m", "pytest", "-q", "tests")
""",
}

HOOK = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
[project]
name = "say-hook"
version = "0.1.0"
dependencies = ["attrs"]
[project.scripts]
say-hook = "say_hook:main"
[tool.setuptools]
py-modules = ["say_hook"]
""",
    "say_hook.py": "def main():\n    import attrs\n    print('said')\n    return 0\n",
    ".pre-commit-hooks.yaml": "- id: say\n  name: say\n  entry: say-hook\n  language: python\n",
}

CONFIG = """
repos:
- repo: %s
  rev: %s
  hooks: [{id: say, verbose: true}]
- repo: local
  hooks:
  - id: local
    name: local
    language: python
    entry: python -c "import rich; print('rich')"
    additional_dependencies: [rich]
    pass_filenames: false
    verbose: true
"""

SNAPSHOT = """
import importlib.metadata as metadata, json
names = [(one.metadata["Name"].lower().replace("_", "-"), one.version) for one in metadata.distributions()]
print(json.dumps(sorted(one for one in names if one[0] not in ("pip", "setuptools"))))
"""

INSTALLERS = """
import importlib.metadata as metadata, sys
# The sources of an editable project may have metadata of their own.
found = [one for one in metadata.distributions() if str(one.locate_file("")).startswith(sys.prefix)]
print(*[(one.read_text("INSTALLER") or "nobody").strip() for one in found])
"""

POETRY_PROJECT = """
[project]
name = "till"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["attrs @ %s"]
[tool.poetry]
package-mode = false
"""


def write(folder, files):
    """Writes files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def hashes(folder):
    """What is in a folder: links as they are, files by their SHA-256. Bytecode, which any run may write, is left out."""
    found = {}
    for parent, folders, names in os.walk(str(folder)):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names + [name for name in folders if os.path.islink(os.path.join(parent, name))]:
            path = Path(parent, name)
            is_link = path.is_symlink()
            found[str(path)] = os.readlink(str(path)) if is_link else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def disk_use(folder):
    """The bytes of a folder on the disk, what has several names once."""
    seen, total = set(), 0
    for parent, folders, names in os.walk(str(folder)):
        for name in [""] + names + folders:
            facts = os.lstat(os.path.join(parent, name))
            if (facts.st_dev, facts.st_ino) not in seen:
                seen.add((facts.st_dev, facts.st_ino))
                total += facts.st_blocks * 512
    return total


class Scene:
    """The tools in a plain environment, and a project for them to work on."""

    def __init__(self, place):
        self.place = place
        self.python = own_interpreter()
        self.environment = dict(place.environment)
        for name in ("VIRTPY_PIP_SHIM", "PYTHONDONTWRITEBYTECODE", "VIRTUALENV_SEEDER"):
            self.environment.pop(name, None)
        # Some tools pass on few variables, HOME among them: by it everything of this scene is kept together.
        home = place.path("home")
        self.environment["HOME"] = str(home)
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            self.environment.pop(name, None)
        self.environment.setdefault("PIP_CACHE_DIR", os.path.expanduser("~/.cache/pip"))
        for own in (".config/pip/pip.conf", ".pip/pip.conf", ".netrc"):
            theirs = Path(os.path.expanduser("~")) / own
            if theirs.exists():
                write(home, {own: theirs.read_text(encoding="utf-8")})
        # No process outlives the check.
        write(home, {".config/virtpy/config.toml": 'bytecode = "off"\n'})
        self.tools = self.install("tools", TOOLS)

    def install(self, name, requirements):
        """Makes an environment of real files with these requirements."""
        folder = self.place.path(name)
        self.place.run([self.python, "-m", "venv", folder])
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        self.place.run(pip + requirements)
        return folder

    def virtpy(self, *arguments, **options):
        """Runs the program under test."""
        return self.place.run([self.place.program] + list(arguments), environment=self.environment, **options)

    def run(self, folder, tool, *arguments, **variables):
        """Runs a tool in a folder and returns what it printed."""
        environment = dict(self.environment, **variables)
        command = [self.tools / "bin" / tool] + list(arguments)
        return "".join(self.place.run(command, environment=environment, cwd=folder))

    def git(self, folder, *arguments):
        """Runs git in a folder and returns what it printed."""
        identity = ["-c", "user.name=x", "-c", "user.email=x@host.example"]
        return self.place.run(["git"] + identity + list(arguments), cwd=folder)[0].strip()

    def commit(self, folder):
        """Makes a repository of a folder and returns its commit."""
        self.git(folder, "init", "-q")
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-q", "-m", "all")
        return self.git(folder, "rev-parse", "HEAD")

    def project(self, name):
        """A project, with hooks, in a folder of this name."""
        folder = self.place.path(name)
        write(folder, FILES)
        hook = self.place.path("hook")
        if not hook.exists():
            write(hook, HOOK)
            self.commit(hook)
        write(folder, {".pre-commit-config.yaml": CONFIG % (hook, self.git(hook, "rev-parse", "HEAD"))})
        self.commit(folder)
        return folder

    def results(self, folder):
        """Lets each tool run the project's tests; returns the environments of each, by the tool's name."""
        hatch = {"HATCH_DATA_DIR": str(folder / ".hatch")}
        hooks = {"PRE_COMMIT_HOME": str(folder / ".pre-commit")}
        said = self.run(folder, "tox")
        require(said.count("1 passed") == 2, said)
        said = self.run(folder, "nox", "-s", "tests")
        require("1 passed" in said, said)
        said = self.run(folder, "hatch", "run", "python", "-m", "pytest", "-q", "tests", **hatch)
        require("1 passed" in said, said)
        said = self.run(folder, "pre-commit", "run", "--all-files", **hooks)
        require("said" in said and "rich" in said and "Failed" not in said, said)
        places = {
            "tox": [folder / ".tox" / name for name in ("one", "two", ".pkg")],
            "nox": [folder / ".nox" / "tests"],
            "hatch": [config.parent for config in (folder / ".hatch").rglob("pyvenv.cfg")],
            "pre-commit": [config.parent for config in (folder / ".pre-commit").rglob("pyvenv.cfg")],
        }
        require_equal({name: len(found) for name, found in places.items()}, COUNTS, "environments")
        return places

    def snapshot(self, venv):
        """What is installed in an environment."""
        return json.loads(self.place.run([venv / "bin" / "python", "-I", "-B", "-c", SNAPSHOT])[0])

    def demand_shared(self, venv):
        """Raises CheckFailed unless all that is in a venv is from the store, and as virtpy has put it there."""
        self.virtpy("check", "--venv", venv)
        installers = self.place.run([venv / "bin" / "python", "-I", "-B", "-c", INSTALLERS])[0].split()
        require_equal(set(installers), {"virtpy"}, "who installed what is in %s" % venv)


COUNTS = {"tox": 3, "nox": 1, "hatch": 1, "pre-commit": 2}


def check(place):
    """The steps, one after the other."""
    scene = Scene(place)
    plain = scene.results(scene.project("plain"))
    before = hashes(scene.tools)
    enable(scene)
    project = scene.project("shared")
    shared = scene.results(project)
    for tool in COUNTS:
        found = sorted(json.dumps(scene.snapshot(venv)) for venv in shared[tool])
        require_equal(found, sorted(json.dumps(scene.snapshot(venv)) for venv in plain[tool]), tool)
        for venv in shared[tool]:
            scene.demand_shared(venv)
    sizes = [sum(disk_use(venv) for tool in COUNTS for venv in made[tool]) for made in (shared, plain)]
    share = 100.0 * sizes[0] / sizes[1]
    require(share <= 5, "the environments take %.1f %% of plain ones" % share)
    scene.virtpy("store", "verify")
    yield "tox, nox, Hatch and pre-commit: same results, same packages, all shared (%.1f %% of the bytes)" % share
    yield from work_on(scene, project)
    yield from other_virtualenvs(scene)
    scene.virtpy("disable", scene.tools)
    require_equal(hashes(scene.tools), before, "the tools' environment after `virtpy disable`")
    yield "the tools are as they were"
    yield from older_tools(scene)
    yield from poetry(scene)


def enable(scene):
    """Enables the tools as their users do, by the words alone."""
    path = "%s:%s" % (scene.tools / "bin", scene.environment["PATH"])
    environment = dict(scene.environment, PATH=path)
    said = scene.place.run(
        [scene.place.program, "enable", "tox", "nox", "hatch", "pre-commit"], environment=environment
    )[1]
    require(str(scene.tools) in said, said)


def older_tools(scene):
    """The same with older versions of the tools."""
    newest = scene.tools
    scene.tools = scene.install("older-tools", OLDER_TOOLS)
    try:
        enable(scene)
        for venvs in scene.results(scene.project("older")).values():
            for venv in venvs:
                scene.demand_shared(venv)
    finally:
        scene.tools = newest
    yield ", ".join(OLDER_TOOLS)


def work_on(scene, project):
    """What people do with environments that are there."""
    scene.run(project, "tox", "-q", "-p", "--recreate")
    for name in ("one", "two"):
        scene.demand_shared(project / ".tox" / name)
    yield "tox -p --recreate"
    moved = scene.place.path("moved")
    os.rename(str(project), str(moved))
    scene.run(moved, "tox", "-q")
    scene.run(moved, "tox", "-q", "-r", "-e", "one")
    scene.demand_shared(moved / ".tox" / "one")
    yield "tox in a project that was moved"
    shutil.rmtree(str(moved))
    removed = json.loads(scene.virtpy("store", "gc", "--remove", "--grace", "0s", "--json")[0])
    names = {one["name"] for one in removed["entries"]}
    require({"pytest", "rich", "shop"} <= names, "gc removed only %s" % sorted(names))
    scene.virtpy("store", "verify")
    yield "what only removed environments used is collected"


def other_virtualenvs(scene):
    """The plugin in other versions of virtualenv, and where it steps aside."""
    for requirement in VIRTUALENVS:
        folder = scene.install(requirement.replace("<", "-before-").replace("=", "-"), [requirement])
        before = hashes(folder)
        scene.virtpy("enable", folder)
        venv = scene.place.path("of-" + folder.name)
        virtualenv = [folder / "bin" / "virtualenv"]
        scene.place.run(virtualenv + [venv], environment=scene.environment)
        scene.demand_shared(venv)
        # Once more over it, as some tools do.
        scene.place.run(virtualenv + [venv], environment=scene.environment)
        scene.demand_shared(venv)
        scene.place.run(virtualenv + ["--clear", "--no-pip", "--no-setuptools", venv], environment=scene.environment)
        scene.virtpy("check", "--venv", venv)
        for extra, variables in [(["--seeder", "pip"], {}), ([], {"VIRTUALENV_SEEDER": "app-data"}), (["--no-seed"], {})]:
            venv = scene.place.path("plain-venv")
            shutil.rmtree(str(venv), ignore_errors=True)
            scene.place.run(virtualenv + extra + [venv], environment=dict(scene.environment, **variables))
            require("virtpy" not in (venv / "pyvenv.cfg").read_text(), "%s %s" % (extra, variables))
        shutil.rmtree(str(venv))
        gone = dict(scene.environment, VIRTPY_HOME="/proc/nowhere")
        said = "".join(scene.place.run(virtualenv + [venv], environment=gone))
        require(said.count("virtpy shares nothing with") == 1, said)
        scene.place.run([venv / "bin" / "python", "-m", "pip", "--version"])
        require("virtpy" not in (venv / "pyvenv.cfg").read_text(), "a venv that could not be seeded")
        shutil.rmtree(str(venv))
        scene.virtpy("disable", folder)
        require_equal(hashes(folder), before, "the environment of %s" % requirement)
        yield "%s: seeds, seeds again, and steps aside" % requirement


def poetry(scene):
    """Poetry as an application of virtpy's."""
    scene.virtpy("install", "-q", "poetry==2.5.1")
    bins = scene.place.path("s/bin")
    environment = dict(scene.environment, PATH="%s:%s" % (bins, scene.environment["PATH"]))
    before = hashes(scene.place.path("s/tools"))
    said = scene.place.run([scene.place.program, "enable", "poetry"], environment=environment)[1]
    require("makes virtpy's venvs for projects" in said, said)
    project = scene.place.path("till")
    # Poetry does not ask the indexes that pip is configured for.
    wheels = scene.place.path("wheels")
    scene.place.run([scene.tools / "bin" / "python", "-m", "pip", "download", "-q", "--no-deps", "-d", wheels, "attrs"])
    wheel = next(wheels.iterdir()).as_uri()
    write(project, {"pyproject.toml": POETRY_PROJECT % wheel, "poetry.toml": "[virtualenvs]\nin-project = true\n"})
    command = [bins / "poetry"]
    scene.place.run(command + ["install", "-n"], environment=environment, cwd=project)
    scene.demand_shared(project / ".venv")
    shutil.rmtree(str(project / ".venv"))
    off = dict(environment, POETRY_VIRTPY_CREATE="false")
    scene.place.run(command + ["install", "-n"], environment=off, cwd=project)
    require("virtpy" not in (project / ".venv" / "pyvenv.cfg").read_text(), "Poetry's own setting was not followed")
    scene.place.run([scene.place.program, "disable", "poetry"], environment=environment)
    require_equal(hashes(scene.place.path("s/tools")), before, "Poetry's environment after `virtpy disable`")
    yield "Poetry makes virtpy's venvs by `virtpy enable poetry` alone"
