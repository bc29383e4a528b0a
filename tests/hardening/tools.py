"""Applications installed, changed and removed: killed at each call that changes the disk, on disks that are full, and
several at once. The old version works or the new one, at every instant; the next command works, and nothing is left."""

import collections
import json
import os
import re
import subprocess
import sys

import tracing
from crowds import wait_for
from disks import SmallDisk, require_one_error
from support import CheckFailed, Place, require
from wheels import FILES, VERSIONS, write_wheel

NAME = "hd-alpha"

# Where the names of applications are, from the home folder.
OUTSIDE = ("bin", "share/man/man1")

INSTALL = "install hd-alpha==%s -p PYTHON --with hd-data-one --with-apps INDEX"

Case = collections.namedtuple("Case", "name before command")


def cases():
    """All commands that change applications; the scene of each is made by other commands."""
    old = [INSTALL % "1.0"]
    # All that a change needs is in the store already, or nothing is.
    warm = [INSTALL % "2.0", "uninstall hd-alpha"]
    beside = ["install hd-alpha -p PYTHON --no-index --find-links OLD", "inject hd-alpha hd-data-one --with-apps INDEX"]
    return [
        Case("install", [], INSTALL % "2.0"),
        Case("install-warm", warm, INSTALL % "2.0"),
        Case("replace", warm + old, (INSTALL % "2.0") + " --force"),
        Case("upgrade", beside, "upgrade hd-alpha --find-links NEW"),
        Case("inject", old, "inject hd-alpha hd-share-one --with-apps INDEX"),
        Case("uninject", old, "uninject hd-alpha hd-data-one"),
        Case("uninstall", old, "uninstall hd-alpha"),
    ]


class Scene:
    """The folders of one check, and the states that it knows."""

    def __init__(self, place):
        self.place = place
        self.old, self.new = place.root / "old", place.root / "new"
        for folder, versions in ((self.old, VERSIONS[:1]), (self.new, VERSIONS)):
            folder.mkdir()
            for version in versions:
                for name, files in FILES.items():
                    write_wheel(folder, name, version, files)

    def arguments(self, command):
        """The whole command line."""
        known = {
            "PYTHON": [sys.executable],
            "INDEX": ["--no-index", "--find-links", self.new],
            "OLD": [self.old],
            "NEW": [self.new],
        }
        words = [self.place.program]
        for word in command.split():
            words += known.get(word, [word])
        return words

    def virtpy(self, command):
        """Runs a command that must succeed."""
        done = self.place.attempt(self.arguments(command))
        require(done.code == 0, str(done))
        return done

    def prepare(self, case):
        """Makes or restores what has to be there before a command."""
        if (self.place.root / "scenes" / case.name).exists():
            self.place.restore(case.name)
            return
        self.place.begin()
        for command in case.before:
            self.virtpy(command)
        self.place.keep(case.name)

    def state(self):
        """What is installed as `tool list` says it, which must be what runs; `None` if nothing is."""
        rows = json.loads(self.virtpy("tool list --json").out)
        if not rows:
            return None
        require(len(rows) == 1 and "broken" not in rows[0], "listed as %s" % rows)
        row = rows[0]
        venv = self.place.home / "tools" / NAME / "current"
        self.virtpy("check --venv %s" % venv)
        done = self.place.attempt([self.place.home / "bin" / NAME])
        require(done.code == 0 and done.out.strip() == row["version"], "listed as %s, but %s" % (row["version"], done))
        return row["version"], sorted(row["with"]), sorted(row["commands"])

    def outside(self):
        """Every name of an application."""
        found = {}
        for folder in OUTSIDE:
            path = self.place.home / folder
            for name in sorted(os.listdir(str(path))) if path.exists() else ():
                found[folder + "/" + name] = os.readlink(str(path / name))
        return found

    def settled(self, expected):
        """After a command that went through: exactly its names, all of which lead somewhere, and no leftovers."""
        home, outside = self.place.home, self.outside()
        names = sorted(name[len("bin/"):] for name in outside if name.startswith("bin/"))
        require(names == (expected[2] if expected else []), "the commands are %s" % names)
        for name, target in outside.items():
            require(os.path.exists(target), "%s leads nowhere" % name)
        folder = home / "tools" / NAME
        left = sorted(os.listdir(str(folder))) if folder.exists() else []
        is_sound = len(left) == 2 and left[0].isdigit() and left[1] == "current" if expected else not left
        require(is_sound, "in the folder of the application: %s" % left)
        # A venv that was stopped before it had its id is known to the store until the next collection.
        self.virtpy("store gc --remove")
        roots = os.listdir(str(home / "roots"))
        require(len(roots) == bool(expected), "the store knows of %d venvs" % len(roots))
        left = os.listdir(str(home / "tmp"))
        require(not left, "left in tmp: %s" % left)
        self.virtpy("store verify")


