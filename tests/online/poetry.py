"""Poetry with the plugin ends in the same set as without it, and shares it.

A project with more than 40 locked dependencies (django and pandas, a repository, a folder, an editable one, extras and
groups) goes through `install`, `add`, `update`, `remove`, `sync`, `env info` and `run` with several versions of Poetry,
in a plain venv and in one of virtpy's. After every step both have the same distributions, scripts and modules, virtpy
finds none of another installer, and the store verifies. `virtpy poetry-install` gives that set without Poetry. Wheels
are downloaded once and served from a loopback index.
"""

import json
import os
import re
import shutil
import time
from pathlib import Path

from foreign_wheels import Index
from support import CheckFailed, interpreters, require, require_equal

VERSIONS = {"poetry-2.5": "poetry==2.5.1", "poetry-2.0": "poetry==2.0.1", "poetry-1.8": "poetry==1.8.5"}

# Those in between install, add and remove only, in a project without what is large.
BETWEEN = {"poetry-2.%d" % minor: "poetry==2.%d.*" % minor for minor in (1, 2, 3, 4)}

PYTHON = "3.11"

REQUIREMENTS = """
django>=5,<5.2 pandas>=2.2,<2.3 requests rich>=13,<14 click sqlalchemy>=2,<2.1 jinja2 pydantic>=2,<3 httpx attrs pyyaml
sphinx>=7,<8 pytest mypy black<25 colorama tabulate six idna==3.7 idna poetry-core
""".split()

PROJECT = """
[tool.poetry]
name = "shop"
version = "0.1.0"
description = "A shop"
authors = []
packages = [{include = "shop", from = "src"}]
[tool.poetry.dependencies]
python = ">=3.11,<3.12"
django = ">=5,<5.2"
pandas = ">=2.2,<2.3"
requests = "*"
rich = "^13"
click = "*"
sqlalchemy = "^2.0"
jinja2 = "*"
pydantic = "^2"
httpx = "*"
attrs = "*"
pyyaml = "*"
idna = "3.7"
sphinx = {version = "^7", optional = true}
colorama = {version = "*", markers = "sys_platform == 'win32'"}
beside = {path = "../beside"}
edited = {path = "../edited", develop = true}
cloned = {git = "%(repository)s"}
[tool.poetry.extras]
docs = ["sphinx"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
mypy = "*"
black = "*"
[tool.poetry.group.more]
optional = true
[tool.poetry.group.more.dependencies]
tabulate = "*"
[tool.poetry.scripts]
shop = "shop:main"
[[tool.poetry.source]]
name = "loopback"
url = "%(index)s"
priority = "primary"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""

LARGE = re.compile(
    r"^(django|pandas|sqlalchemy|pydantic|httpx|jinja2|sphinx|docs|pytest|mypy|black) = .*\n", re.MULTILINE
)

DEPENDENCY = """
[tool.poetry]
name = "%s"
version = "0.2.0"
description = ""
authors = []
[tool.poetry.dependencies]
python = ">=3.8"
six = "*"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""

# What both venvs have to have in common.
SNAPSHOT = """
import importlib.metadata as metadata, json, os, sys
found = {}
for distribution in metadata.distributions():
    if distribution.name == "pip" or distribution.name == "setuptools":
        continue
    text = distribution.read_text("direct_url.json")
    files = [str(file) for file in distribution.files or []]
    missing = [file for file in files if not os.path.exists(str(distribution.locate_file(file)))]
    name = distribution.name.lower().replace("_", "-").replace(".", "-")
    found[name] = [distribution.version, json.loads(text) if text else None, missing]
scripts = sorted(os.listdir(os.path.join(sys.prefix, "bin")))
scripts = [name for name in scripts if not name.lower().startswith(("python", "activate", "deactivate", "pip"))]
print(json.dumps({"distributions": found, "scripts": scripts}))
"""

# What is done one after another.
STEPS = [
    ("install", ["install"]),
    ("install with an extra and a group", ["install", "--extras", "docs", "--with", "more"]),
    ("sync", ["sync"]),
    ("add", ["add", "tabulate"]),
    ("remove", ["remove", "attrs", "tabulate"]),
    ("env info", ["env", "info"]),
    ("run", ["run", "shop"]),
]


# What every version is tried with.
FEW = [step for step in STEPS if step[0] in ("install", "add", "remove")]


