#!/usr/bin/env python3
"""Shows how the work of everyday commands grows with the number of venvs, and with that of wheels in the store.

    python3 benches/growth.py [--quick] [--virtpy PROGRAM] [--rounds N] [--folder FOLDER]

Prints system calls and times for 1, 10, 100 and 1,000 venvs that link the same 100 packages, then for a store of 100, 1,000
and 10,000 wheels, each as an ordinary user and, when root runs it, as root. The wheels are made here; nothing uses the
network. Nothing is compiled in the background, so that a command is all that is measured. Needs Python 3.8 or newer, 3 GB on
the disk, and strace for the calls. Everything is removed at the end.
"""

import argparse
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median

PACKAGES = 100
AT_ONCE = 500
NOBODY = 65534


def make_wheel(folder, name):
    """Writes a small wheel: a package of three modules."""
    files = {"%s/__init__.py" % name: "name = %r\n" % name}
    files.update({"%s/module%d.py" % (name, number): "value = %d\n" % number for number in range(2)})
    info = "%s-1.0.dist-info/" % name
    files[info + "METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % name
    files[info + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: growth\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = []
    with zipfile.ZipFile(str(folder / (name + "-1.0-py3-none-any.whl")), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(zipfile.ZipInfo(path), text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append("%s,sha256=%s,%d\n" % (path, digest, len(text)))
        wheel.writestr(zipfile.ZipInfo(info + "RECORD"), "".join(rows) + info + "RECORD,,\n")


class Machine:
    """A store of its own, and who works with it."""

    def __init__(self, folder, virtpy, rounds, user):
        self.root, self.virtpy, self.rounds, self.user = folder, str(virtpy), rounds, user
        self.environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.environment.update(HOME=str(folder), VIRTPY_HOME=str(folder / "store"), VIRTPY_BYTECODE="off")
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        self.venvs = 0
        self.entries = 0
        self.python = os.path.realpath(sys.executable) if user is None else "/usr/bin/python3"

    def own(self):
        """Gives what was made here to the user."""
        if self.user is not None:
            for folder, folders, files in os.walk(str(self.root)):
                for name in [folder] + [os.path.join(folder, name) for name in files]:
                    os.chown(name, self.user, self.user, follow_symlinks=False)

    def run(self, words, before=()):
        """Runs a command that must succeed; returns its time."""
        words = [*before, self.virtpy, *map(str, words)]
        options = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        start = time.perf_counter()
        done = subprocess.run(
            words, env=self.environment, cwd=str(self.root), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True, **options)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit("$ %s\nexit code %d\n%s" % (" ".join(words), done.returncode, done.stdout[-4000:]))
        return seconds

    def calls(self, words):
        """The system calls of a command, or nothing where there is no strace."""
        if not shutil.which("strace"):
            return None
        log = self.root / "trace"
        self.run(words, ["strace", "-f", "-qq", "-o", str(log)])
        with log.open(errors="replace") as lines:
            count = sum(1 for line in lines if re.match(r"\d+\s+\w+\(", line))
        log.unlink()
        return count

    def fill(self, count):
        """Brings the store to so many wheels."""
        while self.entries < count:
            names = ["wheel%d" % number for number in range(self.entries, min(count, self.entries + AT_ONCE))]
            for name in names:
                make_wheel(self.wheels, name)
            self.own()
            venv = self.root / "filled"
            self.run(["new", "-q", "-p", self.python, venv])
            files = ["./wheels/%s-1.0-py3-none-any.whl" % name for name in names]
            self.run(["add", "-q", "--no-index", "--no-deps", "--venv", venv] + files)
            shutil.rmtree(str(venv))
            self.entries += len(names)

    def grow(self, count):
        """Brings the store to so many venvs that all link the same packages."""
        while self.venvs < count:
            venv = self.root / ("venv%d" % self.venvs)
            self.run(["new", "-q", "-p", self.python, venv])
            self.run(self.add(venv, "pins.txt"))
            self.venvs += 1

    def add(self, venv, pins):
        return ["add", "-q", "--no-index", "--find-links", self.wheels, "--venv", venv, "-r", pins]

    def measure(self):
        """Calls and seconds of each command, by its name."""
        fresh = self.root / "fresh"

        def again(words):
            """The same is done for every round, so the last venv goes first."""
            shutil.rmtree(str(fresh), ignore_errors=True)
            if words[0] == "add":
                self.run(["new", "-q", "-p", self.python, fresh])

        there = self.root / "venv0"
        commands = {
            "new": ["new", "-q", "-p", self.python, fresh],
            "add of %d" % PACKAGES: self.add(fresh, "pins.txt"),
            "add of one": self.add(fresh, "pin.txt"),
            "nothing to do": self.add(there, "pins.txt"),
            "list": ["list", "--venv", there],
            "freeze": ["freeze", "--venv", there],
            "store stats": ["store", "stats"],
            "store gc": ["store", "gc"],
        }
        results = {}
        for name, words in commands.items():
            makes = name.startswith(("new", "add"))
            # The first run finds out what later ones remember.
            times = []
            for number in range(self.rounds + 1):
                if makes:
                    again(words)
                seconds = self.run(words)
                if number:
                    times.append(seconds)
            if makes:
                again(words)
            results[name] = (self.calls(words), median(times))
        shutil.rmtree(str(fresh), ignore_errors=True)
        return results


def table(title, columns, results):
    """Prints a row for each command, and how the last column compares with the first."""
    print("\n" + title)
    print("%-16s" % "" + "".join("%20s" % column for column in columns) + "%12s%8s" % ("calls", "time"))
    for name in results[0]:
        cells = ["%s %7.1f ms" % ("-" if calls is None else "%6d" % calls, seconds * 1000)
                 for calls, seconds in (result[name] for result in results)]
        (first, first_time), (last, last_time) = results[0][name], results[-1][name]
        ratio = "-" if first is None else "%.2f x" % (last / first)
        print("%-16s" % name + "".join("%20s" % cell for cell in cells) + "%12s%8s" % (ratio, "%.2f x" % (last_time / first_time)))
    sys.stdout.flush()


def of_one(folder, arguments, user):
    """Everything for one user."""
    who = "root" if os.geteuid() == 0 and user is None else "an ordinary user"
    venvs = [1, 10, 100] if arguments.quick else [1, 10, 100, 1000]
    entries = [100, 1000] if arguments.quick else [100, 1000, 10000]
    for kind in ("venvs", "entries"):
        machine = Machine(folder / (kind + ("" if user is None else "-user")), arguments.virtpy, arguments.rounds, user)
        pins = ["wheel%d==1.0\n" % number for number in range(PACKAGES)]
        (machine.root / "pins.txt").write_text("".join(pins))
        (machine.root / "pin.txt").write_text(pins[0])
        machine.fill(PACKAGES)
        machine.grow(1)
        results = []
        for count in venvs if kind == "venvs" else entries:
            machine.grow(count) if kind == "venvs" else machine.fill(count)
            # What was changed a moment ago is not remembered yet.
            time.sleep(1)
            results.append(machine.measure())
        what = "venvs with the same %d packages" % PACKAGES if kind == "venvs" else "wheels in the store, one venv"
        table("%s, as %s" % (what, who), venvs if kind == "venvs" else entries, results)


def remove(folder):
    for inner, _, _ in os.walk(str(folder)):
        os.chmod(inner, 0o755)
    shutil.rmtree(str(folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="no more than 100 venvs and 1,000 wheels")
    parser.add_argument("--virtpy", help="the program (default: target/release/virtpy)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command is timed (default: 5)")
    parser.add_argument("--folder", help="where to work (default: a temporary folder)")
    arguments = parser.parse_args()
    program = arguments.virtpy or Path(__file__).resolve().parents[1] / "target/release/virtpy"
    arguments.virtpy = Path(program).resolve()
    if not arguments.virtpy.is_file():
        sys.exit("there is no `%s`: build it with `cargo build --release`" % arguments.virtpy)
    folder = Path(tempfile.mkdtemp(prefix="growth-", dir=arguments.folder)).resolve()
    try:
        os.chmod(str(folder), 0o755)
        of_one(folder, arguments, None)
        if os.geteuid() == 0 and sys.version_info >= (3, 9) and os.path.exists("/usr/bin/python3"):
            # A copy that everybody may read, and so may be the interpreter of the system.
            copy = folder / "virtpy"
            shutil.copy(str(arguments.virtpy), str(copy))
            arguments.virtpy = copy
            of_one(folder, arguments, NOBODY)
    finally:
        remove(folder)


if __name__ == "__main__":
    main()
