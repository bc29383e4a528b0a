"""Kills commands that keep a project, its lock and its venv together, at random times: each of the three is as before or as after, and
the next command sets right what disagrees."""

import random
import time

from support import CheckFailed, Place, differences, require, snapshot
from wheels import make_wheels

PROJECT = """[project]
name = "demo"
version = "1"
requires-python = ">=3.8"
dependencies = ["hd-share-one==1.0"]

[dependency-groups]
dev = ["hd-plain==1.0"]
"""

MORE = PROJECT.replace('"hd-share-one==1.0"', '"hd-share-one==1.0", "hd-cover-one==1.0"')


class Scene:
    """A command, the project's file with which it begins, and whether that has changed since it was locked."""

    def __init__(self, command, text=PROJECT, is_edited=False):
        self.command, self.text, self.is_edited = command, text, is_edited


SCENES = {
    "add --save": Scene(["add", "--save", "hd-cover-one"]),
    "add --dev": Scene(["add", "--dev", "--exact", "hd-cover-one"]),
    "remove --save": Scene(["remove", "--save", "hd-cover-one"], MORE),
    "lock": Scene(["lock"], is_edited=True),
    "sync": Scene(["sync", "--group", "dev", "--frozen"], is_edited=True),
    "run": Scene(["run", "python", "-c", ""], is_edited=True),
}


class Subject:
    """A scene with what it looks like before and after."""

    def __init__(self, place, name):
        self.place, self.name, self.scene = place, name, SCENES[name]
        self.file, self.lock = place.project / "pyproject.toml", place.project / "pylock.toml"
        place.begin()
        self.file.write_text(self.scene.text)
        self.virtpy("run", "python", "-c", "")
        if self.scene.is_edited:
            self.file.write_text(MORE)
        place.keep(name)
        self.before = self.found()
        start = time.monotonic()
        self.virtpy(*self.scene.command)
        self.duration = time.monotonic() - start
        self.after = self.found()

    def virtpy(self, *arguments):
        """Runs virtpy in the project."""
        return self.place.virtpy(*arguments, folder=self.place.project)

    def found(self):
        """What is there now: the file, the lock and the venv."""
        venv = snapshot(self.place.venv)
        # It has the times of the project's file, which is written again each time.
        venv.pop(".virtpy/state.json")
        return {"pyproject.toml": self.file.read_text(), "pylock.toml": self.lock.read_text(), ".venv": venv}

    def strike(self, delay):
        """Kills the command once and looks at what is left. Returns whether it was killed."""
        self.place.restore(self.name)
        command = [self.place.program] + self.scene.command
        process = self.place.start(command, folder=self.place.project)
        time.sleep(delay)
        process.kill()
        process.communicate()
        # What a killed change of the venv left is rolled back by the next command that looks at it.
        self.virtpy("check", "--venv", ".venv")
        found = self.found()
        for part, what in found.items():
            if what not in (self.before[part], self.after[part]):
                lines = what if isinstance(what, str) else differences(what, self.after[part])
                raise CheckFailed("`%s` is neither as before nor as after:\n%s" % (part, lines))
        # It can be given again, where it has not happened, and `run` brings the three together.
        if found["pyproject.toml"] == self.before["pyproject.toml"]:
            self.virtpy(*self.scene.command)
            for part, what in self.found().items():
                lines = what if isinstance(what, str) else differences(what, self.after[part])
                require(what == self.after[part], "`%s` is not as it should be in the end:\n%s" % (part, lines))
        self.virtpy("run", "python", "-c", "import hd_plain, hd_share.one")
        # A half written file goes with the next one that is written.
        names = sorted(path.name for path in self.place.project.iterdir())
        require(names == [".venv", "pylock.toml", "pyproject.toml"], "left behind: %s" % names)
        self.virtpy("lock", "--check")
        self.virtpy("check", "--venv", ".venv")
        self.place.virtpy("store", "verify")
        return process.returncode != 0


def check(arguments):
    """Kills each command as often as its share is. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    try:
        make_wheels(place.wheels)
        place.environment.update({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(place.wheels)})
        generator = random.Random(arguments.seed)
        each = max(5, arguments.kills // 10 // len(SCENES))
        for name in SCENES:
            subject = Subject(place, name)
            kills = sum(subject.strike(subject.duration * generator.uniform(0.0, 1.1)) for _ in range(each))
            yield "%s: %d of %d times killed, all three as before or as after" % (name, kills, each)
    finally:
        place.end()
        if not arguments.keep:
            place.remove()