class Subject:
    """A case with its states before and after."""

    def __init__(self, scene, case):
        self.scene, self.case = scene, case
        self.command = scene.arguments(case.command)
        scene.prepare(case)
        self.before = scene.state()
        scene.virtpy(case.command)
        self.after = scene.state()
        require(self.before != self.after, "%s changes nothing" % case.name)
        scene.settled(self.after)

    def judge(self, done, what):
        """What a stopped or failed command left, and whether the next one works."""
        scene, case = self.scene, self.case
        try:
            found = scene.state()
            require(found in (self.before, self.after), "there is %s" % (found,))
            require(done.code != 0 or found == self.after, "it said that it succeeded, but there is %s" % (found,))
            again = scene.place.attempt(self.command)
            # What is gone, injected or taken out already cannot be once more.
            may_fail = found == self.after and case.name in ("uninstall", "uninject")
            require(again.code == 0 or may_fail, "the same command again: %s" % again)
            found = scene.state()
            require(found == self.after, "in the end there is %s" % (found,))
            if may_fail:  # Whatever changes the application next sweeps what is left.
                scene.virtpy(INSTALL % "2.0" + " --force")
                scene.virtpy("uninstall hd-alpha")
                scene.settled(None)
            else:
                scene.settled(self.after)
        except CheckFailed as problem:
            raise CheckFailed("%s, %s: %s\nit had said: %s" % (case.name, what, problem, done))


def kills(scene, quick):
    """Each command killed at each call by which it changes something."""
    place, count = scene.place, 0
    calls = tracing.known_calls(place)
    for case in cases():
        subject = Subject(scene, case)
        scene.prepare(case)
        done, points, _, _ = tracing.record(place, subject.command, calls)
        require(done.code == 0, str(done))
        step = max(1, len(points) // 5) if quick else 1
        for point in points[::step]:
            scene.prepare(case)
            done = place.attempt(tracing.inject(subject.command, point, "signal=SIGKILL"))
            subject.judge(done, "killed at %s %d" % point)
            count += 1
    return "%d kills of %d commands left the old or the new" % (count, len(cases()))


def full_disk(scene, quick):
    """The disk is full sooner or later."""
    place = scene.place
    disk, usual = SmallDisk(place.root / "disk"), place.home
    failed, passed = 0, 0
    try:
        place.move(disk.path / "s")
        remove_scenes(place)
        for case in cases():
            subject = Subject(scene, case)
            for free in (0, 2, 9, 30) if quick else list(range(40)) + list(range(40, 120, 4)):
                scene.prepare(case)
                disk.fill(free)
                done = place.attempt(subject.command)
                if done.code != 0:
                    require_one_error(done)
                    found = scene.state()
                    require(found == subject.before, "%s, with the disk still full: %s" % (case.name, found))
                disk.free()
                failed, passed = failed + (done.code != 0), passed + (done.code == 0)
                subject.judge(done, "%d free pages" % free)
        place.clear()
    finally:
        place.move(usual)
        disk.unmount()
        disk.path.rmdir()
    require(failed and passed, "the disk was full %d times and not %d times" % (failed, passed))
    return "full disk: %d commands failed clearly, %d went through" % (failed, passed)


def remove_scenes(place):
    """Forgets the scenes: links in them lead to where the store was."""
    subprocess.run(["rm", "-rf", str(place.root / "scenes")], check=True)


def at_once(scene, count):
    """Processes that change one application take turns."""
    place = scene.place
    place.begin()
    scene.virtpy(INSTALL % "1.0")
    commands = [INSTALL % "2.0" + " --force", INSTALL % "1.0" + " --force", "reinstall hd-alpha",
                "inject hd-alpha hd-share-one --with-apps INDEX"]
    processes = [place.start(scene.arguments(commands[number % len(commands)])) for number in range(count)]
    runs = 0
    while any(process.poll() is None for process in processes):
        done = place.attempt([place.home / "bin" / NAME])
        require(done.code == 0, "does not run while it is changed: %s" % done)
        runs += 1
    for done in wait_for(processes):
        require(done.code == 0, str(done))
    # What was running when it was replaced goes with the next change.
    scene.virtpy("reinstall hd-alpha")
    scene.settled(scene.state())
    # One removes it, the others find nothing or have it back: each says clearly which.
    processes = [place.start(scene.arguments(command)) for command in [INSTALL % "1.0", "uninstall hd-alpha"] * 3]
    for done in wait_for(processes):
        is_clear = re.search(r"error: .* is not installed", done.err) is not None
        require(done.code == 0 or is_clear, str(done))
    scene.settled(scene.state())
    return "%d changes of one application at once; it ran %d times meanwhile" % (count, runs)


def check(arguments):
    """Kills, full disks and crowds, as far as this machine can."""
    place = Place(arguments.virtpy, arguments.folder)
    try:
        scene = Scene(place)
        if tracing.available():
            yield kills(scene, arguments.quick)
        else:
            yield "skipped: no strace"
        is_root = sys.platform == "linux" and os.geteuid() == 0
        if is_root and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0:
            yield full_disk(scene, arguments.quick)
        else:
            yield "skipped: only root can mount a small disk"
        remove_scenes(place)
        yield at_once(scene, 8 if arguments.quick else 24)
    finally:
        if not arguments.keep:
            place.remove()
