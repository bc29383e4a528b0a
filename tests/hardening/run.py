#!/usr/bin/env python3
"""The hardening suite: kills, crowds and bad disks, and what virtpy leaves behind after them.

    python3 tests/hardening/run.py [--virtpy target/release/virtpy] [--quick] [--kills N] [--only NAME]

It makes its own wheels and needs no network. Nothing but Python 3.8 or newer and its standard library is
needed; with strace, and as root on Linux, it shows more.
"""

import argparse
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

import collecting  # noqa: E402
import crowds  # noqa: E402
import cuts  # noqa: E402
import disks  # noqa: E402
import kills  # noqa: E402
import layers  # noqa: E402
import projects  # noqa: E402
import pythons  # noqa: E402
import servers  # noqa: E402
import strangers  # noqa: E402
import tools  # noqa: E402
import writers  # noqa: E402
from support import CheckFailed  # noqa: E402

SUITES = {
    "kills": kills.check,
    "crowds": crowds.check,
    "disks": disks.check,
    "cuts": cuts.check,
    "projects": projects.check,
    "pythons": pythons.check,
    "tools": tools.check,
    "collecting": collecting.check,
    "servers": servers.check,
    "strangers": strangers.check,
    "writers": writers.check,
    "layers": layers.check,
}


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "target" / "release" / "virtpy"
    parser.add_argument("--virtpy", type=Path, default=default, help="the program under test")
    parser.add_argument("--quick", action="store_true", help="50 kills, 5 power cuts, smaller crowds, fewer disks")
    parser.add_argument("--kills", type=int, help="how many kills at least (1000)")
    parser.add_argument("--cuts", type=int, help="how many power cuts (150)")
    parser.add_argument("--in-change", action="store_true", help="cut the power while a venv is changed, not at any time")
    parser.add_argument("--only", action="append", metavar="NAME", help="a suite: " + ", ".join(SUITES))
    parser.add_argument("--scenario", action="append", dest="scenarios", help="a scenario of `kills` or `disks`")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10000, help="chooses the random times")
    parser.add_argument("--folder", help="where to work; by default where temporary files are")
    parser.add_argument("--keep", action="store_true", help="leave the folders for a look")
    arguments = parser.parse_args()
    if not arguments.virtpy.exists():
        parser.error("%s does not exist; build it with `cargo build --release`" % arguments.virtpy)
    unknown = [name for name in arguments.only or [] if name not in SUITES]
    if unknown:
        parser.error("there is no suite " + ", ".join(unknown))
    if arguments.kills is None:
        arguments.kills = 50 if arguments.quick else 1000
    if arguments.cuts is None:
        arguments.cuts = 5 if arguments.quick else 150
    return arguments


def main():
    """Runs the suites that are asked for, all by default, and ends with 1 if one of them fails."""
    arguments = parse()
    print("seed %d" % arguments.seed)
    passed, failed = 0, 0
    for name in arguments.only or SUITES:
        start = time.monotonic()
        print("%s ..." % name, flush=True)
        try:
            for step in SUITES[name](arguments):
                is_fine = not step.startswith(("skipped", "FAILED"))
                passed, failed = passed + is_fine, failed + step.startswith("FAILED")
                print("  ok: %s" % step if is_fine else "  %s" % step, flush=True)
        except CheckFailed as problem:
            failed += 1
            print("  FAILED: %s" % problem, flush=True)
        except Exception:  # An accident in one suite must not hide the others.
            failed += 1
            traceback.print_exc(file=sys.stdout)
        print("%s: %.0f s" % (name, time.monotonic() - start), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
