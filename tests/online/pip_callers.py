"""Tools that call pip in a venv find virtpy's own there, and get what they ask for in the form that they read.

The tools themselves are installed with that pip from the package index. Poetry 1.8 with its pip-based installer works on
wheels of the suite's own, from a loopback index, and on sources beside them.
"""

import json
import os
import re
import subprocess
import sys

from foreign_wheels import Index, make_wheels
from support import own_interpreter, require, require_equal

SHIM = "26.3+virtpy"

TOOLS = ["build", "ipython", "nox", "pip-tools", "pipdeptree", "pre-commit", "tox"]

# What ansible's module and others look for in pip's answers.
INSTALLED, UNINSTALLED = "Successfully installed", "Successfully uninstalled"

# What VS Code's Python environments extension, Jupyter's and PyCharm send.
EDITORS = [
    ["list", "--format=json"],
    ["list", "--format=json", "--not-required"],
    ["list", "--format", "json"],
    ["--version"],
    ["--no-input", "list", "--format=json"],
    ["freeze", "--all"],
]

PROJECT = """
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
[project]
name = "%(name)s"
version = "1.0"
[project.scripts]
%(name)s-tool = "%(module)s:main"
[tool.setuptools]
py-modules = ["%(module)s"]
"""

# What Poetry reads the metadata of without building it.
POETRY_SOURCE = """
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "%(name)s"
version = "1.0"
description = ""
authors = []
packages = [{include = "%(module)s.py"}]
"""

POETRY_PROJECT = """
[tool.poetry]
name = "whole"
version = "0.1.0"
description = ""
authors = []
packages = [{include = "whole"}]

[[tool.poetry.source]]
name = "loopback"
url = "%(index)s"
priority = "primary"

[tool.poetry.dependencies]
python = "^%(python)s"
vp-plain = "1.0"
vp-share-base = "1.0"
vp-share-extra = "*"
vp-space-one = "*"
vp-space-two = "*"
vp-deep-left = "*"
vp-elf-user = "*"
vp-in-folder = {path = "../vp-in-folder"}
vp-in-place = {path = "../vp-in-place", develop = true}
vp-in-git = {git = "file://%(git)s"}
vp-data-new = {path = "%(wheel)s"}
vp-aside = {url = "%(url)s"}

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""


class Venv:
    """A venv of virtpy's with its own pip."""

    def __init__(self, place, name, python):
        self.place = place
        self.root = place.path(name)
        self.environment = dict(place.environment)
        self.environment.pop("VIRTPY_PIP_SHIM", None)
        place.run([place.program, "new", self.root, "-p", python], environment=self.environment)
        self.environment["PATH"] = "%s%s%s" % (self.root / "bin", os.pathsep, self.environment["PATH"])

    def run(self, program, *arguments, **options):
        """Runs a program of the venv and returns its standard output."""
        command = [self.root / "bin" / program] + list(arguments)
        options.setdefault("environment", self.environment)
        return self.place.run(command, **options)[0]

    def pip(self, *arguments, **options):
        """Runs pip as most tools do."""
        return self.run("python", "-m", "pip", *arguments, **options)

    def names(self):
        """The names of what is installed, as pip tells them."""
        return {row["name"].lower().replace("_", "-") for row in json.loads(self.pip("list", "--format=json"))}

    def require_sound(self, besides=()):
        """virtpy finds nothing wrong, and nothing that another tool installed, besides what it is known to."""
        self.place.run([self.place.program, "check", "--venv", self.root], environment=self.environment)
        out = self.place.run(
            [self.place.program, "check", "--venv", self.root, "--json"], environment=self.environment
        )[0]
        problems = [json.dumps(problem) for problem in json.loads(out)]
        foreign = [text for text in problems if "foreign" in text and not any(name in text for name in besides)]
        require_equal(foreign, [], "what others installed")
        self.place.run([self.place.program, "store", "verify"], environment=self.environment)