class Scene:
    """One project, its two venvs and one Poetry."""

    def __init__(self, place, poetry, index, form=PROJECT):
        self.place, self.form = place, form
        self.poetry = place.path("tools") / poetry / "bin/poetry"
        self.folder = place.path(poetry)
        self.index = index
        self.make_sources()
        self.environment = dict(place.environment)
        for name in list(self.environment):
            if name.startswith("POETRY_"):
                del self.environment[name]
        self.environment.update(
            POETRY_VIRTUALENVS_IN_PROJECT="true",
            POETRY_KEYRING_ENABLED="false",
            POETRY_NO_INTERACTION="1",
            POETRY_CACHE_DIR=str(place.path("poetry-cache")),
            POETRY_CONFIG_DIR=str(self.folder / "config"),
            PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
            PATH="%s:%s" % (Path(interpreters()[PYTHON]).parent, os.environ["PATH"]),
        )

    def make_sources(self):
        """Writes what the projects depend on that no index has."""
        for name in ("beside", "edited", "cloned"):
            package = self.folder / name / name
            package.mkdir(parents=True)
            (package / "__init__.py").write_text("NAME = %r\n" % name)
            (package.parent / "pyproject.toml").write_text(DEPENDENCY % name)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "one"]):
            self.place.run(git + command, cwd=self.folder / "cloned")

    def project(self, name):
        """Makes a project."""
        folder = self.folder / name
        (folder / "src/shop").mkdir(parents=True)
        (folder / "src/shop/__init__.py").write_text("def main():\n    print('open')\n")
        values = {"repository": (self.folder / "cloned").as_uri(), "index": self.index.url}
        (folder / "pyproject.toml").write_text(self.form % values)
        return folder

    def run(self, folder, *arguments, **settings):
        """Runs Poetry in a project and returns its output."""
        environment = dict(self.environment, **settings)
        return self.place.run([self.poetry] + list(arguments), cwd=folder, environment=environment)[0]

    def snapshot(self, folder):
        """What the project's venv has, with the project's own folder replaced."""
        printed = self.place.run([folder / ".venv/bin/python", "-c", SNAPSHOT])[0]
        return json.loads(printed.replace(folder.as_uri(), "file:///PROJECT"))

    def check_shared(self, folder, what):
        """Nothing in the venv is of another installer, and nothing is wrong."""
        command = ("check", "--json", "--venv", folder / ".venv")
        try:
            printed = self.place.virtpy(*command)[0]
        except CheckFailed:  # `poetry remove` leaves the project itself as it was, with what it required.
            printed = self.place.virtpy(*command, fails=True)[0]
        problems = [item for item in json.loads(printed) if item["problem"] not in ("unmet", "conflicting")]
        require_equal(problems, [], "virtpy check after " + what)


def both(scene, steps, has_sync=True):
    """Does these steps in a plain project and in one of virtpy's; yields both, and what was compared."""
    plain, ours = scene.project("plain"), scene.project("ours")
    scene.run(plain, "lock", "--no-plugins")
    shutil.copy(str(plain / "poetry.lock"), str(ours / "poetry.lock"))
    for what, arguments in steps:
        if arguments == ["sync"] and not has_sync:
            arguments = ["install", "--sync"]
        scene.run(plain, "--no-plugins", *arguments)
        scene.run(ours, *arguments, POETRY_VIRTPY_CREATE="true")
        require("virtpy-id" in (ours / ".venv/pyvenv.cfg").read_text(), "the venv is not virtpy's")
        require_equal(scene.snapshot(ours), scene.snapshot(plain), what)
        scene.check_shared(ours, what)
        yield plain, ours, "%s: the same set, all of it shared" % what


def update(scene, plain, ours):
    """Updates one package in both projects."""
    for folder, settings in ((plain, ["--no-plugins"]), (ours, [])):
        text = (folder / "pyproject.toml").read_text()
        (folder / "pyproject.toml").write_text(text.replace('idna = "3.7"', 'idna = "*"'))
        scene.run(folder, *settings, "update", "idna")
    require_equal(scene.snapshot(ours), scene.snapshot(plain), "update")
    require(scene.snapshot(ours)["distributions"]["idna"][0] != "3.7", "idna was not updated")
    scene.check_shared(ours, "update")
    scene.place.virtpy("store", "verify")
    return "update: the same set, all of it shared"


