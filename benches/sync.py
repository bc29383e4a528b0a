#!/usr/bin/env python3
"""From a lock file to a running program: `virtpy new` and `sync` beside `uv venv` and `uv pip sync`.

    python3 benches/sync.py [--virtpy PROGRAM] [--rounds N] [--sizes 100,200]

Both programs follow the same `pylock.toml` from warm caches, in alternating pairs. Besides the time, the system calls of
both and what a venv holds are counted, and a program that imports large packages is run in each fresh venv. Needs only
Python 3.8 or newer with pip; the system calls need strace.
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

from run import ROOTS, Bench, find_program, index_arguments  # noqa: E402

IMPORTED = "pandas scipy matplotlib scikit-learn django".split()
CODE = "import pandas, scipy.stats, matplotlib.pyplot, sklearn.linear_model, django"
FILLING = ROOTS + "flask celery httpx textual tox nox twine bokeh seaborn sympy statsmodels networkx plotly pre-commit aiohttp".split()


def pins(bench, index, names):
    """What these packages resolve to, as `NAME==VERSION` lines."""
    roots = bench.root / "roots.txt"
    roots.write_text("\n".join(names) + "\n")
    command = [bench.uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header", "--python", bench.python]
    text = bench.run(command + index + [roots])[1]
    return [line for line in text.splitlines() if re.match(r"[A-Za-z0-9].*==", line)]


def lock_of(bench, index, size, every):
    """A `pylock.toml` of so many packages, the imported ones among them."""
    needed = pins(bench, index, IMPORTED)
    known = {line.split("==")[0] for line in needed}
    others = [line for line in every if line.split("==")[0] not in known]
    folder = bench.root / ("lock-%d" % size)
    folder.mkdir()
    (folder / "pins.txt").write_text("\n".join(needed + others[: size - len(needed)]) + "\n")
    command = [bench.uv, "pip", "compile", "--quiet", "--no-deps", "--format", "pylock.toml", "--python", bench.python]
    bench.run(command + index + ["-o", folder / "pylock.toml", folder / "pins.txt"])
    return folder / "pylock.toml"


class Contest:
    """Two programs that follow one lock file."""

    def __init__(self, bench, lock, size):
        self.bench, self.lock, self.size = bench, lock, size

    def venv(self, tool, name):
        """The path of a tool's venv."""
        return self.bench.root / ("%s-%d-%s" % (tool, self.size, name))

    def commands(self, tool, name):
        """What makes and fills a venv."""
        bench, venv = self.bench, self.venv(tool, name)
        if tool == "virtpy":
            return [
                [bench.virtpy, "new", venv, "-p", bench.python],
                [bench.virtpy, "sync", "--offline", "--venv", venv, self.lock],
            ]
        return [
            [bench.uv, "venv", "--quiet", "--offline", venv, "--python", bench.python],
            [bench.uv, "pip", "sync", "--quiet", "--offline", "--python", venv / "bin/python", self.lock],
        ]

    def make(self, tool):
        """A function that makes the venv of a round, and returns the seconds."""
        return lambda number: sum(self.bench.run(command)[0] for command in self.commands(tool, number))

    def warm(self, index):
        """Fills both caches, and compiles what the program imports."""
        bench = self.bench
        for tool, more in (("virtpy", []), ("uv", index)):
            new, fill = self.commands(tool, "warm")
            bench.run(new)
            bench.run([argument for argument in fill if argument != "--offline"] + more)
            bench.run([self.venv(tool, "warm") / "bin/python", "-c", CODE])

    def run(self):
        """Measures and prints."""
        bench = self.bench
        print("\n%d distributions" % self.size)
        bench.row("new + sync", *bench.pairs(self.make("virtpy"), self.make("uv")), goal=0.10)
        self.count_entries()
        self.count_calls()
        idle = lambda tool: lambda _: bench.run(self.commands(tool, 0)[1])[0]
        bench.row("nothing to do (goal 5 ms)", *bench.pairs(idle("virtpy"), idle("uv")), goal=0.25)
        start = lambda tool: lambda number: bench.run([self.venv(tool, number) / "bin/python", "-c", CODE])[0]
        fresh, theirs = bench.pairs(start("virtpy"), start("uv"))
        bench.row("first program, fresh venv", fresh, theirs, goal=0.5)
        again = [start("virtpy")(0) for _ in fresh]
        print("  the first start takes %.2f of a later one (goal 1.10)" % (median(fresh) / median(again)))
        remove = lambda tool: lambda number: bench.run(["rm", "-rf", self.venv(tool, number)])[0]
        bench.row("rm -rf of the venv", *bench.pairs(remove("virtpy"), remove("uv")), goal=0.10)

    def count_entries(self):
        """What a venv holds before anything was imported in it."""
        entries = lambda tool: float(sum(
            len(folders) + len(files) for _, folders, files in os.walk(str(self.venv(tool, 0)))))
        self.bench.row("directory entries", [entries("virtpy")], [entries("uv")], goal=0.04, unit="", scale=1.0)

    def count_calls(self):
        """The system calls of making and filling, with all threads."""
        if not shutil.which("strace"):
            print("system calls: skipped, this machine has no strace")
            return
        counts = []
        for tool in ("virtpy", "uv"):
            total = 0
            for position, command in enumerate(self.commands(tool, "calls")):
                log = self.bench.root / ("%s-%d-%d.strace" % (tool, self.size, position))
                self.bench.run(["strace", "-f", "-c", "-qq", "-o", log] + command)
                total += int(re.search(r"\s(\d+)\s+(?:\d+\s+)?total", log.read_text()).group(1))
            counts.append([float(total)])
        self.bench.row("system calls", *counts, goal=0.05, unit="", scale=1.0)


def main():
    """Runs the bench. Missed goals are told, not punished."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, default=7, help="pairs for each figure (default: 7)")
    parser.add_argument("--sizes", default="100,200", help="how many distributions, separated by commas")
    arguments = parser.parse_args()
    bench = Bench(find_program(arguments), arguments.rounds, False)
    try:
        bench.run([bench.python, "-m", "venv", bench.root / "uv"])
        bench.run([bench.root / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"])
        index = index_arguments(bench)
        every = pins(bench, index, IMPORTED + FILLING)
        print("%s; %s" % tuple(bench.run([tool, "--version"])[1].strip() for tool in (bench.virtpy, bench.uv)))
        print("%-34s %14s %14s %8s" % ("", "virtpy", "uv", "ratio"))
        for size in (int(size) for size in arguments.sizes.split(",")):
            if size > len(every):
                sys.exit("only %d distributions are at hand" % len(every))
            contest = Contest(bench, lock_of(bench, index, size, every), size)
            contest.warm(index)
            contest.run()
    finally:
        bench.remove()


if __name__ == "__main__":
    main()