def project(folder, name, form=PROJECT):
    """Writes a project with one module."""
    folder.mkdir(parents=True)
    module = name.replace("-", "_")
    (folder / "pyproject.toml").write_text(form % {"name": name, "module": module})
    (folder / (module + ".py")).write_text("def main():\n    print('ran')\n")
    return folder


def editors(venv):
    """The commands of editors, answered in the form that they parse."""
    for arguments in EDITORS:
        out = venv.pip(*arguments)
        if "json" in " ".join(arguments):
            require(all(set(row) >= {"name", "version"} for row in json.loads(out)), out)
    require(re.match(r"^pip\s+(\d+\S*) from \S+ \(python \d+\.\d+\)$", venv.pip("--version")), "--version")
    frozen = venv.pip("freeze", "--all").splitlines()
    require_equal([line for line in frozen if line.startswith("pip==")], ["pip==" + SHIM], "freeze --all")
    code = "import runpy, sys; sys.argv[1:] = %r; runpy.run_module('pip', run_name='__main__', alter_sys=True)"
    require(INSTALLED in venv.run("python", "-c", code % ["install", "vp-plain"]), "PyCharm's install")
    require(UNINSTALLED in venv.run("python", "-c", code % ["uninstall", "-y", "vp-plain"]), "PyCharm's uninstall")
    versions = json.loads(venv.pip("index", "versions", "six", "--json", "--pre"))["versions"]
    require("1.16.0" in versions, "index versions")


def ansible(venv):
    """The calls of ansible's module, and the words that it looks for."""
    pip = venv.root / "bin/pip3"
    require(INSTALLED in venv.run(pip, "install", "vp-plain==1.0"), "install")
    require(INSTALLED not in venv.run(pip, "install", "vp-plain"), "nothing to do")
    require("vp-plain==1.0" in venv.run(pip, "list", "--format=freeze").splitlines(), "list")
    require(INSTALLED in venv.run(pip, "install", "-U", "vp-plain"), "latest")
    require(UNINSTALLED in venv.run(pip, "uninstall", "-y", "vp-plain"), "absent")
    require(UNINSTALLED not in venv.run(pip, "uninstall", "-y", "vp-plain"), "absent already")


def pip_tools(venv, folder):
    """pip-sync makes the venv what a file says, and pip-compile writes such a file."""
    source = folder / "wanted.in"
    source.write_text("six\nidna\n")
    locked = folder / "wanted.txt"
    other = Venv(venv.place, "synced", own_interpreter())
    other.pip("install", "toml")
    venv.run("pip-compile", "-q", "--no-header", "--generate-hashes", "-o", locked, source)
    python = str(other.root / "bin/python")
    venv.run("pip-sync", "--python-executable", python, locked)
    require_equal(other.names(), {"idna", "pip", "six"}, "after pip-sync")
    other.require_sound()


def builders(venv, folder):
    """pypa/build makes its environment with the pip that it finds; pip-audit's call gives a report."""
    source = project(folder / "vp-built", "vp-built")
    venv.run("python", "-m", "build", "--wheel", source)
    wheels = list((source / "dist").glob("*.whl"))
    require_equal(len(wheels), 1, "wheels built")
    require(INSTALLED in venv.pip("install", wheels[0]), "the wheel")
    venv.pip("uninstall", "-y", "vp-built")
    report = folder / "report.json"
    wanted = folder / "audit.txt"
    wanted.write_text("rich==13.7.0\n")
    venv.pip("install", "--no-input", "--keyring-provider=subprocess", "--dry-run", "--report", report, "-r", wanted)
    names = {item["metadata"]["name"].lower() for item in json.loads(report.read_text())["install"]}
    require("rich" in names, "the report: %s" % names)


