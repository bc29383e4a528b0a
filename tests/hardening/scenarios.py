"""The changes that are killed, or for which the disk fails: for each a scene, and the command that
changes it.

To add one, write a function that prepares the scene, and an entry in SCENARIOS.
"""

import hashlib
import json
import os
import subprocess
import sys

from support import require
from wheels import FILES


class Scenario:
    """A scene and the command that changes it."""

    def __init__(self, prepare, command, needs=(), repeats=True, weight=1, shim=False):
        """`command` has the arguments of virtpy, in which VENV, PYTHON and INDEX are replaced.

        `needs` is the command that the program must have, `repeats` whether the command succeeds when it is
        given once more after it succeeded, `weight` how many more kills than others it gets, `shim` whether venvs
        have a pip.
        """
        self.prepare, self.command = prepare, command
        self.needs, self.repeats, self.weight, self.shim = needs, repeats, weight, shim

    def arguments(self, place):
        """The whole command line."""
        words = [place.program]
        for word in self.command.split():
            known = {
                "VENV": [place.venv],
                "PYTHON": [sys.executable],
                "INDEX": place.index,
                "LOCKED": [place.root / "locked"],
                "PYLOCK": [place.root / "locked" / "pylock.toml"],
            }
            words += known.get(word, [word])
        return [str(word) for word in words]


def empty(place):
    """A store that knows the interpreter, and a project without a venv."""
    place.new(place.project / "other")
    place.virtpy("list", "--venv", place.project / "other")


def without_pip(place):
    """The same; no venv has had a pip yet, so the store has none."""
    place.new(place.project / "other", "--no-pip-shim")
    place.virtpy("list", "--venv", place.project / "other")


def fresh(place):
    """A venv with one package; the store has no other."""
    place.new()
    place.add("hd-share-one==1.0", "hd-cover-one==1.0")


def warm(place):
    """A venv with two packages; another venv has everything."""
    fill(place)
    place.new()
    place.add("hd-share-one==1.0", "hd-cover-one==1.0")


def warm_copy(place):
    """The same with a venv that holds copies."""
    fill(place)
    place.new(None, "--link-mode", "copy")
    place.add("hd-share-one==1.0", "hd-cover-one==1.0")


def warm_hardlink(place):
    """The same with a venv of hardlinks."""
    fill(place)
    place.new(None, "--link-mode", "hardlink")
    place.add("hd-share-one==1.0", "hd-cover-one==1.0")


def fill(place):
    """Brings all wheels of both versions into the store by way of two other venvs."""
    for version in ("1.0", "2.0"):
        other = place.root / ("other-" + version)
        place.new(other)
        place.add(*["%s==%s" % (name, version) for name in FILES], venv=other)
        # The store alone is of interest: as far as it knows, the venv is on a disk that is not there.
        subprocess.run(["rm", "-rf", str(other)], check=True)


def full(place):
    """A venv with everything in the first version."""
    fill(place)
    place.new()
    place.add(*["%s==1.0" % name for name in FILES])


def cold_upgrade(place):
    """A venv with the first versions; the store has no other."""
    place.new()
    place.add("hd-alpha==1.0", "hd-share-one==1.0", "hd-share-two==1.0", "hd-data-one==1.0")


def detached(place):
    """A venv with a detached package."""
    full(place)
    place.virtpy("detach", "--venv", place.venv, "hd-alpha", "hd-share-two")


def damaged(place):
    """A venv whose entries in the store are damaged: a file changed, one gone, one too many, one writable."""
    place.new()
    place.add("hd-alpha==1.0", "hd-share-one==1.0", "hd-share-two==1.0", "hd-data-one==1.0")
    entries = sorted((place.home / "w").iterdir())
    victims = {
        "hd_alpha/__init__.py": change_file,
        "hd_share/two_1_0.py": change_file,
        "hd_share/one_1_0.py": lose_file,
        "hd_data_one.py": add_file,
    }
    for path, damage in victims.items():
        found = [entry / "site" / path for entry in entries if (entry / "site" / path).exists()]
        require(len(found) == 1, "the scene is not as expected: %s is in %d entries" % (path, len(found)))
        folder = found[0].parent
        folder.chmod(0o755)
        damage(found[0])
        folder.chmod(0o555)


def change_file(path):
    """Overwrites a file in place, as an installer that root runs does: all its names have the new content."""
    mode = path.stat().st_mode & 0o777
    path.chmod(0o644)
    with open(str(path), "r+b") as file:
        file.write(b"# damaged")
    path.chmod(mode)


def lose_file(path):
    """Removes a file."""
    path.unlink()


def add_file(path):
    """Adds a file beside one, and lets the first be writable."""
    (path.parent / "stray.py").write_text("stray = 1\n")
    path.chmod(0o644)


def unused(place):
    """A venv, and entries that no venv uses, older than any grace period; a temporary folder of the dead."""
    full(place)
    folder = place.home / "tmp" / ".tmpAbandoned" / "site"
    folder.mkdir(parents=True)
    (folder / "half.py").write_text("half\n")
    for path in [folder / "half.py", folder, folder.parent] + list((place.home / "w").iterdir()):
        os.utime(str(path), (1500000000, 1500000000))


def foreign(place):
    """A venv that another tool made, with files of two of the wheels."""
    fill(place)
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(place.venv)], check=True, stdin=subprocess.DEVNULL
    )
    site = next((place.venv / "lib").glob("python*")) / "site-packages"
    for name in ("hd_plain", "hd_space_one", "hd_cover_one"):
        wheel = place.wheels / (name + "-1.0-py3-none-any.whl")
        subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(site)], check=True)
        (site / (name + "-1.0.dist-info") / "INSTALLER").write_text("pip\n")


