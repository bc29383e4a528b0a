#!/usr/bin/env python3
"""What `virtpy run` adds to Python's own start, beside what `uv run` adds, for a script with inline metadata.

    python3 benches/scripts.py [--virtpy PROGRAM] [--rounds N]

The script names three packages and imports them. Each program has made its environment and the bytecode before; then it
and the plain interpreter of that environment are started by turns. The overhead is the median of the differences. Beside
the times, the system calls between the program's start and that of Python are counted, if strace is there.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True

import run  # noqa: E402

SCRIPT = """# /// script
# dependencies = ["idna", "certifi", "packaging"]
# ///
import sys

import certifi
import idna
import packaging.version

print(sys.prefix)
"""

#: What virtpy may add, in milliseconds, and as a share of what uv adds.
GOAL_MILLISECONDS, GOAL_RATIO = 5.0, 0.3


def contestant(bench, command):
    """Runs a command twice, so that all is made; returns it with the interpreter of its environment."""
    bench.run(command)
    prefix = bench.run(command)[1].strip().splitlines()[-1]
    return command, [Path(prefix) / "bin/python", bench.root / "script.py"]


def overhead(bench, pair):
    """Milliseconds: the medians of the program and of plain Python, and that of the differences."""
    whole, plain = bench.pairs(*(lambda _, command=command: bench.run(command)[0] for command in pair))
    differences = [one - other for one, other in zip(whole, plain)]
    return [1000.0 * median(values) for values in (whole, plain, differences)]


def system_calls(bench, command):
    """How many system calls are made until the first program starts another one."""
    if not shutil.which("strace"):
        return None
    trace = bench.root / "trace"
    bench.run(["strace", "-f", "-o", trace] + list(command))
    count = 0
    for line in trace.read_text().splitlines():
        if re.search(r"\bexecve\(.*= 0$", line) and count:
            return count
        count += 1
    return count


def main():
    """Runs the contestants and prints a table. Missed goals are told, not punished."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, default=40, help="pairs for each figure (default: 40)")
    arguments = parser.parse_args()
    bench = run.Bench(run.find_program(arguments), arguments.rounds, True)
    try:
        bench.run([bench.python, "-m", "venv", bench.root / "uv"])
        bench.run([bench.root / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"])
        index = run.index_arguments(bench)
        script = bench.root / "script.py"
        script.write_text(SCRIPT)
        ours = contestant(bench, [bench.virtpy, "run", "--python", bench.python, script])
        theirs = contestant(bench, [bench.uv, "run", "--quiet", "--python", bench.python] + index + [script])
        print("%-12s %12s %12s %12s %14s" % ("", "run", "plain", "overhead", "system calls"))
        added = []
        for name, pair in (("virtpy", ours), ("uv", theirs)):
            whole, plain, difference = overhead(bench, pair)
            added.append(difference)
            calls = system_calls(bench, pair[0])
            print("%-12s %9.1f ms %9.1f ms %9.2f ms %14s" % (name, whole, plain, difference, calls or "-"))
        ratio = added[0] / added[1]
        met = added[0] <= GOAL_MILLISECONDS and ratio <= GOAL_RATIO
        print("ratio %.3f  goal %.1f and at most %.0f ms  %s"
              % (ratio, GOAL_RATIO, GOAL_MILLISECONDS, "met" if met else "MISSED"))
    finally:
        bench.remove()


if __name__ == "__main__":
    main()