def runners(venv, folder):
    """tox, nox and pre-commit in a project; nox installs into the venv itself."""
    source = project(folder / "vp-project", "vp-project")
    (source / "tox.ini").write_text("[testenv]\ndeps = six\ncommands = python -c 'import six, vp_project'\n")
    venv.run("tox", "-q", cwd=source)
    (source / "noxfile.py").write_text(
        "import nox\n\n\n@nox.session\ndef tests(session):\n"
        "    session.run('python', '-m', 'pip', 'install', 'toml', '-e', '.')\n    session.run('python', '-c', 'import toml, vp_project')\n"
    )
    venv.run("nox", "--force-venv-backend", "none", cwd=source)
    venv.pip("uninstall", "-y", "toml", "vp-project")
    hook = project(folder / "vp-hook", "vp-hook")
    (hook / ".pre-commit-hooks.yaml").write_text(
        "- id: vp\n  name: vp\n  entry: vp-hook-tool\n  language: python\n  pass_filenames: false\n"
    )
    git(hook)
    (source / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: %s\n  rev: v1\n  hooks:\n  - id: vp\n    always_run: true\n" % hook
    )
    git(source)
    environment = dict(venv.environment, PRE_COMMIT_HOME=str(folder / "hooks"))
    venv.run("pre-commit", "run", "--all-files", cwd=source, environment=environment)


def notebooks(venv, folder, url):
    """IPython's %pip; a wheel by URL as spacy downloads its models; pipdeptree's look at the venv."""
    script = folder / "cell.ipy"
    script.write_text("%pip install -q toml\nimport toml\nprint(toml.__name__)\n")
    require("toml" in venv.run("ipython", "--no-banner", script).splitlines(), "%pip")
    venv.pip("uninstall", "-y", "toml")
    require(INSTALLED in venv.pip("install", "--no-deps", url), "a wheel by its URL")
    require("vp-aside" in venv.names(), "the wheel by its URL")
    venv.pip("uninstall", "-y", "vp-aside")
    tree = json.loads(venv.run("pipdeptree", "--json"))
    require("nox" in {item["package"]["key"] for item in tree}, "pipdeptree")
    target = folder / "target"
    venv.pip("install", "--target", target, "six")
    require((target / "six.py").is_file(), "--target")


