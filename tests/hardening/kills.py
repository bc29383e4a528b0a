"""Kills commands at every system call by which they change the disk, and at random times, and looks at what
is left: the venv is as before or as after, the store is sound, and the next command works."""

import collections
import random
import signal
import time

import tracing
from scenarios import SCENARIOS
from support import CheckFailed, Place, differences, require, snapshot

Kill = collections.namedtuple("Kill", "scenario point delay")


def without_marks(found):
    """A snapshot of a venv without what makes it virtpy's."""
    marks = ("pyvenv.cfg", ".virtpy", ".virtpy-unfinished")
    is_mark = lambda path: path in marks or path.endswith("_virtpy.pth")  # noqa: E731
    return {path: what for path, what in found.items() if not is_mark(path)}


class Subject:
    """A scenario with what it looks like before and after, and where it can be killed."""

    def __init__(self, place, name, calls):
        self.place, self.name, self.scenario = place, name, SCENARIOS[name]
        self.command = self.scenario.arguments(place)
        self.enter()
        place.begin()
        self.scenario.prepare(place)
        place.keep(name)
        self.before = snapshot(place.venv)
        self.beside = set(snapshot_names(place.project))
        start = time.monotonic()
        done = place.attempt(self.command)
        self.duration = time.monotonic() - start
        require(done.code == 0, str(done))
        self.after = snapshot(place.venv)
        self.beside |= set(snapshot_names(place.project))
        place.restore(name)
        self.points, self.calls = [], 0
        if calls:
            done, self.points, self.calls, _ = tracing.record(place, self.command, calls)
            require(done.code == 0, str(done))

    def enter(self):
        """Has the environment of this scenario."""
        self.place.environment["VIRTPY_PIP_SHIM"] = "1" if self.scenario.shim else "0"

    def kill(self, kill):
        """Runs the command until it is killed. Returns whether it was."""
        self.enter()
        self.place.restore(self.name)
        if kill.point is not None:
            done = self.place.attempt(tracing.inject(self.command, kill.point, "signal=SIGKILL"))
            code = done.code
            # Calls are counted in each process by itself: it may be an interpreter that was killed, and the command says so.
            has_lost_child = code == 1 and "(signal: 9 (SIGKILL))" in done.err
            require(has_lost_child or code in (0, -signal.SIGKILL), str(done))
        else:
            process = self.place.start(self.command)
            time.sleep(kill.delay)
            process.kill()
            process.communicate()
            code = process.returncode
        return code != 0

    def look(self):
        """Looks at what a killed command left behind. Returns `before` or `after`."""
        place = self.place
        repairs = self.name == "store-repair"
        if place.venv.exists() and not self.is_foreign():
            done = place.attempt([place.program, "check", "--venv", place.venv])
            # It may well find what is damaged in the store.
            require(done.code == 0 or repairs and "error:" not in done.err, str(done))
        found = snapshot(place.venv)
        state = {"before": found == self.before, "after": found == self.after}
        if repairs and not any(state.values()):
            # The venv's names of the store's files are mended one by one.
            states = (self.before, self.after)
            state["before"] = all(found.get(path) in [one.get(path) for one in states] for path in self.after)
        if self.name == "adopt" and not any(state.values()):
            # The venv may be virtpy's already, with all packages as before: the next adoption goes on.
            state["before"] = without_marks(found) == without_marks(self.before)
        if not any(state.values()):
            lines = (differences(found, self.before), differences(found, self.after))
            raise CheckFailed("neither as before:\n%s\nnor as after:\n%s" % lines)
        if not repairs:
            place.virtpy("store", "verify")
        which = "after" if state["after"] and not repairs else "before"
        if which == "before" or self.scenario.repeats:
            done = place.attempt(self.command)
            require(done.code == 0, "the same command again fails: %s" % done)
        else:
            place.virtpy("list", "--venv", place.venv)
        found = snapshot(place.venv)
        require(found == self.after, "not as it should be in the end:\n%s" % differences(found, self.after))
        place.virtpy("store", "verify")
        place.virtpy("check", "--venv", place.venv)
        return "after" if state["after"] else "before"

    def is_foreign(self):
        """Whether the venv is (still) another tool's."""
        return "virtpy-id" not in (self.place.venv / "pyvenv.cfg").read_text()

    def leftovers(self, collects):
        """What nobody needs and nobody has swept."""
        place = self.place
        if collects:
            place.virtpy("store", "gc", "--remove")
        found = ["p/" + name for name in snapshot_names(place.project) if name not in self.beside]
        for folder in (place.home / "tmp", place.home / "roots"):
            names = [path.name for path in folder.iterdir()] if folder.exists() else []
            found += ["s/%s/%s" % (folder.name, name) for name in names if name.startswith(".")]
        return found


