"""Installing, replacing and removing interpreters, killed at each call that changes the disk, and on disks that are
full: an interpreter is whole or absent, the next command works, and nothing is left behind."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

import tracing
from disks import SmallDisk, require_one_error
from support import CheckFailed, Place, require

# What the archive of a pretender has besides its script, so that a disk can be full in the middle.
FILES, SIZE = 40, 20000

SCRIPT = """#!/bin/sh
case "$*" in
*virtpy-interpreter-facts*|*-VV) '%(real)s' "$@" | sed -e "s#\\"executable\\": \\"[^\\"]*\\"#\\"executable\\": \\"$0\\"#" \\
  -e 's/%(own)s/%(version)s/g';;
*) exec '%(real)s' "$@";;
esac
"""


class Shelf:
    """Archives of interpreters that pretend to be patch releases of the one that runs this, and an index of them."""

    def __init__(self, folder):
        self.folder, self.builds = folder, []
        folder.mkdir()
        self.own = "%d.%d.%d" % sys.version_info[:3]
        self.short = "%d.%d" % sys.version_info[:2]

    def offer(self, patch):
        """Puts a patch release on the shelf. Returns its version."""
        version = "%s.%d" % (self.short, patch)
        real = os.path.realpath(sys.executable)
        script = SCRIPT % {"real": real, "own": self.own.replace(".", "\\."), "version": version}
        path = self.folder / (version + ".tar.gz")
        with tarfile.open(str(path), "w:gz", compresslevel=1, format=tarfile.USTAR_FORMAT) as tar:
            add(tar, "python/bin/python" + self.short, script.encode(), 0o755)
            data = b"build_time_vars = {'CC': 'clang',\n 'prefix': '/install'}\n"
            add(tar, "python/lib/python%s/_sysconfigdata_x.py" % self.short, data)
            add(tar, "python/lib/python%s/os.py" % self.short, b"")
            for number in range(FILES):
                add(tar, "python/share/%d" % number, os.urandom(SIZE))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.builds.append({"version": version, "build": "20261021", "url": str(path), "sha256": sha256})
        (self.folder / "index.json").write_text(json.dumps({"builds": self.builds}))
        return version


def add(tar, name, data, mode=0o644):
    """Adds a file to an archive."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


class Case:
    """A command, what has to be there before it, and what is there in the end."""

    def __init__(self, name, before, command, after):
        self.name, self.before, self.command, self.after = name, before, command, after


def state(place):
    """The interpreters that are there, each whole, and where the links lead."""
    pythons, found = place.home / "pythons", {}
    for path in sorted(pythons.iterdir()) if pythons.exists() else ():
        if path.is_symlink():
            continue
        require((path / "virtpy.json").exists(), "%s has no record" % path.name)
        files = len(list((path / "share").iterdir()))
        require(files == FILES, "%s has %d files" % (path.name, files))
        found[path.name] = json.loads((path / "virtpy.json").read_text())["installed_at"]
    return found


def settled(place, shelf):
    """After a command that went through: the link leads to what is there, and nothing unfinished is left."""
    found = list(state(place))
    link = place.home / "pythons" / shelf.short
    if found:
        newest = max(found, key=lambda version: [int(part) for part in version.split(".")])
        require(os.readlink(str(link)) == newest, "the link leads to %s" % os.readlink(str(link)))
    else:
        require(not link.is_symlink(), "a link is left")
    left = os.listdir(str(place.home / "tmp"))
    require(not left, "left in tmp: %s" % left)


def prepare(place, case):
    """The scene: an empty project and the interpreters that have to be there."""
    place.begin()
    for version in case.before:
        place.virtpy("python", "install", version)


def cases(old, new):
    """All commands that change interpreters."""
    return [
        Case("install", [], ["python", "install", new], [new]),
        Case("reinstall", [new], ["python", "install", "--reinstall", new], [new]),
        Case("another", [old], ["python", "install", new], [old, new]),
        Case("update", [old], ["python", "update", "--all"], [old, new]),
        Case("uninstall", [old, new], ["python", "uninstall", new], [old]),
    ]


def judge(place, shelf, case, what, done):
    """What a stopped or failed command left, and whether the next one works."""
    try:
        found = set(state(place))
        known = set(case.before) | set(case.after)
        require(set(case.before) & set(case.after) <= found <= known, "there is %s" % sorted(found))
        again = place.attempt([place.program] + case.command)
        gone = case.name == "uninstall" and case.command[-1] not in found
        require(again.code == (1 if gone else 0), "the same command again: %s" % again)
        if gone:
            place.virtpy("python", "install", case.after[0])
        require(sorted(state(place)) == sorted(case.after), "in the end there is %s" % sorted(state(place)))
        settled(place, shelf)
    except CheckFailed as problem:
        raise CheckFailed("%s, %s: %s\nit had said: %s" % (case.name, what, problem, done))


def kills(place, shelf, all_cases, quick):
    """Each command killed at each call by which it changes something."""
    calls = tracing.known_calls(place)
    count = 0
    for case in all_cases:
        prepare(place, case)
        done, points, _, _ = tracing.record(place, [place.program] + case.command, calls)
        require(done.code == 0, str(done))
        step = max(1, len(points) // 12) if quick else 1
        for point in points[::step]:
            prepare(place, case)
            command = [place.program] + case.command
            done = place.attempt(tracing.inject(command, point, "signal=SIGKILL"))
            judge(place, shelf, case, "killed at %s %d" % point, done)
            count += 1
    return "%d kills of %d commands" % (count, len(all_cases))


def full_disk(place, shelf, all_cases, quick):
    """The disk is full sooner or later."""
    disk = SmallDisk(place.root / "disk")
    usual = place.home
    count = 0
    try:
        place.move(disk.path / "s")
        for case in all_cases:
            for free in range(0, 400, 80 if quick else 12):
                prepare(place, case)
                disk.fill(free)
                done = place.attempt([place.program] + case.command)
                disk.free()
                if done.code != 0:
                    require_one_error(done)
                    count += 1
                judge(place, shelf, case, "%d free pages" % free, done)
        place.clear()
    finally:
        place.move(usual)
        disk.unmount()
        disk.path.rmdir()
    require(count, "the disk was never full")
    return "full disk: %d failures" % count


def check(arguments):
    """Kills and full disks, as far as this machine can."""
    place = Place(arguments.virtpy, arguments.folder)
    try:
        shelf = Shelf(place.root / "shelf")
        old, new = shelf.offer(90), shelf.offer(91)
        place.environment["VIRTPY_PYTHON_INDEX_URL"] = str(shelf.folder / "index.json")
        all_cases = cases(old, new)
        if tracing.available():
            yield kills(place, shelf, all_cases, arguments.quick)
        else:
            yield "skipped: no strace"
        is_root = sys.platform == "linux" and os.geteuid() == 0
        if is_root and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0:
            yield full_disk(place, shelf, all_cases, arguments.quick)
        else:
            yield "skipped: only root can mount a small disk"
    finally:
        if not arguments.keep:
            place.remove()
