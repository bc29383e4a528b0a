#!/usr/bin/env python3
"""How long a fresh venv of a locked project takes Poetry, Poetry with the plugin, and `virtpy poetry-install`.

    python3 benches/poetry.py [--virtpy target/release/virtpy] [--poetry poetry-2.5] [--rounds 5]

All three are warm (everything was downloaded, built and unpacked before) and run by turns; medians are compared. The
project is the one of `tests/online/poetry.py`: more than 40 packages, a repository, two folders.
"""

import argparse
import shutil
import statistics
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/online"))

import poetry  # noqa: E402
from support import Place  # noqa: E402


def contestants(scene):
    """Three projects with the same lock file, and what fills the venv of each."""
    folders = {name: scene.project(name) for name in ("poetry", "plugin", "poetry-install")}
    scene.run(folders["poetry"], "lock", "--no-plugins")
    for name in ("plugin", "poetry-install"):
        shutil.copy(str(folders["poetry"] / "poetry.lock"), str(folders[name]))
    own = folders["poetry-install"]
    return {
        "poetry": (folders["poetry"], lambda: scene.run(folders["poetry"], "--no-plugins", "install")),
        "plugin": (
            folders["plugin"],
            lambda: scene.run(folders["plugin"], "install", POETRY_VIRTPY_CREATE="true"),
        ),
        "poetry-install": (
            own,
            lambda: scene.place.virtpy("poetry-install", "--project", own, "--venv", own / ".venv"),
        ),
    }


def measure(scene, rounds):
    """The seconds of each contestant in each round; the first round only warms up."""
    seconds = {}
    fillers = contestants(scene)
    for number in range(rounds + 1):
        for name, (folder, fill) in fillers.items():
            shutil.rmtree(str(folder / ".venv"), ignore_errors=True)
            start = time.monotonic()
            fill()
            if number:
                seconds.setdefault(name, []).append(time.monotonic() - start)
    return seconds


def main():
    """Runs the contestants and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, default=ROOT / "target/release/virtpy", help="the program under test")
    parser.add_argument("--poetry", default="poetry-2.5", choices=sorted(poetry.VERSIONS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    place = Place(arguments.virtpy.resolve())
    try:
        index = poetry.prepare(place, [arguments.poetry])
        scene = poetry.Scene(place, arguments.poetry, index)
        place.virtpy("poetry", "enable", scene.poetry)
        seconds = measure(scene, arguments.rounds)
        base = statistics.median(seconds["poetry"])
        for name, values in seconds.items():
            middle = statistics.median(values)
            print("%-15s %8.3f s   ratio %.3f" % (name, middle, middle / base))
        index.stop()
    finally:
        place.remove()


if __name__ == "__main__":
    main()
