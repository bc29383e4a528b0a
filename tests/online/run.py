#!/usr/bin/env python3
"""The slower suite: virtpy on real distributions from the package index that pip on this machine uses.

    python3 tests/online/run.py [--virtpy target/release/virtpy] [CHECK ...]

Needs nothing but Python 3.8 or newer and its standard library.
"""

import argparse
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

import adopt  # noqa: E402
import archive_differential  # noqa: E402
import foreign_tools  # noqa: E402
import lock_projects  # noqa: E402
import locks  # noqa: E402
import pip_callers  # noqa: E402
import pip_suite  # noqa: E402
import poetry  # noqa: E402
import python_side_by_side  # noqa: E402
import python_use  # noqa: E402
import pythons  # noqa: E402
import reach  # noqa: E402
import real_path_tools  # noqa: E402
import remote  # noqa: E402
import remote_builds  # noqa: E402
import second_venv  # noqa: E402
import shells  # noqa: E402
import side_by_side  # noqa: E402
import sources  # noqa: E402
import tools  # noqa: E402
from support import CheckFailed, Place  # noqa: E402

CHECKS = {
    "archive-differential": archive_differential.check,
    "archive-differential-all": archive_differential.check_all,
    "side-by-side": side_by_side.check,
    "side-by-side-all": side_by_side.check_all,
    "second-venv": second_venv.check,
    "pythons": pythons.check,
    "python-side-by-side": python_side_by_side.check,
    "python-use": python_use.check,
    "shells": shells.check,
    "sources": sources.check,
    "adopt": adopt.check,
    "locks": locks.check,
    "lock-projects": lock_projects.check,
    "foreign-tools": foreign_tools.check,
    "foreign-tools-all": foreign_tools.check_all,
    "pip-callers": pip_callers.check,
    "pip-suite": pip_suite.check,
    "pip-suite-all": pip_suite.check_all,
    "poetry": poetry.check,
    "poetry-all": poetry.check_all,
    "poetry-between": poetry.check_between,
    "reach": reach.check,
    "real-path-tools": real_path_tools.check,
    "remote": remote.check,
    "remote-all": remote.check_all,
    "remote-builds": remote_builds.check,
    "tools": tools.check,
    "tools-all": tools.check_all,
}

# Run only when they are named: they take many minutes.
BY_NAME = {name for name in CHECKS if name.endswith("-all")} | {
    "adopt",
    "poetry-between",
    "real-path-tools",
}


def beside_each_other(arguments, names):
    """Runs each check in a process of its own, and prints what it said when it has ended."""
    command = [sys.executable, __file__, "--virtpy", str(arguments.virtpy)] + ["--keep"] * arguments.keep

    def run(name):
        done = subprocess.run(command + [name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        print(done.stdout.decode(errors="replace"), end="", flush=True)
        return done.returncode

    with ThreadPoolExecutor(arguments.jobs) as pool:
        return max(pool.map(run, names))


def main():
    """Runs the checks that are asked for, all by default, and ends with 1 if one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "target" / "release" / "virtpy"
    parser.add_argument("--virtpy", type=Path, default=default, help="the program under test")
    parser.add_argument("--jobs", type=int, default=1, help="how many checks run beside each other")
    parser.add_argument("--keep", action="store_true", help="leave the folders for a look")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="one of: " + ", ".join(CHECKS))
    arguments = parser.parse_args()
    if not arguments.virtpy.exists():
        parser.error("%s does not exist; build it with `cargo build --release`" % arguments.virtpy)
    unknown = [name for name in arguments.checks if name not in CHECKS]
    if unknown:
        parser.error("there is no check " + ", ".join(unknown))
    names = arguments.checks or [name for name in CHECKS if name not in BY_NAME]
    if arguments.jobs > 1:
        return beside_each_other(arguments, names)
    passed, failed = 0, 0
    for name in names:
        start = time.monotonic()
        place = Place(arguments.virtpy.resolve())
        print("%s ..." % name, flush=True)
        try:
            for step in CHECKS[name](place):
                passed += 1
                print("  ok: %s" % step, flush=True)
        except CheckFailed as problem:
            failed += 1
            print("  FAILED: %s" % problem, flush=True)
        except Exception:  # An accident in one check must not hide the others.
            failed += 1
            traceback.print_exc(file=sys.stdout)
        print("%s: %.0f s" % (name, time.monotonic() - start), flush=True)
        if arguments.keep:
            print("  kept: %s" % place.root)
        else:
            place.remove()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