def locked(place):
    """A venv with two packages, and a project that has others locked."""
    fresh(place)
    folder = place.root / "locked"
    folder.mkdir(exist_ok=True)
    names = ["hd-alpha", "hd-cover-one", "hd-cover-two", "hd-data-one", "hd-share-one", "hd-share-two"]
    version = "2.0"
    relevant = {"project": {"dependencies": names}, "tool": {"poetry": {}}}
    digest = hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()
    rows = []
    for name in names:
        wheel = place.wheels / ("%s-%s-py3-none-any.whl" % (name.replace("-", "_"), version))
        file = '{file = "%s", hash = "sha256:%s"}' % (wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest())
        row = '[[package]]\nname = "%s"\nversion = "%s"\noptional = false\ngroups = ["main"]\nfiles = [%s]\n'
        rows.append(row % (name, version, file))
    rows.append('[metadata]\nlock-version = "2.1"\ncontent-hash = "%s"\n' % digest)
    (folder / "poetry.lock").write_text("".join(rows))
    text = "[project]\nname = \"locked\"\nversion = \"1.0\"\ndependencies = %s\n[tool.poetry]\npackage-mode = false\n"
    (folder / "pyproject.toml").write_text(text % json.dumps(names))


def locked_exactly(place):
    """The same, and a `pylock.toml` that has others and leaves one of the venv's out."""
    locked(place)
    rows = ['lock-version = "1.0"\ncreated-by = "hardening"\n']
    for name in ("hd-alpha", "hd-cover-two", "hd-data-one", "hd-share-one", "hd-share-two"):
        wheel = place.wheels / ("%s-2.0-py3-none-any.whl" % name.replace("-", "_"))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        row = '[[packages]]\nname = "%s"\nversion = "2.0"\n[[packages.wheels]]\npath = "%s"\nhashes = {sha256 = "%s"}\n'
        rows.append(row % (name, wheel, digest))
    (place.root / "locked" / "pylock.toml").write_text("".join(rows))


def moved(place):
    """A venv whose store has moved: all its links lead nowhere."""
    full(place)
    for folder, folders, files in os.walk(str(place.venv)):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.path.islink(path) and "/s/w/" in os.readlink(path):
                target = os.readlink(path).replace("/s/w/", "/gone/w/")
                os.unlink(path)
                os.symlink(target, path)


SCENARIOS = {
    "new": Scenario(empty, "new VENV -p PYTHON", repeats=False),
    "new-pip": Scenario(without_pip, "new VENV -p PYTHON", repeats=False, shim=True),
    "pip-install": Scenario(
        fresh, "pip --venv VENV install hd-alpha==1.0 hd-share-two==1.0 hd-data-one==1.0 INDEX", shim=True
    ),
    "new-clear": Scenario(full, "new --clear VENV -p PYTHON"),
    "new-keep": Scenario(full, "new --keep VENV -p PYTHON INDEX"),
    "add-fresh": Scenario(
        fresh, "add --venv VENV hd-alpha==1.0 hd-share-two==1.0 hd-data-one==1.0 INDEX", weight=3
    ),
    "add-warm": Scenario(warm, "add --venv VENV hd-alpha==1.0 hd-plain==1.0 hd-data-one==1.0 INDEX"),
    "add-collide": Scenario(
        warm,
        "add --venv VENV hd-share-two==1.0 hd-cover-two==1.0 hd-space-one==1.0 hd-space-two==1.0 INDEX",
        weight=2,
    ),
    "add-copy": Scenario(warm_copy, "add --venv VENV hd-alpha==1.0 hd-share-two==1.0 INDEX"),
    "add-hardlink": Scenario(warm_hardlink, "add --venv VENV hd-alpha==1.0 hd-share-two==1.0 INDEX"),
    "upgrade-fresh": Scenario(cold_upgrade, "add --venv VENV -U hd-alpha hd-share-two INDEX", weight=2),
    "upgrade-warm": Scenario(
        full,
        "add --venv VENV hd-alpha==2.0 hd-share-one==2.0 hd-cover-two==2.0 hd-data-one==2.0 INDEX",
        weight=2,
    ),
    "remove": Scenario(
        full,
        "remove --venv VENV hd-alpha hd-share-two hd-cover-two hd-data-one hd-space-two",
        repeats=False,
        weight=2,
    ),
    "run": Scenario(
        fresh,
        "run --isolated -p PYTHON --with hd-alpha==1.0 INDEX python -c __import__('hd_alpha')",
        needs=("run",),
    ),
    "poetry-install": Scenario(
        locked, "poetry-install --project LOCKED --venv VENV INDEX", needs=("poetry-install",), weight=2
    ),
    "sync": Scenario(locked_exactly, "sync --venv VENV PYLOCK", needs=("sync",), weight=2),
    "detach": Scenario(full, "detach --venv VENV hd-alpha hd-share-two"),
    "attach": Scenario(detached, "detach --undo --venv VENV hd-alpha hd-share-two"),
    "store-repair": Scenario(damaged, "store repair INDEX", weight=2),
    "store-compile": Scenario(full, "store compile --wait", weight=2),
    "add-eager": Scenario(warm, "add --venv VENV --compile-bytecode hd-alpha==1.0 hd-data-one==1.0 INDEX"),
    "store-gc": Scenario(unused, "store gc --remove", needs=("store", "gc"), weight=2),
    "relink": Scenario(moved, "relink --venv VENV", needs=("relink",)),
    "adopt": Scenario(foreign, "adopt VENV", needs=("adopt",)),
}
