#!/usr/bin/env python3
"""Compares virtpy with uv on this machine, in alternating pairs, and counts virtpy's system calls.

    python3 benches/run.py [--quick] [--virtpy PROGRAM] [--rounds N]

Installs uv from its wheel into a throw-away venv, builds virtpy if no program is named, resolves one set of pins, and
warms both caches. After that nothing uses the network. Needs only Python 3.8 or newer with pip; the system calls need
strace. A ratio is the median over the pairs of virtpy's time through uv's; the goals are those of the project.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

# Behind this folder: some files there have the names of benches.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests/online"))

import system_calls  # noqa: E402
import user_settings  # noqa: E402

ROOTS = "jupyterlab sphinx django pandas scipy matplotlib requests boto3 fastapi sqlalchemy black mypy pytest".split()
QUICK_ROOTS = "requests rich flask sqlalchemy pandas pytest black sphinx".split()
IMPORTS = "pandas, scipy.stats, matplotlib.pyplot, django, sqlalchemy, boto3, jupyterlab"
QUICK_IMPORTS = "pandas, rich.console, flask, sqlalchemy, pytest, sphinx"


class Bench:
    """The two programs, a folder for everything, and the results."""

    def __init__(self, virtpy, rounds, quick, folder=None):
        if folder is None:
            folder = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parents[1] / "target"))
        folder.mkdir(parents=True, exist_ok=True)
        self.root = Path(tempfile.mkdtemp(prefix="bench-", dir=str(folder))).resolve()
        self.virtpy = str(virtpy)
        self.uv = str(self.root / "uv" / "bin" / "uv")
        self.rounds = rounds
        self.imports = QUICK_IMPORTS if quick else IMPORTS
        self.roots = QUICK_ROOTS if quick else ROOTS
        self.rows = []
        self.environment = dict(os.environ)
        for name in ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
            self.environment.pop(name, None)
        self.environment["VIRTPY_HOME"] = str(self.root / "store")
        self.environment["XDG_CONFIG_HOME"] = user_settings.without_virtpys(self.root)
        self.environment["UV_CACHE_DIR"] = str(self.root / "uv-cache")
        code = "import os, sys; n = 'python%d.%d' % sys.version_info[:2]; print(os.path.join(sys.base_prefix, 'bin', n))"
        named = subprocess.check_output([sys.executable, "-c", code], universal_newlines=True).strip()
        self.python = os.path.realpath(named if os.path.exists(named) else sys.executable)

    def run(self, command):
        """Runs a command that must succeed; returns its time in seconds and all that it printed."""
        arguments = [str(argument) for argument in command]
        start = time.perf_counter()
        done = subprocess.run(
            arguments,
            env=self.environment,
            cwd=str(self.root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit("$ %s\nexit code %d\n%s" % (" ".join(arguments), done.returncode, done.stdout))
        return seconds, done.stdout

    def remove(self):
        """Removes everything, read-only folders included."""
        for folder, _, _ in os.walk(str(self.root)):
            os.chmod(folder, 0o755)
        shutil.rmtree(str(self.root))

    def pairs(self, ours, theirs):
        """Times two functions of the round's number alternately; the one that goes first changes every round."""
        first, second = [], []
        for number in range(self.rounds):
            order = [(ours, first), (theirs, second)]
            for function, times in order if number % 2 == 0 else reversed(order):
                times.append(function(number))
        return first, second

    def row(self, what, ours, theirs, goal, unit="ms", scale=1000.0):
        """Prints one line of the table: medians, the median of the pairs' ratios, the goal."""
        ratio = median(mine / other for mine, other in zip(ours, theirs))
        verdict = "met" if ratio <= goal else "MISSED"
        text = "%-34s %10.1f %-3s %10.1f %-3s %8.3f  goal %.3f  %s"
        line = text % (what, median(ours) * scale, unit, median(theirs) * scale, unit, ratio, goal, verdict)
        self.rows.append(line)
        print(line, flush=True)

    def venv(self, tool, number):
        """The path of a tool's venv of a round."""
        return self.root / ("%s-%s" % (tool, number))

    def add(self, venv):
        """The command that fills a venv from the pins with virtpy."""
        return [self.virtpy, "--verbose", "add", "--offline", "--venv", venv, "-r", self.root / "pins.txt"]

    def uv_install(self, venv):
        """The command that fills a venv from the pins with uv."""
        return [self.uv, "pip", "install", "--offline", "--python", venv / "bin/python", "-r", self.root / "pins.txt"]


