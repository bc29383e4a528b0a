#!/usr/bin/env python3
"""What `virtpy run` and `uv run` take in a project: when everything is right, and after a line of `pyproject.toml` was edited.

    python3 benches/projects.py [--virtpy PROGRAM] [--rounds N]

Each program has a project of its own, locked and synced, and both caches are warm. `python -c ""` is run in it; beside that the plain
interpreter of the venv is started. Then a requirement is added to `pyproject.toml` and taken out again by turns, which both lock and install.
"""

import argparse
import shutil
import sys
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True

import run  # noqa: E402

PROJECT = """[project]
name = "shop"
version = "1"
requires-python = ">=3.9"
dependencies = ["requests", "rich", "flask"%s]

[dependency-groups]
dev = ["pytest"]
"""

#: What virtpy may add to Python's start, in milliseconds, and its share of uv's time after an edit.
GOAL_MILLISECONDS, GOAL_RATIO = 5.0, 0.5


class Contestant:
    """A program in a project of its own."""

    def __init__(self, bench, name, words):
        self.bench, self.folder = bench, bench.root / name
        self.folder.mkdir()
        there = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", self.folder]
        self.command = there + words + ["python", "-c", ""]
        for number in range(3):
            self.edit(number)
            bench.run(self.command)
        self.plain = there + [self.folder / ".venv/bin/python", "-c", ""]

    def edit(self, number):
        """Writes the project's file, with one requirement more every other time."""
        (self.folder / "pyproject.toml").write_text(PROJECT % (', "idna>=3"' if number % 2 else ""))

    def seconds(self, number=None):
        """The time of a run, after an edit if a number is given."""
        if number is not None:
            self.edit(number + 1)
        return self.bench.run(self.command)[0]


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, default=20, help="pairs for each figure (default: 20)")
    arguments = parser.parse_args()
    bench = run.Bench(run.find_program(arguments), arguments.rounds, True)
    try:
        bench.run([bench.python, "-m", "venv", bench.root / "uv"])
        bench.run([bench.root / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"])
        ours = Contestant(bench, "virtpy", [bench.virtpy, "run"])
        theirs = Contestant(bench, "uv-run", [bench.uv, "run", "--quiet"] + run.index_arguments(bench))
        for name, one in (("virtpy", ours), ("uv", theirs)):
            whole, plain = bench.pairs(lambda _, one=one: one.seconds(), lambda _, one=one: bench.run(one.plain)[0])
            added = 1000.0 * median(mine - other for mine, other in zip(whole, plain))
            goal = " (goal: %.1f ms)" % GOAL_MILLISECONDS if name == "virtpy" else ""
            print("%s: nothing to do adds %.1f ms to Python's %.1f ms%s" % (name, added, 1000.0 * median(plain), goal))
        mine, others = bench.pairs(ours.seconds, theirs.seconds)
        bench.row("run after an edit", mine, others, GOAL_RATIO)
    finally:
        bench.remove()


if __name__ == "__main__":
    main()
