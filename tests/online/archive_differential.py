"""Thousands of wheels that are wrong in one place: virtpy refuses them, or installs what `installer` does.

That is the library by which Poetry and others install wheels; it reads them with the standard zipfile module.
What zipfile refuses is never accepted, and nothing is installed in another place or with another content. Where
virtpy and `installer` differ, pip decides: real pip installs those wheels too, and virtpy's tree has to be pip's.
(`installer` refuses what RECORD does not list; virtpy and pip install it.)
"""

import collections
import hashlib
import json
import os
import random
import subprocess

import archive_mutations
from support import CheckFailed, own_interpreter, require

COUNT, SMALL_COUNT = 2400, 300
SEED = 20261121

# Run where `installer` is importable: installs every wheel below a folder and prints the trees.
REFERENCE = r"""
import io, json, os, sys, hashlib, shutil, warnings, zipfile, zlib
from pathlib import Path
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
warnings.simplefilter("ignore")
root, name = Path(sys.argv[1]), sys.argv[2]

def tree(folder):
    found = {}
    for above, _, files in os.walk(str(folder)):
        for file in files:
            path = os.path.join(above, file)
            content = Path(path).read_bytes()
            executable = bool(os.stat(path).st_mode & 0o100)
            found[os.path.relpath(path, str(folder))] = [content.decode("latin-1"), executable]
    return found

def readable(path):
    with zipfile.ZipFile(str(path)) as archive:
        for member in archive.infolist():
            if archive.read(member) is None:
                raise AssertionError
        return archive.testzip() is None

results = {}
for folder in sorted(path for path in root.iterdir() if path.is_dir()):
    wheel, target = folder / name, folder / "installed"
    try:
        if not readable(wheel):
            raise zipfile.BadZipFile("testzip")
    except Exception as error:
        results[folder.name] = {"zipfile": repr(error)}
        continue
    schemes = {"purelib": "lib", "platlib": "lib", "scripts": "bin", "headers": "include/demo", "data": "."}
    schemes = {scheme: str(target / path) for scheme, path in schemes.items()}
    try:
        destination = SchemeDictionaryDestination(schemes, "/venv/bin/python", "posix")
        with WheelFile.open(wheel) as source:
            install(source, destination, {})
        results[folder.name] = {"tree": tree(target)}
    except Exception as error:
        results[folder.name] = {"installer": "%s: %s" % (type(error).__name__, error)}
    shutil.rmtree(str(target), ignore_errors=True)
print(json.dumps(results))
"""

# What each installer writes on its own.
OWN = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")

# Signatures of the wheel's own RECORD, which no row of it may vouch for and which say nothing about the RECORD of what
# is installed. virtpy leaves them out; installer and pip copy them.
SIGNATURES = ("RECORD.jws", "RECORD.p7s")


def comparable(tree):
    """The hashes of a tree's files, without what each installer writes in its own way."""
    facts = {}
    for path, (content, _) in tree.items():
        folder, _, name = path.rpartition("/")
        if folder.endswith(".dist-info") and name in OWN + SIGNATURES or "__pycache__" in path.split("/"):
            continue
        if path.startswith("bin/"):
            # The interpreter's line, and for entry points the whole text, are the installer's.
            lines = content.split("\n", 1)
            content = None if "import sys" in content else lines[-1]
        if path.startswith("include/"):
            # The folder has the distribution's name as METADATA, the file's name or the request spells it.
            path = path.replace("include/Demo/", "include/demo/", 1)
        digest = content and hashlib.sha256(content.encode("latin-1")).hexdigest()
        facts[path] = digest
    return facts


def venv_tree(venv, library, skeleton):
    """What was added to a venv, in the places where the reference puts it."""
    found = {}
    for above, folders, files in os.walk(str(venv), followlinks=True):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".virtpy", "lib64")]
        for name in files:
            path = os.path.join(above, name)
            relative = os.path.relpath(path, str(venv))
            if relative in skeleton or name == ".virtpy":
                continue
            python = os.path.basename(os.path.dirname(library))
            # The second place for headers is where pip puts them below a prefix.
            for real, place in (
                (library, "lib"),
                (os.path.join("include", "site", python), "include"),
                (os.path.join("include", python), "include"),
            ):
                if relative.startswith(real + os.sep):
                    relative = os.path.join(place, os.path.relpath(relative, real))
            with open(path, "rb") as file:
                found[relative] = [file.read().decode("latin-1"), bool(os.stat(path).st_mode & 0o100)]
    return found


def write_wheels(root, count):
    """Writes each wheel into a folder of its own, and returns what was done to each."""
    kinds = {}
    for number, (kind, content) in enumerate(archive_mutations.wheels(random.Random(SEED), count)):
        folder = root / ("%05d" % number)
        folder.mkdir(parents=True)
        (folder / archive_mutations.NAME).write_bytes(content)
        kinds[folder.name] = kind
    return kinds


def reference(place, root):
    """What zipfile and `installer` make of the wheels."""
    place.run([own_interpreter(), "-m", "venv", place.path("reference")])
    python = place.path("reference") / "bin" / "python"
    place.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "installer"])
    output, _ = place.run([python, "-c", REFERENCE, root, archive_mutations.NAME])
    return json.loads(output)