def git(folder):
    """Makes a repository of a folder, with the tag v1."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], who + ["commit", "-qm", "first"], ["tag", "v1"]):
        subprocess.run(["git"] + arguments, cwd=str(folder), check=True, stdout=subprocess.DEVNULL)


# What Poetry writes itself, whatever its installer: a `.pth` file and a dist-info folder.
OWN = ("whole", "vp-in-place")


class Poetry:
    """Poetry 1.8 with the installer that calls pip, in a project whose `.venv` is a venv of virtpy's."""

    def __init__(self, place, index, wheels):
        self.place = place
        python = own_interpreter()
        tools = place.path("poetry")
        place.run([python, "-m", "venv", tools])
        environment = {name: value for name, value in place.environment.items() if name != "PIP_FIND_LINKS"}
        place.run([tools / "bin/pip", "install", "-q", "poetry>=1.8.5,<1.9"], environment=environment)
        # It builds what it checked out itself, with a backend from the project's index.
        backend = ["download", "-q", "--no-deps", "-d", wheels, "poetry-core<2"]
        place.run([tools / "bin/pip"] + backend, environment=environment)
        self.program = tools / "bin/poetry"
        self.folder = place.path("whole")
        for name in ("vp-in-folder", "vp-in-place", "vp-in-git"):
            project(place.path(name), name, POETRY_SOURCE)
        git(place.path("vp-in-git"))
        (self.folder / "whole").mkdir(parents=True)
        (self.folder / "whole/__init__.py").write_text("")
        names = sorted(path.name for path in wheels.glob("vp_aside-1.0-*.whl"))
        facts = {
            "index": index.url,
            "python": "%d.%d" % sys.version_info[:2],
            "git": place.path("vp-in-git"),
            "wheel": next(wheels.glob("vp_data_new-1.0-*.whl")),
            "url": index.url.replace("/simple/", "/files/") + names[0],
        }
        (self.folder / "pyproject.toml").write_text(POETRY_PROJECT % facts)
        self.venv = Venv(place, "whole/.venv", python)

    def run(self, *arguments):
        """Runs Poetry in the project."""
        environment = {
            name: value
            for name, value in self.venv.environment.items()
            if not re.match("(PIP|UV|VIRTUAL_ENV)", name) or name == "PIP_CERT"
        }
        environment.update(
            POETRY_NO_INTERACTION="1",
            POETRY_KEYRING_ENABLED="false",
            POETRY_VIRTUALENVS_IN_PROJECT="true",
            POETRY_INSTALLER_MODERN_INSTALLATION="false",
            POETRY_CACHE_DIR=str(self.place.path("poetry-cache")),
            POETRY_CONFIG_DIR=str(self.place.path("poetry-config")),
            PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        )
        command = [self.program] + list(arguments)
        return self.place.run(command, cwd=self.folder, environment=environment)[0]

    def versions(self):
        """What is installed of the suite's own, with versions."""
        rows = json.loads(self.venv.pip("list", "--format=json"))
        return {row["name"]: row["version"] for row in rows if row["name"].startswith("vp-")}

    def check(self):
        """Installs, adds, updates and removes, and looks at the venv after each."""
        self.run("install")
        first = self.versions()
        require_equal(len(first), 12, "installed: %s" % sorted(first))
        require_equal(first["vp-plain"], "1.0", "the locked version")
        code = "import vp_in_folder, vp_in_place, vp_in_git, whole; print(vp_in_place.__file__)"
        require(str(self.place.path("vp-in-place")) in self.venv.run("python", "-c", code), "the editable one")
        self.venv.require_sound(OWN)
        yield "Poetry 1.8 installs 12 distributions: from an index, a folder, a repository, a file, a URL, in place"
        self.run("install")
        require_equal(self.versions(), first, "a second time")
        self.run("add", "vp-new")
        require("vp-new" in self.versions(), "added")
        self.run("add", "vp-plain@2.0")
        require_equal(self.versions()["vp-plain"], "2.0", "another version")
        self.run("update")
        # Only this writes again what the project itself requires.
        self.run("install")
        self.venv.require_sound(OWN)
        yield "Poetry 1.8 adds and updates"
        self.run("remove", "vp-new")
        require("vp-new" not in self.versions(), "removed")
        self.run("remove", "vp-in-git", "vp-in-folder")
        require(not {"vp-in-git", "vp-in-folder"} & set(self.versions()), "removed")
        self.run("install", "--sync")
        require_equal(self.run("run", "pip", "--version").split()[1], SHIM, "its pip")
        self.venv.require_sound(OWN)
        yield "Poetry 1.8 removes and synchronises"


def check(place):
    """Yields a line for every group of callers that got what they asked for."""
    wheels = place.path("wheels")
    make_wheels(wheels, place.path("build"))
    index = Index(wheels)
    folder = place.path("projects")
    folder.mkdir()
    yield from Poetry(place, index, wheels).check()
    tools = Venv(place, "tools", own_interpreter())
    tools.pip("install", *TOOLS)
    require(set(TOOLS) <= tools.names(), "the tools are installed")
    tools.require_sound()
    tools.environment["PIP_EXTRA_INDEX_URL"] = index.url
    url = index.url.replace("/simple/", "/files/") + next(wheels.glob("vp_aside-1.0-*.whl")).name
    for what, action in [
        ("what editors send", lambda: editors(tools)),
        ("ansible's calls", lambda: ansible(tools)),
        ("pip-compile and pip-sync", lambda: pip_tools(tools, folder)),
        ("pypa/build, and pip-audit's call", lambda: builders(tools, folder)),
        ("tox, nox, pre-commit", lambda: runners(tools, folder)),
        ("IPython's %pip, pipdeptree, --target", lambda: notebooks(tools, folder, url)),
    ]:
        before = tools.names()
        action()
        require_equal(tools.names(), before, "the venv after " + what)
        tools.require_sound()
        yield what
    index.stop()
