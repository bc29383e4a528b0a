#!/usr/bin/env python3
"""The first imports after a cold `add`: at once, while bytecode is compiled in the background, afterwards, in a second venv.

    python3 benches/bytecode.py [--quick] [--virtpy PROGRAM] [--rounds N]

Each round fills an empty store from wheels on the disk. One half of a round imports again and again from the moment at which
`add` ends, the other leaves the processors to the background and looks when the bytecode is there: of what the imports
need, and of everything. Python writes no bytecode here (`PYTHONDONTWRITEBYTECODE`), as it cannot for an ordinary user;
root's Python would write into the store. Needs only Python 3.8 or newer with pip.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

from run import Bench, find_program, index_arguments  # noqa: E402

LIMIT = 300.0  # Whatever takes longer is broken.
SHARES = (50, 90, 99, 100)  # Of what is imported, in percent.
GOALS = {"imported": 5.0, "everything": 20.0}

# Prints where the bytecode belongs of the modules that an import has loaded from the store.
WHERE = """
import importlib.util, os, sys
for module in list(sys.modules.values()):
    source = getattr(module, "__file__", None)
    if source and source.endswith(".py"):
        source = os.path.realpath(source)
        if source.startswith(%r):
            print(importlib.util.cache_from_source(source))
"""


class Scene:
    """A round: an empty store and a venv that was just filled."""

    def __init__(self, bench, name, bytecode="background"):
        self.bench, self.store = bench, bench.root / ("store-" + name)
        self.venvs = bench.root / ("venvs-" + name)
        bench.environment.update(VIRTPY_HOME=str(self.store), VIRTPY_BYTECODE=bytecode)
        self.add("first")
        self.begin = time.perf_counter()

    def add(self, name):
        """Fills a venv."""
        venv, bench = self.venvs / name, self.bench
        bench.run([bench.virtpy, "new", venv, "-p", bench.python])
        source = ["--no-index", "--find-links", bench.root / "wheels", "--no-deps"]
        bench.run([bench.virtpy, "add", "--venv", venv] + source + ["-r", bench.root / "pins.txt"])

    def age(self):
        """Seconds since the command ended."""
        return time.perf_counter() - self.begin

    def code(self, name="first"):
        """The command that imports in a venv."""
        return [self.venvs / name / "bin/python", "-c", "import " + self.bench.imports]

    def imports(self, name="first"):
        """How long the imports take."""
        return self.bench.run(self.code(name))[0]

    def needed(self):
        """Where the bytecode belongs of what is imported."""
        command = self.code()
        command[-1] += WHERE % str(self.store / "w")
        return self.bench.run(command)[1].split()

    def is_done(self):
        """Whether nothing waits for being compiled."""
        requests = self.store / "compiling" / "requests"
        return not requests.exists() or not any(requests.iterdir())

    def wait(self, holds):
        """Waits until something holds; returns how old the scene is then."""
        while not holds():
            if self.age() > LIMIT:
                sys.exit("not within %d s" % LIMIT)
            time.sleep(0.02)
        return self.age()

    def end(self):
        """Waits for the background, and removes everything."""
        self.wait(self.is_done)
        # The process looks at the store before it ends.
        self.bench.run([self.bench.virtpy, "store", "compile", "--wait"])
        for folder in (self.venvs, self.store):
            subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
            subprocess.run(["rm", "-rf", str(folder)], check=True)


def set_up(bench):
    """Resolves the pins and has their wheels on the disk."""
    bench.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    bench.run([bench.python, "-m", "venv", bench.root / "uv"])
    bench.run([bench.root / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"])
    (bench.root / "roots.txt").write_text("\n".join(bench.roots) + "\n")
    command = [bench.uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header", "--python", bench.python]
    text = bench.run(command + index_arguments(bench) + [bench.root / "roots.txt"])[1]
    pins = [line for line in text.splitlines() if "==" in line]
    (bench.root / "pins.txt").write_text("\n".join(pins) + "\n")
    pip = [bench.root / "uv/bin/python", "-m", "pip", "wheel", "--quiet", "--no-deps"]
    bench.run(pip + ["-w", bench.root / "wheels", "-r", bench.root / "pins.txt"])
    return len(pins)


def undisturbed(bench, number, needed):
    """Seconds until the bytecode is there, of shares of what is imported and of all, while nobody else wants anything."""
    scene = Scene(bench, "idle-%d" % number)
    missing, reached = list(needed(scene)), {}
    count = len(missing)

    def has_imported():
        missing[:] = [path for path in missing if not os.path.exists(path)]
        for share in SHARES:
            if len(missing) <= count * (100 - share) / 100:
                reached.setdefault(share, scene.age())
        return not missing

    scene.wait(has_imported)
    everything = scene.wait(scene.is_done)
    scene.end()
    return [reached[share] for share in SHARES] + [everything]


def busy(bench, number):
    """How long imports take, one after the other: the first, those while the background works, and those afterwards."""
    scene = Scene(bench, "busy-%d" % number)
    first, during = scene.imports(), []
    while not scene.is_done():
        during.append(scene.imports())
    after = [scene.imports() for _ in range(3)]
    scene.add("second")
    second = scene.imports("second")
    scene.end()
    return first, during, median(after), second


def places(bench):
    """Where the bytecode of the imported modules belongs in a store, and how many modules there are at all."""
    scene = Scene(bench, "eager", "eager")
    prefix = str(scene.store)
    paths = [path[len(prefix):] for path in scene.needed()]
    # What lies directly in `site` is compiled by Python, into the venv.
    paths = [path for path in paths if os.path.exists(prefix + path)]
    every = sum(1 for _, _, files in os.walk(prefix) for name in files if name.endswith(".pyc"))
    alone = median([scene.imports() for _ in range(3)])
    scene.end()
    return paths, every, alone


def main():
    """Measures. Missed goals are told, not punished; only a broken run ends with an error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller set of pins")
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    arguments = parser.parse_args()
    bench = Bench(find_program(arguments), arguments.rounds, arguments.quick)
    try:
        count = set_up(bench)
        paths, every, alone = places(bench)
        print("%d pins, %d modules, %d of them imported; %d processors, load %.1f"
              % (count, every, len(paths), os.cpu_count(), os.getloadavg()[0]))
        needed = lambda scene: [str(scene.store) + path for path in paths]
        scene = Scene(bench, "off", "off")
        print("import without any bytecode %31.2f s" % median([scene.imports() for _ in range(3)]))
        scene.end()
        idle = [undisturbed(bench, number, needed) for number in range(bench.rounds)]
        reached = list(zip(*idle))
        for share, times in zip(SHARES[:-1], reached):
            print("compiled, %d %% of imported %30.2f s" % (share, median(times)))
        for what, times in zip(("imported", "everything"), reached[-2:]):
            verdict = "met" if median(times) <= GOALS[what] else "MISSED"
            print("compiled, %-10s %37.2f s   goal %.0f s, two idle cores  %s"
                  % (what, median(times), GOALS[what], verdict), flush=True)
        rounds = [busy(bench, number) for number in range(bench.rounds)]
        first, during, after, second = zip(*rounds)
        print("import right after `add` %34.2f s" % median(first))
        during = [times for times in during if times]
        if during:
            slowest, number = median([max(times) for times in during]), median([len(times) for times in during])
            print("  the slowest of those while it works (%d of them) %9.2f s" % (number, slowest))
        print("  afterwards %46.2f s" % median(after))
        print("  first in a second venv %34.2f s" % median(second))
        print("with bytecode compiled eagerly %28.2f s" % alone)
    finally:
        bench.remove()


if __name__ == "__main__":
    main()
