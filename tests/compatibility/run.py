#!/usr/bin/env python3
"""The compatibility suite: popular distributions in a virtpy venv and in one of real files must not differ.

    python3 tests/compatibility/run.py                 # everything: hours, tens of GB of downloads and disk
    python3 tests/compatibility/run.py --quick         # a few minutes; what is served over HTTP comes first
    python3 tests/compatibility/run.py --group web
    python3 tests/compatibility/run.py --suites        # the tests that distributions carry themselves

Needs Python 3.11 or 3.12 on the machine, and the package index that pip is configured for.
"""

import argparse
import shutil
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.
sys.path.append(str(Path(__file__).resolve().parents[1] / "online"))

import carried_suites  # noqa: E402
import files  # noqa: E402
import imports  # noqa: E402
import metadata  # noqa: E402
import plugins  # noqa: E402
import scripts  # noqa: E402
import served  # noqa: E402
import specifics  # noqa: E402
from distributions import GROUPS, WHOLE  # noqa: E402
from pair import Pair, Skipped, suitable_interpreter  # noqa: E402
from support import CheckFailed, Place  # noqa: E402

RESERVE = 15  # GB that are to stay free on the disk


class Tally:
    """Runs steps, prints how they end, and counts."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def step(self, title, function, *arguments):
        """Runs one step; its failure is no reason to leave out the next. Returns whether it passed."""
        start = time.monotonic()
        try:
            text = function(*arguments)
        except Skipped as reason:
            self.skipped += 1
            print("  skipped: %s: %s" % (title, reason), flush=True)
            return False
        except CheckFailed as problem:
            self.failed += 1
            print("  FAILED: %s: %s" % (title, problem), flush=True)
            return False
        except Exception:  # An accident in one step must not hide the others.
            self.failed += 1
            print("  FAILED: %s" % title, flush=True)
            traceback.print_exc(file=sys.stdout)
            return False
        self.passed += 1
        print("  ok: %s (%.0f s)" % (text, time.monotonic() - start), flush=True)
        return True


def require_space(place, group):
    """Skips what would fill the disk."""
    free = shutil.disk_usage(str(place.root)).free / 1e9
    if free < group.space + RESERVE:
        text = "%.0f GB are free; %.0f GB and a reserve of %d are needed"
        raise Skipped(text % (free, group.space, RESERVE))
    return "%.0f GB are free" % free


def build(pair, name):
    """Makes the pair of venvs of a group."""
    pair.build(GROUPS[name].names, cached=name != "torch")
    pair.place.virtpy("check", "--venv", "ours")
    return "%d distributions (%d of them named) installed by both" % (len(pair.pins), len(GROUPS[name].names))


def compare_group(tally, pair, name):
    """All comparisons of a group, those first that others could disturb."""
    if not tally.step("space", require_space, pair.place, GROUPS[name]):
        return
    if not tally.step("installing", build, pair, name):
        return
    tally.step("metadata", metadata.check, pair)
    tally.step("files", files.check, pair)
    before = files.snapshot(pair)
    for title, function in specifics.steps(GROUPS[name].specifics):
        tally.step(title, function, pair)
    tally.step("imports", imports.check, pair)
    tally.step("scripts", scripts.check, pair)
    tally.step("store", files.check_untouched, pair, before)
    for line in sorted(set(pair.explained)):
        print("  explained: %s" % line, flush=True)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "target" / "release" / "virtpy"
    parser.add_argument("--virtpy", type=Path, default=default, help="the program under test")
    parser.add_argument("--quick", action="store_true", help="the small group alone")
    suites = "only the tests that distributions carry: all, or some of " + ", ".join(carried_suites.SUITES)
    parser.add_argument("--suites", nargs="*", metavar="NAME", help=suites)
    parser.add_argument("--group", action="append", choices=sorted([*GROUPS, "served", "plugins"]), help="a group (can be repeated)")
    parser.add_argument("--keep", action="store_true", help="leave the folders for a look")
    found = parser.parse_args()
    unknown = sorted(set(found.suites or ()) - set(carried_suites.SUITES))
    if unknown:
        parser.error("there is no suite " + ", ".join(unknown))
    if not found.virtpy.exists():
        parser.error("%s does not exist; build it with `cargo build --release`" % found.virtpy)
    return found


def main():
    """Runs the groups that are asked for, and ends with 1 if a step fails."""
    options = arguments()
    if options.suites is not None:
        work = [("carried suites", carried_suites.run, options.suites or list(carried_suites.SUITES))]
    else:
        names = ["served", "quick"] if options.quick else options.group or WHOLE
        work = [(name, compare_group, name) for name in names if name in GROUPS]
        own = {"served": (served.run, options.quick), "plugins": (plugins.run, None)}
        work = [(name, *own[name]) for name in names if name in own] + work
    tally = Tally()
    for name, function, subject in work:
        start = time.monotonic()
        print("%s ..." % name, flush=True)
        place = Place(options.virtpy.resolve())
        try:
            function(tally, Pair(place, suitable_interpreter()), subject)
        finally:
            if options.keep:
                print("  kept: %s" % place.root)
            else:
                place.remove()
        print("%s: %.0f s" % (name, time.monotonic() - start), flush=True)
    skipped = ", %d skipped" % tally.skipped if tally.skipped else ""
    print("%d passed, %d failed%s" % (tally.passed, tally.failed, skipped))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
