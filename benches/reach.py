#!/usr/bin/env python3
"""What `virtpy enable` saves tox, nox, Hatch and pre-commit, and what its plugin costs virtualenv.

    python3 benches/reach.py [--virtpy target/release/virtpy] [--rounds 5]

Makes the environments of tox (six) and pre-commit (ten hooks) anew, warm, in turns: plain, and with the plugin. Prints medians, the ratio,
and the bytes of all environments. Then `virtualenv V` with the plugin against `virtualenv --no-seed V` without it.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/online"))

import reach  # noqa: E402
from support import Place  # noqa: E402

TOX = """
[tox]
env_list = one, two, three, four, five, six
[testenv]
deps = pytest
commands = python -c ""
"""

# Each hook has an environment of its own, since what it needs besides differs.
EXTRAS = ["attrs", "rich", "idna", "six", "packaging", "iniconfig", "pluggy", "pygments", "click", "colorama"]


def hooks():
    """A configuration with ten hooks of this repository."""
    lines = ["repos:", "- repo: local", "  hooks:"]
    for extra in EXTRAS:
        lines += ["  - id: %s" % extra, "    name: %s" % extra, "    language: python", "    entry: python -c ''"]
        lines += ["    additional_dependencies: [%s]" % extra, "    pass_filenames: false"]
    return "\n".join(lines) + "\n"


def environments(folder):
    """All venvs below a folder."""
    return [config.parent for config in folder.rglob("pyvenv.cfg")]


class Bench:
    """The tools with the plugin and without it, each with a project."""

    def __init__(self, place, rounds):
        self.scene, self.rounds = reach.Scene(place), rounds
        plain = self.scene.tools
        self.tools = {"plain": plain, "shared": self.scene.install("enabled", reach.TOOLS)}
        self.scene.virtpy("enable", self.tools["shared"])
        self.projects = {}
        for name in self.tools:
            self.projects[name] = self.scene.project("project-" + name)
            reach.write(self.projects[name], {"tox.ini": TOX, ".pre-commit-config.yaml": hooks()})

    def run(self, name, tool, *arguments, **variables):
        """Runs a tool of one kind in its project, and returns how long it took."""
        environment = dict(self.scene.environment, **variables)
        command = [self.tools[name] / "bin" / tool] + list(arguments)
        start = time.monotonic()
        self.scene.place.run(command, environment=environment, cwd=self.projects[name])
        return time.monotonic() - start

    def make(self, name, tool):
        """Makes all environments of a tool anew."""
        folder = self.projects[name] / (".tox" if tool == "tox" else ".pre-commit")
        shutil.rmtree(str(folder), ignore_errors=True)
        if tool == "tox":
            return self.run(name, "tox", "-q", "run", "--notest")
        return self.run(name, "pre-commit", "install-hooks", PRE_COMMIT_HOME=str(folder))

    def compare(self, tool):
        """Prints what both kinds take for a tool; the first round warms up."""
        seconds = {name: [] for name in self.tools}
        for number in range(self.rounds + 1):
            for name, taken in seconds.items():
                needed = self.make(name, tool)
                if number:
                    taken.append(needed)
        folder = ".tox" if tool == "tox" else ".pre-commit"
        found = {name: environments(project / folder) for name, project in self.projects.items()}
        sizes = {name: sum(reach.disk_use(venv) for venv in venvs) for name, venvs in found.items()}
        times = {name: median(taken) for name, taken in seconds.items()}
        ratio, share = times["shared"] / times["plain"], sizes["shared"] / sizes["plain"]
        print(
            "%-10s %2d environments: plain %6.2f s %6.1f MB, with the plugin %6.2f s %6.1f MB: %3.0f %% of the time, %.1f %% "
            "of the bytes"
            % (
                tool,
                len(found["shared"]),
                times["plain"],
                sizes["plain"] / 1e6,
                times["shared"],
                sizes["shared"] / 1e6,
                100 * ratio,
                100 * share,
            )
        )

    def seeding(self):
        """Prints what the plugin costs virtualenv itself."""
        kinds = {"--no-seed": ("plain", ["--no-seed"]), "copied": ("plain", []), "plugin": ("shared", [])}
        seconds = {kind: [] for kind in kinds}
        venv = self.scene.place.path("seeded")
        for number in range(4 * self.rounds + 1):
            for kind, (name, options) in kinds.items():
                shutil.rmtree(str(venv), ignore_errors=True)
                needed = self.run(name, "virtualenv", "-q", "--no-setuptools", *options, str(venv))
                if number:
                    seconds[kind].append(needed)
        base = median(seconds["--no-seed"])
        for kind, taken in seconds.items():
            print("virtualenv, %-9s %6.0f ms   ratio %.2f" % (kind, 1000 * median(taken), median(taken) / base))


def main():
    """Runs the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, default=ROOT / "target/release/virtpy", help="the program under test")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    place = Place(arguments.virtpy.resolve())
    try:
        bench = Bench(place, arguments.rounds)
        bench.seeding()
        for tool in ("tox", "pre-commit"):
            bench.compare(tool)
    finally:
        place.remove()


if __name__ == "__main__":
    main()
