"""Disks that are full, read-only, failing or somebody else's, and too few file descriptors: one clear error,
nothing lost, and the next command works."""

import os
import re
import shutil
import subprocess
import sys

import tracing
from scenarios import SCENARIOS
from support import CheckFailed, NOBODY, Place, differences, ordinary_user, require, snapshot

# The scenarios on which faults are tried: between them they make, replace and remove everything there is.
SUBJECTS = ("new", "new-clear", "add-fresh", "add-collide", "upgrade-warm", "remove", "detach")
QUICK_SUBJECTS = ("add-fresh", "upgrade-warm")

# What each call may fail with. Where it is EINTR, most are simply repeated.
FAULTS = {
    "ENOSPC": "openat,write,pwrite64,copy_file_range,symlink,symlinkat,link,linkat,mkdir,mkdirat,rename,"
    "renameat,renameat2,ftruncate,fsync,syncfs",
    "EIO": "openat,write,pwrite64,copy_file_range,symlink,symlinkat,link,linkat,mkdir,mkdirat,rename,"
    "renameat,renameat2,unlink,unlinkat,rmdir,chmod,fchmod,fchmodat,ftruncate,fsync,syncfs,flock",
    "EINTR": "openat,write,pwrite64,copy_file_range,flock,syncfs,fsync,ftruncate",
}

def require_one_error(done, hint=True, writes=True):
    """A failed command says so once: what, why, and what to do. Unless it can, because that is what fails."""
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    require(done.code == 1, "not exit code 1: %s" % done)
    require("panicked" not in done.err, "a panic: %s" % done)
    if writes:
        require(len(lines) == 1, "not one error: %s" % done)
        # Of a setting the reason stands behind it, in the same line, and of an interpreter as Python says it.
        has_cause = "  cause: " in done.err or re.search(r"\(os error |OSError: \[Errno ", lines[0])
        require(has_cause, "no cause: %s" % done)
        require(not hint or "hint: " in done.err, "no hint: %s" % done)


class Subject:
    """A scenario, prepared, with what it looks like before and after."""

    def __init__(self, place, name):
        self.place, self.name, self.scenario = place, name, SCENARIOS[name]
        self.command = self.scenario.arguments(place)
        place.begin()
        self.scenario.prepare(place)
        place.keep(name)
        self.before = snapshot(place.venv)
        done = place.attempt(self.command)
        require(done.code == 0, str(done))
        self.after = snapshot(place.venv)
        place.restore(name)

    def judge(self, done, what, writes):
        """Looks at what a command with a fault in its way said and left. Returns whether it went through."""
        place, passed = self.place, done.code == 0
        try:
            if not passed:
                require_one_error(done, writes=writes)
            expected = self.after if passed else self.before
            found = snapshot(place.venv)
            # What the fault kept from being put back is, by whatever comes next.
            if found != expected and place.venv.exists():
                place.virtpy("check", "--venv", place.venv)
                found = snapshot(place.venv)
            require(found == expected, "not as %s:\n%s" % (
                "after" if passed else "before", differences(found, expected)))
            place.virtpy("store", "verify")
            if not passed:
                again = place.attempt(self.command)
                require(again.code == 0, "the same command again fails: %s" % again)
                found = snapshot(place.venv)
                lines = differences(found, self.after)
                require(found == self.after, "not as it should be in the end:\n%s" % lines)
            place.virtpy("check", "--venv", place.venv)
        except CheckFailed as problem:
            raise CheckFailed("%s, %s: %s\nit had said: %s" % (self.name, what, problem, done))
        return passed


class Count:
    """How many faults were tried, and what came of them."""

    def __init__(self):
        self.passed, self.failed, self.elsewhere, self.wrong = 0, 0, 0, []

    def note(self, subject, done, what, writes=True):
        """Judges one and notes it. `writes` is whether the command could write its error."""
        try:
            passed = subject.judge(done, what, writes)
            self.passed += passed
            self.failed += not passed
        except CheckFailed as problem:
            self.wrong.append(str(problem))
            print("    WRONG: %s" % problem, flush=True)

    def close(self, what):
        """Returns a sentence."""
        if self.wrong:
            return "FAILED: %s: %d were wrong" % (what, len(self.wrong))
        told = "%s: %d commands failed clearly, %d went through" % (what, self.failed, self.passed)
        return told + (", %d did not fail at the disk" % self.elsewhere if self.elsewhere else "")


