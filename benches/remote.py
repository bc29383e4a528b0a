#!/usr/bin/env python3
"""Compares a first install with its bytecode from a remote with the same from the index.

    python3 benches/remote.py [--quick] [--virtpy PROGRAM] [--rounds N] [--folder FOLDER] [--wheels FOLDER]

One machine fills a remote. Then machines with an empty store make a venv with many pins and compile at once, in alternating pairs: with the
remote, and without it. Index and remote share one slow line (20 MB/s in all, 30 ms before each answer). Prints times and processor time. Needs
Python 3.8 or newer with pip. Everything is removed at the end.
"""

import argparse
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

import cold  # noqa: E402
import run as warm  # noqa: E402

GOAL = 0.7


def install(bench, index, name, pins, remote):
    """Makes a venv with a store of its own; returns seconds and processor seconds."""
    bench.environment.update(VIRTPY_HOME=str(bench.root / ("home-" + name)), VIRTPY_BYTECODE="eager", VIRTPY_PIP_SHIM="0")
    bench.environment["VIRTPY_REMOTE"] = remote
    venv = bench.venv("virtpy", name)
    commands = [[bench.virtpy, "new", "-q", venv, "-p", bench.python],
                [bench.virtpy, "add", "-q", "--venv", venv, "--index-url", index.url, "-r", pins]]
    before = cold.processor_seconds()
    seconds = sum(bench.run(command)[0] for command in commands)
    return seconds, cold.processor_seconds() - before


def fill(bench, index, pins):
    """Has one machine push everything, and serves what came of it."""
    storage, key = bench.root / "remote", bench.root / "team.key"
    storage.mkdir()
    public = bench.run([bench.virtpy, "-q", "remote", "key", key])[1].strip()
    bench.environment.update(VIRTPY_REMOTE_PUSH="1", VIRTPY_REMOTE_KEY_FILE=str(key), VIRTPY_REMOTE_TRUST=public)
    install(bench, index, "builder", pins, storage.as_uri())
    bench.environment["VIRTPY_REMOTE_PUSH"] = "0"
    size = 0
    for folder, _, names in os.walk(str(storage)):
        for name in names:
            path = Path(folder) / name
            body = path.read_bytes()
            index.files["/remote/" + path.relative_to(storage).as_posix()] = body
            size += len(body)
    return size


def main():
    """Runs the bench. A missed goal is told, not punished; only a broken run ends with an error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller set of pins and three rounds")
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, help="pairs for each figure (default: 5)")
    parser.add_argument("--folder", type=Path, help="where to work (default: the build's)")
    parser.add_argument("--wheels", type=Path, help="keep the downloaded wheels here for the next time")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (3 if arguments.quick else 5)
    bench = warm.Bench(warm.find_program(arguments), rounds, arguments.quick, arguments.folder)
    try:
        wheels = arguments.wheels.resolve() if arguments.wheels else bench.root / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        pins = cold.set_up(bench, wheels)[0]
        index = cold.Index(wheels)
        size = fill(bench, index, pins)
        index.slow = True
        remote = index.url.replace("/simple/", "/remote")
        count = len(pins.read_text().splitlines())
        print("%d pins, %.0f MB on the remote; Python %s; %d rounds" % (count, size / 1e6, sys.version.split()[0], rounds))
        print("%-34s %14s %14s %8s" % ("", "remote", "index", "ratio"))
        ours, theirs = cold.Measured(), cold.Measured()
        for number in range(rounds):
            pair = [(ours, "remote", remote), (theirs, "index", "off")]
            for measured, what, address in pair if number % 2 == 0 else reversed(pair):
                os.sync()
                seconds, processor = install(bench, index, "%s-%d" % (what, number), pins, address)
                measured.seconds.append(seconds)
                measured.processor.append(processor)
        bench.row("%d pins with bytecode, cold" % count, ours.seconds, theirs.seconds, goal=GOAL)
        bench.row("  processor time", ours.processor, theirs.processor, goal=GOAL)
    finally:
        bench.remove()


if __name__ == "__main__":
    main()