class Venv:
    """The venv that every wheel is added to and removed from."""

    def __init__(self, place):
        self.place, self.root = place, place.path("venv")
        place.new("venv", own_interpreter())
        self.library = os.path.relpath(str(next(self.root.glob("lib/python*/site-packages"))), str(self.root))
        self.skeleton = self.files()

    def files(self):
        """The paths of all files and links, bytecode apart."""
        found = set()
        for above, folders, files in os.walk(str(self.root)):
            folders[:] = [name for name in folders if name not in ("__pycache__", ".virtpy")]
            links = [name for name in folders if os.path.islink(os.path.join(above, name))]
            found.update(os.path.relpath(os.path.join(above, name), str(self.root)) for name in files + links)
        return found

    def virtpy(self, *arguments):
        """Runs virtpy and returns its exit code and messages."""
        command = (
            [self.place.program] + [str(argument) for argument in arguments] + ["--venv", str(self.root)]
        )
        done = subprocess.run(
            command,
            env=self.place.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        return done.returncode, done.stderr.decode("utf-8", "replace")

    def tree_of(self, wheel):
        """What virtpy installs for a wheel, or None where it refuses it, leaving nothing behind."""
        code, messages = self.virtpy("add", "--no-deps", "--no-index", wheel)
        if code == 0:
            tree = venv_tree(self.root, self.library, self.skeleton)
            code, messages = self.virtpy("remove", "demo")
            require(code == 0, "%s cannot be removed:\n%s" % (wheel, messages))
        else:
            # The line before it says which venv is meant.
            told = "\n" + messages
            require(code == 1 and told.count("\nerror:") == 1, "%s: exit code %d\n%s" % (wheel, code, messages))
            tree = None
        changed = sorted(self.files() ^ self.skeleton)
        require(not changed, "%s left traces: %s\n%s" % (wheel, changed, messages))
        return tree


class Pip:
    """Real pip, which decides where virtpy and `installer` differ."""

    def __init__(self, place, library):
        self.place, self.library = place, library
        self.python = place.path("reference") / "bin" / "python"

    def tree_of(self, wheel):
        """What pip installs for a wheel, or None where it refuses it."""
        target = wheel.parent / "by-pip"
        command = [str(self.python), "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile"]
        command += ["--disable-pip-version-check", "--ignore-installed", "--prefix", str(target), str(wheel)]
        silent = subprocess.DEVNULL
        environment = self.place.environment
        done = subprocess.run(command, env=environment, stdin=silent, stdout=silent, stderr=silent)
        return venv_tree(target, self.library, ()) if done.returncode == 0 else None


def judge(expected, found, ask_pip):
    """What came out for one wheel: a word for the statistics, and an error or None."""
    if found is None:
        return ("both refuse" if "tree" not in expected else "virtpy alone refuses"), None
    if "zipfile" in expected:
        return "wrong", "accepted, but zipfile refuses it: " + expected["zipfile"]
    modes = {path: executable for path, (_, executable) in found.items() if path.startswith("bin/")}
    if not all(modes.values()):
        return "wrong", "scripts that cannot be run: %r" % modes
    right = comparable(found)
    if "tree" in expected and comparable(expected["tree"]) == right:
        return "same tree", None
    tree = ask_pip()
    if tree is not None and comparable(tree) == right:
        return "as pip does", None
    problem = "accepted, but installer refuses it: %s" % expected.get("installer")
    if "tree" in expected:
        problem = "another tree than installer's:" + show_differences(comparable(expected["tree"]), right)
    if tree is None:
        return "wrong", problem + "\n    pip refuses it"
    return "wrong", problem + "\n    another one than pip's:" + show_differences(comparable(tree), right)


def show_differences(left, right):
    """The first lines of how two trees differ."""
    paths = sorted(path for path in set(left) | set(right) if left.get(path) != right.get(path))
    return "".join(
        "\n    %r: theirs %r, virtpy %r" % (path, left.get(path), right.get(path)) for path in paths[:5]
    )


def check(place):
    """Compares what happens to a few hundred wheels."""
    return compare(place, SMALL_COUNT)


def check_all(place):
    """Compares what happens to all of them."""
    return compare(place, COUNT)


def compare(place, count):
    """Compares what happens to each wheel."""
    root = place.path("wheels")
    kinds = write_wheels(root, count)
    expected = reference(place, root)
    yield "%d wheels made, and read by zipfile and installer" % len(kinds)
    venv, outside = Venv(place), sorted(os.listdir(str(place.root)))
    pip = Pip(place, venv.library)
    counts, problems = collections.Counter(), []
    for number, kind in kinds.items():
        wheel = root / number / archive_mutations.NAME
        word, problem = judge(expected[number], venv.tree_of(wheel), lambda: pip.tree_of(wheel))
        counts[word] += 1
        if kind == "sound" and word != "same tree":
            problem = problem or word
        if problem:
            problems.append("%s (%s): %s" % (number, kind, problem))
    new = set(os.listdir(str(place.root))) - set(outside) - {"s"}
    require(not new, "something was written beside the venv: %s" % sorted(new))
    if problems:
        raise CheckFailed("%d wheels:\n  %s" % (len(problems), "\n  ".join(problems[:30])))
    for word in ("same tree", "both refuse", "virtpy alone refuses"):
        require(counts[word] >= count // 20, "the mutations are no good test: %r" % dict(counts))
    yield ", ".join("%s: %d" % pair for pair in sorted(counts.items()))
