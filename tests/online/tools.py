"""Applications on PATH are what pipx makes of them.

Each is installed by virtpy and by pipx (from a venv of the check's own). Both have the same version and expose the same
commands, manual pages and completions; each command that is run through its exposed name tells the version, and most
applications do a little of their work. In the end all are uninstalled, and nothing of them is left.
"""

import json
import os
import re
import time

from support import own_interpreter, require, require_equal
from tool_uses import USES, Runner

# What tells an application's version.
CLASSICS = {
    "black": ["black", "--version"],
    "ruff": ["ruff", "--version"],
    "poetry": ["poetry", "--version"],
    "tox": ["tox", "--version"],
    "nox": ["nox", "--version"],
    "pre-commit": ["pre-commit", "--version"],
    "httpie": ["http", "--version"],
    "ansible-core": ["ansible", "--version"],
    "jupyterlab": ["jupyter-lab", "--version"],
    "awscli": ["aws", "--version"],
    "yt-dlp": ["yt-dlp", "--version"],
    "cookiecutter": ["cookiecutter", "--version"],
    "pylint": ["pylint", "--version"],
    "mypy": ["mypy", "--version"],
    "vulture": ["vulture", "--version"],
    "tuna": ["tuna", "--version"],
    "conan": ["conan", "--version"],
    "pipdeptree": ["pipdeptree", "--version"],
    "ipython": ["ipython", "--version"],
    "twine": ["twine", "--version"],
}

# Small, and between them they have commands, scripts that are files, manual pages and completions.
FEW = ["black", "ruff", "httpie", "yt-dlp", "cookiecutter", "vulture"]

SET = (
    "import importlib.metadata as m, json, re; print(json.dumps({re.sub('[-_.]+', '-', d.metadata['Name']).lower():"
    " d.version for d in m.distributions()}))"
)


class Pipx:
    """A pipx whose folders are all in the place of the check."""

    def __init__(self, place, python):
        self.place, self.python = place, python
        self.home, self.bin, self.share = place.path("pipx"), place.path("pipx-bin"), place.path("pipx-share")
        self.environment = dict(place.environment)
        for name in [name for name in self.environment if name.startswith("PIPX_")]:
            del self.environment[name]
        self.environment.update(
            PIPX_HOME=str(self.home),
            PIPX_BIN_DIR=str(self.bin),
            PIPX_MAN_DIR=str(self.share / "man"),
            PIPX_COMPLETION_DIR=str(self.share),
            PIPX_DEFAULT_BACKEND="pip",
        )
        place.run([python, "-m", "venv", place.path("pipx-venv")])
        self.program = place.path("pipx-venv") / "bin/pipx"
        place.run([place.path("pipx-venv") / "bin/python", "-m", "pip", "install", "--quiet", "pipx"])

    def __call__(self, *arguments):
        """Runs pipx."""
        return self.place.run([self.program] + list(arguments), environment=self.environment)

    def install(self, name):
        """Installs an application. Returns names and versions of all that its venv has."""
        self("install", "--python", self.python, name)
        return distributions(self.place, self.home / "venvs" / name)


def distributions(place, venv):
    """What a venv has, but for installers: pipx's venvs see those that it shares among them."""
    found = json.loads(place.run([venv / "bin/python", "-I", "-B", "-c", SET])[0])
    return {name: version for name, version in found.items() if name not in ("pip", "setuptools", "wheel")}


def exposed(commands, share):
    """All names that are shown to shells and to man."""
    found = {"bin/" + name for name in listed(commands)}
    for folder, _, files in os.walk(str(share)):
        found.update(os.path.join("share", os.path.relpath(os.path.join(folder, name), str(share))) for name in files)
    return sorted(found)


def listed(folder):
    """The names in a folder, which need not exist."""
    return sorted(os.listdir(str(folder))) if folder.exists() else []


def plain(version):
    """A version without the zeros that calendars put into it."""
    return re.sub(r"\b0+(?=\d)", "", version)


def compare(place, pipx, name):
    """Installs an application with both. Returns its version and how alike the two are."""
    home = place.path("s")
    theirs = pipx.install(name)
    start = time.monotonic()
    report = json.loads(place.virtpy("install", "-p", pipx.python, "--json", name)[0])[0]
    seconds = time.monotonic() - start
    ours = distributions(place, home / "tools" / name / "current")
    require_equal(ours[name], theirs[name], "the version of " + name)
    require_equal(report["version"], theirs[name], "the version of %s that is told" % name)
    require_equal(exposed(home / "bin", home / "share"), exposed(pipx.bin, pipx.share), "what is exposed with " + name)
    require_equal(sorted(ours), sorted(theirs), "the packages of " + name)
    same = sum(ours[package] == theirs[package] for package in ours)
    pages = sum(name.startswith("share/") for name in exposed(home / "bin", home / "share"))
    return report, "%d pages so far; %d of %d packages in pipx's versions; %.1f s" % (pages, same, len(ours), seconds)


def uninstalled(place):
    """Uninstalls everything and looks for what is left."""
    home = place.path("s")
    place.virtpy("uninstall", "--all")
    left = exposed(home / "bin", home / "share") + listed(home / "tools") + listed(home / "roots")
    require_equal(left, [], "what is left when all is uninstalled")
    place.virtpy("store", "verify")
    place.virtpy("store", "gc", "--remove", "--grace", "0s")
    require_equal(listed(home / "w"), [], "what the store keeps for nobody")


def compare_all(place, names):
    """The check of some applications."""
    home = place.path("home")
    home.mkdir()
    pipx = Pipx(place, own_interpreter())
    run = Runner(place, place.path("s") / "bin", home)
    for name in names:
        report, what = compare(place, pipx, name)
        said = run(*CLASSICS[name])
        require(plain(report["version"]) in plain(said), "%s does not tell its version:\n%s" % (name, said))
        if name in USES:
            USES[name](run)
        yield "%s %s exposes what pipx does (%s): %s; %s" % (
            name, report["version"], len(report["commands"]), "used" if name in USES else "run", what)
    place.virtpy("store", "verify")
    uninstalled(place)
    yield "nothing is left of %d applications" % len(names)


def check(place):
    """A few small ones."""
    yield from compare_all(place, FEW)


def check_all(place):
    """All of the classics."""
    yield from compare_all(place, list(CLASSICS))