def spread(items, count):
    """At most so many of the items, evenly spread."""
    if len(items) <= count:
        return items
    return [items[index * len(items) // count] for index in range(count)]


def failing_calls(place, names, per_subject):
    """Every call that writes fails in turn."""
    if not tracing.available():
        yield "skipped: calls that fail, for want of strace"
        return
    known = tracing.known_calls(place)
    counts = {error: Count() for error in FAULTS}
    for name in names:
        subject = Subject(place, name)
        _, points, _, others = tracing.record(place, subject.command, known)
        # A write that wakes a thread or tells the user something is no fault of a disk.
        points = [point for point in points if point.call != "write" or point not in others]
        for error, calls in FAULTS.items():
            concerned = [point for point in points if point.call in calls.split(",")]
            for point in spread(concerned, per_subject):
                what = "%s at %s %d" % ((error,) + point)
                done = fail_at(subject, point, error, counts[error])
                if done is not None:
                    counts[error].note(subject, done, what, writes=point.call != "write")
    for error, count in counts.items():
        yield count.close(error)


def fail_at(subject, point, error, count):
    """Runs the subject's command with a call of it failing. Returns what came of it; `None` where the failure struck
    something else than the disk each time, or the command did not end, which is noted."""
    place = subject.place
    log = place.root / "injected"
    for _ in range(3):
        place.restore(subject.name)
        hangs = None
        try:
            done = place.attempt(tracing.inject(subject.command, point, "error=" + error, log))
        except CheckFailed as problem:
            hangs = problem
        if tracing.struck_folders(log, (place.home, place.project)):
            if hangs is None:
                return done
            count.wrong.append("%s: %s" % (subject.name, hangs))
            print("    WRONG: %s" % hangs, flush=True)
            return None
    count.elsewhere += 1
    return None


def too_few_descriptors(place, names, steps):
    """The limit of open files is lower than what the command needs."""
    count = Count()
    for name in names:
        subject = Subject(place, name)
        for limit in range(4, 40, steps):
            place.restore(name)
            shell = ["sh", "-c", 'ulimit -n %d; exec "$@"' % limit, "sh"]
            count.note(subject, place.attempt(shell + subject.command), "%d file descriptors" % limit)
    return count.close("too few file descriptors")


class SmallDisk:
    """A tmpfs of a few MiB, of which as much as one likes is free."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def fill(self, pages):
        """Fills the disk up to so many free pages."""
        ballast = self.path / "ballast"
        with open(str(ballast), "wb") as file:
            facts = os.statvfs(str(self.path))
            try:
                file.write(b"x" * max(0, (facts.f_bavail - pages) * facts.f_frsize))
            except OSError:
                pass

    def free(self):
        """Gives the space back."""
        ballast = self.path / "ballast"
        if ballast.exists():
            ballast.unlink()

    def unmount(self):
        """Ends it."""
        subprocess.run(["umount", str(self.path)], check=True, stdin=subprocess.DEVNULL)


def full_disk(place, names, pages, which):
    """The disk is full sooner or later."""
    count = Count()
    disk = SmallDisk(place.root / "disk")
    try:
        home = disk.path / "s" if which != "venv" else None
        project = disk.path / "p" if which != "store" else None
        place.move(home, project)
        for name in names:
            subject = Subject(place, name)
            for free in pages:
                place.restore(name)
                disk.fill(free)
                done = place.attempt(subject.command)
                disk.free()
                count.note(subject, done, "%d free pages on the disk with the %s" % (free, which))
            shutil.rmtree(str(place.root / "scenes"))
        place.clear()
    finally:
        place.move(place.root / "live" / "s", place.root / "live" / "p")
        disk.unmount()
        disk.path.rmdir()
    return count.close("full disk with the %s" % which)


def commands_that_read(place, venv):
    """The commands that need to write nothing."""
    for words in ("list", "freeze", "tree", "show hd-plain", "check"):
        yield [place.program] + words.split() + ["--venv", str(venv)]
    for words in ("list-all", "path bin", "store verify"):
        yield [place.program] + words.split()
    yield [str(venv / "bin" / "python"), "-c", "import hd_plain; assert hd_plain.version == '1.0'"]


def read_only_store(place):
    """The store is mounted read-only: whatever only reads works."""
    place.begin()
    place.new()
    place.add("hd-plain==1.0", "hd-share-one==1.0")
    before = snapshot(place.venv)
    subprocess.run(["mount", "--bind", str(place.home), str(place.home)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place.home)], check=True)
        for command in commands_that_read(place, place.venv):
            done = place.attempt(command)
            require(done.code == 0, "with a read-only store: %s" % done)
        add = [place.program, "add", "--venv", place.venv, "hd-alpha"] + place.index
        require_one_error(place.attempt(add))
        new = [place.program, "new", place.project / "other", "-p", sys.executable]
        require_one_error(place.attempt(new))
        require(snapshot(place.venv) == before, "the venv has changed")
        require(os.listdir(str(place.project)) == [".venv"], "something was left in the project")
    finally:
        subprocess.run(["umount", str(place.home)], check=True)
    place.add("hd-alpha")
    return "with a read-only store all that reads works, and the rest says so"


def no_rights(place):
    """An ordinary user, and folders that belong to root."""
    account = ordinary_user()
    if account is None:
        return "skipped: an ordinary user, for want of setpriv or of an interpreter that everybody may run"
    user, python = account.prefix, account.python
    os.chmod(str(place.root), 0o755)
    place.begin()
    place.virtpy("new", place.venv, "-p", python)
    place.add("hd-plain==1.0")
    before, store = snapshot(place.venv), snapshot(place.home)
    add = [place.program, "add", "--venv", place.venv, "hd-alpha"] + place.index
    own = place.root / "own"
    own.mkdir()
    os.chown(str(own), NOBODY, NOBODY)
    # Root's settings are none of his.
    environment = dict(place.environment, HOME=str(own))
    # Both are root's; then only the project is; then only the venv.
    require_one_error(place.attempt(user + add, environment))
    for command in commands_that_read(place, place.venv):
        done = place.attempt(user + command, environment)
        require(done.code == 0, "as an ordinary user: %s" % done)
    lines = differences(snapshot(place.home), store)
    require(not lines, "the store has changed:\n%s" % lines)
    environment = dict(place.environment, VIRTPY_HOME=str(own / "s"), HOME=str(own))
    new = [place.program, "new", place.project / "other", "-p", python]
    require_one_error(place.attempt(user + new, environment))
    require(snapshot(place.venv) == before, "the venv has changed")
    require(os.listdir(str(place.project)) == [".venv"], "something was left in the project")
    # The user's own things work.
    venv = own / "venv"
    for command in ([place.program, "new", venv, "-p", python],
                    [place.program, "add", "--venv", venv, "hd-alpha"] + place.index,
                    [place.program, "check", "--venv", venv]):
        done = place.attempt(user + command, environment)
        require(done.code == 0, "as an ordinary user: %s" % done)
    for folder, folders, files in os.walk(str(venv)):
        for name in [""] + folders + files:
            os.lchown(os.path.join(folder, name), 0, 0)
    before = snapshot(venv)
    add = [place.program, "add", "--venv", venv, "hd-plain"] + place.index
    require_one_error(place.attempt(user + add, environment))
    require(snapshot(venv) == before, "the venv has changed")
    return "without rights each command said so, and what only reads worked"


def check(arguments):
    """Runs the faults. Yields what was shown."""
    from wheels import make_wheels

    place = Place(arguments.virtpy, arguments.folder)
    quick = arguments.quick
    try:
        make_wheels(place.wheels)
        names = QUICK_SUBJECTS if quick else SUBJECTS
        names = [name for name in names if name in (arguments.scenarios or names)]
        yield from failing_calls(place, names, 5 if quick else 1000)
        shutil.rmtree(str(place.root / "scenes"), ignore_errors=True)
        yield too_few_descriptors(place, names[:2], 6 if quick else 1)
        shutil.rmtree(str(place.root / "scenes"))
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        if not is_root or not re.match("linux", sys.platform):
            yield "skipped: full and read-only disks and other users, for want of root on Linux"
            return
        for which in ("store", "venv") if quick else ("store", "venv", "store and the venv"):
            pages = [0, 3, 11, 40] if quick else list(range(40)) + list(range(40, 160, 4))
            subjects = [name for name in names if name != "new" or which == "venv"]
            yield full_disk(place, subjects, pages, which)
        yield read_only_store(place)
        yield no_rights(place)
    finally:
        if not arguments.keep:
            place.remove()
