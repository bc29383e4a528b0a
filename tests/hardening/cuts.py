"""The power is cut: what is on the disk at some moment of an `add` is all that is left, and the machine starts again.

The store and the project lie in an ext4 file system in a file. At a random moment the file is copied as it is, without anything
being written back, and mounted again. Every command works then, and no venv has a wrong byte."""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from support import CheckFailed, Place, can_mount, require
from wheels import FILES, import_name, write_wheel

MIB = 1 << 20
SIZE = 48 * MIB

# What is added while the power is cut. One is large enough for its content to be written back on its own.
ADDED = sorted(name for name in FILES if not name.startswith("hd-cover")) + ["hd-large"]
KNOWN = "hd-cover-one"


def run(*command):
    """Runs a program that must succeed."""
    silent = subprocess.DEVNULL
    done = subprocess.run([str(word) for word in command], stdin=silent, stdout=silent, stderr=subprocess.PIPE)
    require(done.returncode == 0, "%s: %s" % (" ".join(map(str, command)), done.stderr.decode()))


class Disk:
    """An ext4 file system in a file, of which copies can be taken while it is used."""

    def __init__(self, folder, point):
        self.image, self.point = folder / "image", point
        point.mkdir()
        with open(str(self.image), "wb") as file:
            file.truncate(SIZE)
        run("mkfs.ext4", "-q", "-J", "size=4", self.image)
        self.mount()

    def mount(self):
        """Mounts it; what its journal has is done first."""
        run("mount", "-o", "loop", self.image, self.point)

    def unmount(self):
        """Unmounts it, as soon as nobody uses it any more."""
        for _ in range(300):
            if subprocess.run(["umount", str(self.point)], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        raise CheckFailed("the disk stays in use")

    def content(self):
        """What is on the disk at one moment, nothing being written back for it: twice the same, or it was no moment."""
        while True:
            one, other = self.image.read_bytes(), self.image.read_bytes()
            if one == other:
                return one

    def commit(self):
        """Has the names of files written to the disk, as happens every few seconds, and not what is in them."""
        with open(str(self.point / "clock"), "w") as file:
            file.write("tick")
            os.fsync(file.fileno())

    def write_some(self, folder, generator):
        """Has some files written back, as the system does in whatever order it likes."""
        # What is renamed meanwhile os.walk passes over.
        paths = [Path(inner, name) for inner, _, names in os.walk(str(folder)) for name in names]
        for path in generator.sample(paths, len(paths) // 3):
            try:
                handle = os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW)
            except OSError:
                continue
            os.fsync(handle)
            os.close(handle)


def contents_of(wheels):
    """The SHA-256 of each file of each wheel, by the name of its distribution and its path in site-packages."""
    found = {}
    for path in wheels.glob("*-1.0-py3-none-any.whl"):
        with zipfile.ZipFile(str(path)) as archive:
            for name in archive.namelist():
                if ".data/" not in name and not name.endswith("/RECORD"):
                    found[name] = hashlib.sha256(archive.read(name)).hexdigest()
    return found


def require_right_bytes(place, venv, expected):
    """What a venv leads to is what the wheels have."""
    [site] = venv.glob("lib/python*/site-packages")
    seen = 0
    for folder, _, files in os.walk(str(site), followlinks=True):
        for name in files:
            path = Path(folder, name)
            inside = os.path.relpath(str(path), str(site))
            if inside in expected and str(path.resolve()).startswith(str(place.home)):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                require(digest == expected[inside], "`%s` has other bytes" % path)
                seen += 1
    require(seen > len(ADDED), "only %d files were seen" % seen)


class Cut:
    """One power cut and what comes after it."""

    def __init__(self, place, disk, base, generator):
        self.place, self.disk, self.base, self.generator = place, disk, base, generator
        self.names = ["%s==1.0" % name for name in ADDED]
        self.journal = place.venv / ".virtpy" / "journal.json"

    def has_emptied_journal(self):
        """Whether a change is under way of which nobody knows what it was."""
        return self.journal.exists() and self.journal.stat().st_size == 0

    def happen(self, duration, in_change):
        """Cuts the power while packages are added, or soon after. Returns when, in seconds."""
        place, disk, generator = self.place, self.disk, self.generator
        disk.image.write_bytes(self.base)
        disk.mount()
        mode = generator.choice(["off", "off", "background", "eager"])
        environment = dict(place.environment, VIRTPY_BYTECODE=mode, VIRTPY_TEST_BOOT_ID="a1")
        command = [place.program, "add", "--venv", place.venv] + self.names + place.index
        delay = duration * generator.uniform(0.3, 1.8)
        begun = time.monotonic()
        process = place.start(command, environment)
        if in_change:
            return self.happen_in_change(process, mode)
        while time.monotonic() < begun + delay:
            time.sleep(generator.uniform(0, delay / 3))
            if generator.random() < 0.2:
                disk.write_some(place.home, generator)
            if generator.random() < 0.5:
                disk.commit()
        if generator.random() < 0.9:
            disk.commit()
        self.end(process)
        return "after %.2f s, bytecode %s" % (delay, mode)

    def happen_in_change(self, process, mode):
        """Cuts the power while the venv is changed: names are on the disk then, and what is in the files is not."""
        while process.poll() is None and not self.journal.exists():
            time.sleep(0.0002)
        delay = self.generator.choice([0, self.generator.uniform(0, 0.02)])
        time.sleep(delay)
        self.disk.commit()
        self.end(process)
        return "%.4f s after the journal, bytecode %s" % (delay, mode)

    def end(self, process):
        """Leaves what is on the disk now, and nothing else."""
        content = self.disk.content()
        process.communicate()
        self.disk.unmount()
        self.disk.image.write_bytes(content)
        self.disk.mount()

    def look(self, expected):
        """Looks at what is left once the machine was started again. Returns how much was fetched again."""
        place = self.place
        environment = dict(place.environment, VIRTPY_TEST_BOOT_ID="b2")
        broken = sum(path.stat().st_size == 0 for path in place.home.glob("w/*/site/**/*.py"))
        other = place.project / "other"
        for words in (
            ["list", "--venv", place.venv],
            ["add", "--venv", place.venv] + self.names + place.index,
            ["new", other, "-p", sys.executable],
            ["add", "--venv", other, KNOWN + "==1.0"] + self.names + place.index,
            ["relink", "--venv", place.venv],
            ["check", "--venv", place.venv],
            ["check", "--venv", other],
            ["store", "verify"],
            ["store", "gc", "--remove"],
            ["remove", "--venv", place.venv, "hd-plain"],
        ):
            place.virtpy(*words, environment=environment)
        for venv in (place.venv, other):
            require_right_bytes(place, venv, expected)
        require("1.0" in place.evaluate("import hd_plain; print(hd_plain.version)", other), "it does not run")
        return broken


def cut_power(place, count, seed, in_change):
    """Cuts the power so often. Yields a sentence."""
    for name in ADDED[:-1] + [KNOWN]:
        write_wheel(place.wheels, name, "1.0", FILES[name])
    write_wheel(place.wheels, ADDED[-1], "1.0", ["hd_large/__init__.py"], 3 * MIB)
    expected = contents_of(place.wheels)
    memory = Path(tempfile.mkdtemp(prefix="v-disk-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    disk = Disk(memory, place.root / "disk")
    generator = random.Random(seed)
    wrong, damaged, unknown, begun = [], 0, 0, time.monotonic()
    try:
        place.move(disk.point / "s", disk.point / "p")
        place.begin()
        place.new()
        place.add(KNOWN + "==1.0")
        disk.unmount()
        base = disk.image.read_bytes()
        disk.mount()
        start = time.monotonic()
        place.add(*["%s==1.0" % name for name in ADDED])
        duration = time.monotonic() - start
        disk.unmount()
        for number in range(count):
            cut = Cut(place, disk, base, generator)
            moment = cut.happen(duration, in_change)
            unknown += cut.has_emptied_journal()
            try:
                damaged += cut.look(expected) > 0
            except CheckFailed as problem:
                wrong.append("cut %d, %s: %s" % (number, moment, problem))
                print("    WRONG: %s" % wrong[-1], flush=True)
            disk.unmount()
        disk.mount()
    finally:
        place.end()
        subprocess.run(["umount", str(disk.point)], stderr=subprocess.DEVNULL)
        disk.image.unlink()
        memory.rmdir()
    require(not wrong, "%d of %d power cuts did harm" % (len(wrong), count))
    yield "%d power cuts in %.0f s did no harm; %d had emptied files of the store, %d the journal of the change" % (
        count, time.monotonic() - begun, damaged, unknown)


def check(arguments):
    """Cuts the power. Yields what was shown."""
    if not can_mount():
        yield "skipped: power cuts, for want of the right to mount"
        return
    place = Place(arguments.virtpy, arguments.folder)
    try:
        place.wheels.mkdir()
        yield from cut_power(place, arguments.cuts, arguments.seed, arguments.in_change)
    finally:
        if not arguments.keep:
            place.remove()