def play(scene, name, is_timed):
    """Every step in both venvs, and other ways to the same set; yields what was compared."""
    for plain, ours, told in both(scene, STEPS, has_sync=name != "poetry-1.8"):
        yield told
    yield update(scene, plain, ours)

    without = scene.project("without")
    shutil.copy(str(plain / "pyproject.toml"), str(without))
    shutil.copy(str(plain / "poetry.lock"), str(without))
    scene.place.virtpy("poetry-install", "--project", without, "--venv", without / ".venv")
    require_equal(scene.snapshot(without), scene.snapshot(plain), "poetry-install")
    scene.check_shared(without, "poetry-install")
    yield "poetry-install: the same set, without Poetry"

    foreign = scene.project("foreign")
    shutil.copy(str(plain / "pyproject.toml"), str(foreign))
    shutil.copy(str(plain / "poetry.lock"), str(foreign))
    scene.place.virtpy("new", foreign / ".venv", "-p", interpreters()[PYTHON])
    scene.run(foreign, "--no-plugins", "install")
    require_equal(scene.snapshot(foreign), scene.snapshot(plain), "install without the plugin")
    scene.place.virtpy("adopt", foreign / ".venv")
    require_equal(scene.snapshot(foreign), scene.snapshot(plain), "adoption")
    scene.place.virtpy("store", "verify")
    yield "without the plugin: the same set, and adopted afterwards"

    if name == "poetry-2.5" and is_timed:
        yield timed(scene, plain, ours, without)


def timed(scene, plain, ours, without):
    """How long a fresh venv takes from what is there already, the best of three."""

    def measure(folder, action):
        def once():
            shutil.rmtree(str(folder / ".venv"))
            start = time.monotonic()
            action()
            return time.monotonic() - start

        return min(once() for _ in range(3))

    slow = measure(plain, lambda: scene.run(plain, "--no-plugins", "install"))
    plugin = measure(ours, lambda: scene.run(ours, "install", POETRY_VIRTPY_CREATE="true"))
    own = measure(
        without, lambda: scene.place.virtpy("poetry-install", "--project", without, "--venv", without / ".venv")
    )
    return "a fresh venv takes Poetry %.2f s, with the plugin %.2f s (%.2f), poetry-install %.3f s (%.3f)" % (
        slow,
        plugin,
        plugin / slow,
        own,
        own / slow,
    )


def left_alone(scene):
    """The plugin keeps out of plain venvs, and gets out of the way when the program is gone."""
    plain = scene.project("other")
    scene.run(plain, "install", "--only", "dev", "--no-root")
    require("virtpy-id" not in (plain / ".venv/pyvenv.cfg").read_text(), "a plain venv was made virtpy's")
    expected = scene.snapshot(plain)
    orphan = scene.project("orphan")
    shutil.copy(str(plain / "poetry.lock"), str(orphan))
    scene.place.virtpy("new", orphan / ".venv", "-p", interpreters()[PYTHON])
    [recorded] = scene.poetry.parent.parent.glob("lib/python*/site-packages/poetry_plugin_virtpy/executable.txt")
    text = recorded.read_text()
    recorded.write_text("/nowhere/virtpy\n")
    try:
        scene.run(orphan, "install", "--only", "dev", "--no-root")
    finally:
        recorded.write_text(text)
    require_equal(scene.snapshot(orphan), expected, "install while the program is gone")


def through_poetry_itself(scene):
    """`poetry self add` and `self remove` of the wheel. Returns the wheel."""
    folder = scene.place.path("plugin")
    wheel = scene.place.virtpy("poetry", "plugin-wheel", folder)[0].strip()
    project = scene.project("requires")
    # Not every index has the interface that Poetry uses by default; all have the one of pip.
    config = scene.folder / "config"
    config.mkdir(exist_ok=True)
    (config / "pyproject.toml").write_text("[tool.poetry]\npackage-mode = false\n" + usual_source(scene, "primary"))
    scene.run(project, "self", "add", wheel)
    status = json.loads(scene.place.virtpy("poetry", "status", "--json", scene.poetry)[0])
    require_equal(status[0]["plugin"], "foreign", "the plugin's state after `poetry self add`")
    scene.run(project, "self", "remove", "poetry-plugin-virtpy")
    status = json.loads(scene.place.virtpy("poetry", "status", "--json", scene.poetry)[0])
    require_equal(status[0]["plugin"], "absent", "the plugin's state after `poetry self remove`")
    return wheel