def set_up(bench):
    """Installs uv, resolves the pins, and fills both caches."""
    bench.run([bench.python, "-m", "venv", bench.root / "uv"])
    bench.run([bench.root / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"])
    (bench.root / "roots.txt").write_text("\n".join(bench.roots) + "\n")
    index = index_arguments(bench)
    pins = bench.root / "pins.txt"
    bench.run([bench.uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header", "--python", bench.python]
              + index + ["-o", pins, bench.root / "roots.txt"])
    text = "".join(line for line in pins.read_text().splitlines(True) if not line.startswith("-"))
    pins.write_text(text)
    count = len(text.splitlines())
    virtpy_venv, uv_venv = bench.venv("virtpy", "warm"), bench.venv("uv", "warm")
    bench.run([bench.virtpy, "new", virtpy_venv, "-p", bench.python])
    bench.run([bench.uv, "venv", "--quiet", uv_venv, "--python", bench.python])
    cold = bench.run([bench.virtpy, "add", "--venv", virtpy_venv, "-r", pins])[0]
    cold_uv = bench.run([bench.uv, "pip", "install", "--python", uv_venv / "bin/python"] + index + ["-r", pins])[0]
    # What is compiled in the background would be in the way of everything after it.
    bench.run([bench.virtpy, "store", "compile", "--wait"])
    print("%s; %s" % (bench.run([bench.virtpy, "--version"])[1].strip(), bench.run([bench.uv, "--version"])[1].strip()))
    print("%d pins, Python %s, %d rounds; cold: virtpy %.1f s, uv %.1f s (one run each)\n"
          % (count, sys.version.split()[0], bench.rounds, cold, cold_uv))
    print("%-34s %14s %14s %8s" % ("", "virtpy", "uv", "ratio"))
    return count


def index_arguments(bench):
    """What uv, which does not read pip's settings, must be told of them."""
    arguments = []
    for key, option in (("index-url", "--default-index"), ("extra-index-url", "--index")):
        command = [bench.python, "-m", "pip", "config", "get", "global." + key]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        value = done.stdout.strip() or os.environ.get("PIP_" + key.upper().replace("-", "_"), "")
        for address in value.split():
            arguments += [option, address]
    certificates = os.environ.get("PIP_CERT")
    if certificates:
        bench.environment.setdefault("SSL_CERT_FILE", certificates)
    return arguments


def duration(text, pattern):
    """The duration in seconds that a program printed, such as "12 ms", "12ms" or "1.20s"."""
    found = re.search(pattern + r" (\d+(?:\.\d+)?) ?(ms|s|µs)", text)
    if not found:
        sys.exit("no duration after %r in:\n%s" % (pattern, text))
    return float(found.group(1)) * {"s": 1.0, "ms": 1e-3, "µs": 1e-6}[found.group(2)]


def bench_new(bench):
    """An empty venv."""
    ours = lambda number: bench.run([bench.virtpy, "new", bench.venv("virtpy-new", number), "-p", bench.python])[0]
    theirs = lambda number: bench.run(
        [bench.uv, "venv", "--quiet", "--offline", bench.venv("uv-new", number), "--python", bench.python])[0]
    bench.row("new", *bench.pairs(ours, theirs), goal=0.25)


def bench_add(bench):
    """The pins into a fresh venv, from warm caches; and the link phase alone, as each program prints it."""
    linked, installed = [], []
    for number in range(bench.rounds):
        bench.run([bench.virtpy, "new", bench.venv("virtpy", number), "-p", bench.python])
        bench.run([bench.uv, "venv", "--quiet", bench.venv("uv", number), "--python", bench.python])

    def ours(number):
        seconds, text = bench.run(bench.add(bench.venv("virtpy", number)))
        linked.append(duration(text, r"linked \d+ distributions? in"))
        return seconds

    def theirs(number):
        seconds, text = bench.run(bench.uv_install(bench.venv("uv", number)))
        installed.append(duration(text, r"Installed \d+ packages? in"))
        return seconds

    bench.row("add -r, warm, fresh venv", *bench.pairs(ours, theirs), goal=0.35)
    bench.row("  the link phase alone", linked, installed, goal=0.10)


def bench_idle(bench):
    """The same again where nothing is to do, and the list."""
    ours = lambda _: bench.run(bench.add(bench.venv("virtpy", 0)))[0]
    theirs = lambda _: bench.run(bench.uv_install(bench.venv("uv", 0)))[0]
    bench.row("nothing to do", *bench.pairs(ours, theirs), goal=0.25)
    ours = lambda _: bench.run([bench.virtpy, "list", "--venv", bench.venv("virtpy", 0)])[0]
    theirs = lambda _: bench.run([bench.uv, "pip", "list", "--python", bench.venv("uv", 0) / "bin/python"])[0]
    bench.row("list", *bench.pairs(ours, theirs), goal=0.25)


def bench_import(bench):
    """The first import in a venv, after another venv with the same packages imported them once."""
    code = "import " + bench.imports
    for tool in ("virtpy", "uv"):
        bench.run([bench.venv(tool, "warm") / "bin/python", "-c", code])
    first = lambda tool: lambda number: bench.run([bench.venv(tool, number) / "bin/python", "-c", code])[0]
    bench.row("first import, second venv", *bench.pairs(first("virtpy"), first("uv")), goal=0.5)
    # Both have all bytecode now: what is left is what Python itself takes, and what links cost it.
    bench.row("  the same again", *bench.pairs(first("virtpy"), first("uv")), goal=1.05)


def bench_entries(bench):
    """What a venv holds, before anything was imported in it."""

    def entries(tool):
        return float(sum(len(folders) + len(files) for _, folders, files in os.walk(str(bench.venv(tool, 0)))))

    bench.row("directory entries", [entries("virtpy")], [entries("uv")], goal=0.05, unit="", scale=1.0)
    targets = []
    for folder, folders, files in os.walk(str(bench.venv("virtpy", 0))):
        paths = [os.path.join(folder, name) for name in folders + files]
        targets += [len(os.readlink(path)) for path in paths if os.path.islink(path)]
    # Many file systems keep a short target in the inode; a longer one takes a block, to be made and to be freed.
    long = sum(length > 59 for length in targets)
    print("  links: %d, %d of them longer than 59 bytes; the store's path has %d"
          % (len(targets), long, len(bench.environment["VIRTPY_HOME"])))


def bench_removal(bench):
    """`rm -rf` of the venv."""
    remove = lambda tool: lambda number: bench.run(["rm", "-rf", bench.venv(tool, number)])[0]
    bench.row("rm -rf of the venv", *bench.pairs(remove("virtpy"), remove("uv")), goal=0.1)


def find_program(arguments):
    """The program under test, built if need be."""
    if arguments.virtpy:
        return arguments.virtpy.resolve()
    project = Path(__file__).resolve().parents[1]
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=str(project), check=True)
    build = Path(os.environ.get("CARGO_TARGET_DIR", project / "target"))
    return (build / "release" / "virtpy").resolve()


def main():
    """Runs the benches. Missed goals are told, not punished; only a broken run ends with an error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller set of pins and three rounds")
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, help="pairs for each figure (default: 9)")
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    parser.add_argument("--folder", type=Path, help="where to work (default: the build's): a long path makes long links")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (3 if arguments.quick else 9)
    bench = Bench(find_program(arguments), rounds, arguments.quick, arguments.folder)
    try:
        count = set_up(bench)
        bench_new(bench)
        bench_add(bench)
        bench_entries(bench)
        bench_idle(bench)
        bench_import(bench)
        bench_removal(bench)
        print()
        system_calls.report(bench, count)
    finally:
        if arguments.keep:
            print("kept: %s" % bench.root)
        else:
            bench.remove()


if __name__ == "__main__":
    main()