def snapshot_names(folder):
    """The names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def plan(subjects, kills, generator):
    """Chooses what is killed where: every point if there is room for it, and at random times for the rest;
    with less room, points spread over the run."""
    chosen = []
    points = sum(len(subject.points) for subject in subjects)
    weights = sum(subject.scenario.weight for subject in subjects)
    for subject in subjects:
        share = max(3, kills * subject.scenario.weight // weights)
        at_calls = subject.points
        if points > kills * 4 // 5:
            count = max(2, min(len(at_calls), share * 3 // 4))
            offset = generator.random()
            step = len(at_calls) / count
            at_calls = [at_calls[int((index + offset) * step)] for index in range(count) if at_calls]
        chosen += [Kill(subject, point, None) for point in at_calls]
        at_random = max(1, share - len(at_calls))
        # Starting the program takes a while in which nothing is changed.
        times = [subject.duration * generator.uniform(0.1, 1.0) for _ in range(at_random)]
        chosen += [Kill(subject, None, delay) for delay in times]
    while len(chosen) < kills:
        subject = subjects[len(chosen) % len(subjects)]
        chosen.append(Kill(subject, None, subject.duration * generator.uniform(0.1, 1.0)))
    return chosen


class Tally:
    """What came of the kills of one scenario."""

    def __init__(self):
        self.kills, self.before, self.after, self.ended = 0, 0, 0, 0
        self.wrong, self.leftovers = [], collections.Counter()


def strike(kill, tally, collects):
    """Kills once and looks at what is left."""
    subject = kill.scenario
    place_of_kill = "at %s %d" % kill.point if kill.point else "after %.1f ms" % (kill.delay * 1000)
    try:
        if not subject.kill(kill):
            tally.ended += 1
        else:
            tally.kills += 1
        state = subject.look()
        tally.before += state == "before"
        tally.after += state == "after"
        kind = [name.split("/.")[0] for name in subject.leftovers(collects)]
        tally.leftovers.update(kind)
        if collects or any(name.startswith("p") for name in kind):
            require(not kind, "left behind: %s" % ", ".join(subject.leftovers(collects)))
    except CheckFailed as problem:
        tally.wrong.append("%s, killed %s: %s" % (subject.name, place_of_kill, problem))
        print("    WRONG: %s" % tally.wrong[-1], flush=True)


def report(tallies, subjects):
    """Prints the table and returns how much was wrong."""
    print("  %-14s %6s %7s %6s %6s %6s %6s %6s  %s"
          % ("scenario", "calls", "points", "kills", "before", "after", "ended", "wrong", "left behind"))
    rows = [(subject.name, subject.calls, len(subject.points), tallies[subject.name]) for subject in subjects]
    total = Tally()
    for name, calls, points, tally in rows:
        left = ", ".join("%s: %d" % item for item in sorted(tally.leftovers.items()))
        print_row(name, calls, points, tally, left)
        total.kills, total.before = total.kills + tally.kills, total.before + tally.before
        total.after, total.ended = total.after + tally.after, total.ended + tally.ended
        total.wrong += tally.wrong
    print_row("all", sum(row[1] for row in rows), sum(row[2] for row in rows), total, "")
    return total


def print_row(name, calls, points, tally, left):
    """Prints a line of the table."""
    numbers = (calls, points, tally.kills, tally.before, tally.after, tally.ended, len(tally.wrong))
    print("  %-14s %6d %7d %6d %6d %6d %6d %6d  %s" % ((name,) + numbers + (left,)), flush=True)


def check(arguments):
    """Kills as often as it is asked for. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    try:
        from wheels import make_wheels

        make_wheels(place.wheels)
        calls = tracing.known_calls(place) if tracing.available() else ""
        if not calls:
            yield "skipped: kills at system calls, for want of strace"
        subjects = []
        for name, scenario in SCENARIOS.items():
            if arguments.scenarios and name not in arguments.scenarios:
                continue
            if scenario.needs and not place.has_command(*scenario.needs):
                yield "skipped: %s, this virtpy has no `%s`" % (name, " ".join(scenario.needs))
                continue
            subjects.append(Subject(place, name, calls))
        collects = place.has_command("store", "gc")
        tallies = collections.defaultdict(Tally)
        start = time.monotonic()
        chosen = plan(subjects, arguments.kills, random.Random(arguments.seed))
        try:
            for number, kill in enumerate(chosen):
                strike(kill, tallies[kill.scenario.name], collects)
                if number % 100 == 99:
                    print("    %d of %d" % (number + 1, len(chosen)), flush=True)
        except KeyboardInterrupt:
            print("    interrupted", flush=True)
        total = report(tallies, subjects)
        require(not total.wrong, "%d of %d kills did harm" % (len(total.wrong), total.kills))
        yield "%d kills in %.0f s did no harm" % (total.kills, time.monotonic() - start)
    finally:
        if not arguments.keep:
            place.remove()