def usual_source(scene, priority):
    """The index that pip asks by default, as a source of Poetry's."""
    ask = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    usual = scene.place.run([scene.poetry.parent / "python", "-c", ask])[0].strip()
    return '[[tool.poetry.source]]\nname = "usual"\nurl = "%s/"\npriority = "%s"\n' % (usual, priority)


def required_by_a_project(scene, wheel):
    """`requires-plugins` takes the plugin from an index, and from the usual one what Poetry itself requires.

    Poetry loads plugins before it installs those that the project requires, so the second run is the first with it.
    """
    project = scene.project("required")
    shutil.copy(wheel, str(scene.index.server.folder))
    text = (project / "pyproject.toml").read_text() + usual_source(scene, "supplemental")
    text += '[tool.poetry.requires-plugins]\npoetry-plugin-virtpy = "*"\n'
    (project / "pyproject.toml").write_text(text)
    scene.run(project, "lock")
    environment = {"POETRY_VIRTPY_CREATE": "true", "VIRTPY_EXECUTABLE": scene.place.program}
    scene.run(project, "install", "--only", "dev", **environment)
    shutil.rmtree(str(project / ".venv"))
    scene.run(project, "install", "--only", "dev", **environment)
    require("virtpy-id" in (project / ".venv/pyvenv.cfg").read_text(), "the required plugin did not act")
    scene.check_shared(project, "install with the required plugin")


def prepare(place, names):
    """Installs Poetries and downloads the wheels; returns the index that serves them."""
    versions = dict(VERSIONS, **BETWEEN)
    python = interpreters().get(PYTHON)
    require(python is not None, "there is no Python " + PYTHON)
    tools = place.path("tools")
    for name in names:
        place.run([python, "-m", "venv", tools / name])
        place.run([tools / name / "bin/python", "-m", "pip", "install", "--quiet", versions[name]])
    pip = [tools / names[0] / "bin/python", "-m", "pip", "download", "--quiet", "--dest", place.path("wheels")]
    place.run(pip + [text for text in REQUIREMENTS if text != "idna==3.7"])
    place.run(pip + ["--no-deps", "idna==3.7"])
    return Index(place.path("wheels"))


def check(place):
    """Lets the newest Poetry act, and the oldest go through the steps."""
    return act(place, ["poetry-2.5"], ["poetry-1.8"])


def check_all(place):
    """Lets every version of Poetry act."""
    return act(place, list(VERSIONS))


def check_between(place):
    """Lets the newest Poetry of every minor version in between install, add and remove."""
    index = prepare(place, list(BETWEEN))
    try:
        for name in BETWEEN:
            scene = Scene(place, name, index, LARGE.sub("", PROJECT))
            place.virtpy("poetry", "enable", scene.poetry)
            for _, _, told in both(scene, FEW):
                yield "%s, %s" % (name, told)
            place.virtpy("store", "verify")
    finally:
        index.stop()


def act(place, names, briefly=()):
    """Installs projects with these Poetries, with the plugin and without; with some of them only with it."""
    index = prepare(place, list(names) + list(briefly))
    tools = place.path("tools")
    try:
        for name in names:
            scene = Scene(place, name, index)
            before = files_of(tools / name)
            place.virtpy("poetry", "enable", scene.poetry)
            for step in play(scene, name, len(names) > 1):
                yield "%s, %s" % (name, step)
            left_alone(scene)
            yield "%s: other venvs are left alone, and Poetry installs where virtpy is gone" % name
            place.virtpy("poetry", "disable", scene.poetry)
            require_equal(files_of(tools / name), before, "the files of %s after `disable`" % name)
            yield "%s: the plugin goes without trace" % name
            if name == "poetry-2.5":
                wheel = through_poetry_itself(scene)
                yield "%s: `poetry self add` takes the wheel" % name
                if len(names) > 1:
                    required_by_a_project(scene, wheel)
                    yield "%s: `requires-plugins` takes the wheel" % name
        for name in briefly:
            scene = Scene(place, name, index)
            place.virtpy("poetry", "enable", scene.poetry)
            for plain, ours, told in both(scene, STEPS, has_sync=name != "poetry-1.8"):
                yield "%s, %s" % (name, told)
            yield "%s, %s" % (name, update(scene, plain, ours))
    finally:
        index.stop()


def files_of(folder):
    """The paths of a folder, without bytecode, which Poetry's own use makes."""
    paths = (path.relative_to(folder) for path in Path(folder).rglob("*") if "__pycache__" not in path.parts)
    return {str(path): True for path in paths}
