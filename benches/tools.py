#!/usr/bin/env python3
"""Compares applications on PATH as virtpy, uv and pipx install them: the disk that they take, and the time.

    python3 benches/tools.py [--virtpy target/release/virtpy] [--few] [--rounds 9]

Installs uv and pipx into throw-away venvs, and twenty applications with each of the three. After that everything is
warm: `install black` finds all that it needs in the program's own cache or store. The three take turns, and medians are
compared. The disk is counted by blocks, every inode once: of virtpy its home with the store and all caches, of uv the
folder of its tools and its cache, of pipx its home with the libraries that its environments share (pip's own cache, which
pipx needs to be fast, is told beside).

How long a warm installation takes depends on the index: whether it lets its pages be kept for some minutes, as public
registries do. So it is measured three times: against a loopback index that does, without any index, and against the
configured one.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
# Both folders have a `tools.py` and a `run.py`: the applications are those of the check, the index is the bench's.
sys.path.insert(0, str(ROOT / "tests/online"))

import tools  # noqa: E402
from support import own_interpreter  # noqa: E402

sys.path.insert(0, str(ROOT / "benches"))

from run import index_arguments  # noqa: E402

sys.path.append(str(ROOT / "tests/hardening"))

import wheels  # noqa: E402


class Handler(wheels.Handler):
    """Lets what it serves be kept, as registries do."""

    def end_headers(self):
        """Adds a line to each answer."""
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()


class Bench:
    """The three programs and their folders."""

    def __init__(self, virtpy, rounds, folder):
        self.root = Path(tempfile.mkdtemp(prefix="v-", dir=folder)).resolve()
        self.virtpy, self.rounds, self.python = str(virtpy), rounds, own_interpreter()
        self.environment = dict(os.environ)
        for name in list(self.environment):
            if name.startswith(("PIPX_", "UV_")) or name in ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
                del self.environment[name]
        folders = {
            "VIRTPY_HOME": "s",
            "UV_TOOL_DIR": "uv-tools",
            "UV_TOOL_BIN_DIR": "uv-bin",
            "UV_CACHE_DIR": "uv-cache",
            "PIPX_HOME": "pipx",
            "PIPX_BIN_DIR": "pipx-bin",
            "PIPX_MAN_DIR": "pipx-man",
            "PIPX_COMPLETION_DIR": "pipx-completions",
            "PIP_CACHE_DIR": "pip-cache",
        }
        for name, folder in folders.items():
            self.environment[name] = str(self.root / folder)
        self.environment["PIPX_DEFAULT_BACKEND"] = "pip"
        for name in ("uv", "pipx"):
            self.run([self.python, "-m", "venv", self.root / (name + "-venv")])
            self.run([self.root / (name + "-venv") / "bin/python", "-m", "pip", "install", "--quiet", name])
        self.uv, self.uvx = (self.root / "uv-venv/bin" / name for name in ("uv", "uvx"))
        self.pipx = self.root / "pipx-venv/bin/pipx"
        self.index = index_arguments(self)

    def run(self, command):
        """Runs a command that must succeed; returns its time in seconds."""
        arguments = [str(argument) for argument in command]
        start = time.perf_counter()
        done = subprocess.run(
            arguments,
            env=self.environment,
            cwd=str(self.root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit("$ %s\nexit code %d\n%s" % (" ".join(arguments), done.returncode, done.stdout))
        return seconds

    def install(self, name, index=None, offline=False):
        """What installs an application, by program; from another index if it is given."""
        other = ["--index-url", index] if index else []
        uv_index = ["--default-index", index] if index else self.index
        commands = {
            "virtpy": [self.virtpy, "install", "-p", self.python, name] + other,
            "uv": [self.uv, "tool", "install", "--quiet", "-p", self.python, name] + uv_index,
        }
        if offline:
            return {program: command + ["--offline"] for program, command in commands.items()}
        commands["pipx"] = [self.pipx, "install", "--quiet", "--python", self.python, name] + other
        return commands

    def shelf(self, name):
        """A loopback index that has an application and what it requires."""
        folder = self.root / "wheels"
        self.run([self.root / "uv-venv/bin/python", "-m", "pip", "download", "--quiet", "--dest", folder, name])
        index = wheels.Index(folder)
        index.server.RequestHandlerClass = Handler
        return index

    def uninstall(self, name):
        """What uninstalls it."""
        return {
            "virtpy": [self.virtpy, "uninstall", name],
            "uv": [self.uv, "tool", "uninstall", "--quiet", name],
            "pipx": [self.pipx, "uninstall", "--quiet", name],
        }

    def turns(self, commands, before=None):
        """The medians of the seconds of some commands that take turns; each after its part of `before`, which is not
        measured. The first round only warms up."""
        seconds = {program: [] for program in commands}
        programs = list(commands)
        for number in range(self.rounds + 1):
            for program in programs if number % 2 else reversed(programs):
                if before:
                    self.run(before[program])
                taken = self.run(commands[program])
                if number:
                    seconds[program].append(taken)
        return {program: median(values) for program, values in seconds.items()}

    def row(self, what, values, goals=(), unit="ms", scale=1000.0):
        """Prints a line: the values, and virtpy's as ratios to the others."""
        goals = dict(goals)
        parts = ["%s %.1f %s" % (program, value * scale, unit) for program, value in values.items()]
        for program in [program for program in values if program != "virtpy"]:
            ratio = values["virtpy"] / values[program]
            goal = goals.get(program)
            verdict = "" if goal is None else " (goal %s: %s)" % (goal, "met" if ratio <= goal else "MISSED")
            parts.append("%.3f of %s%s" % (ratio, program, verdict))
        print("%-28s %s" % (what, "   ".join(parts)), flush=True)


def disk(*folders):
    """The bytes that folders take, every inode counted once."""
    seen, total = set(), 0
    for top in folders:
        for folder, folders_inside, files in os.walk(str(top)):
            for path in [folder] + [os.path.join(folder, name) for name in folders_inside + files]:
                facts = os.lstat(path)
                if (facts.st_dev, facts.st_ino) not in seen:
                    seen.add((facts.st_dev, facts.st_ino))
                    total += facts.st_blocks * 512
    return total


def compare(bench, names):
    """Fills the three, and measures."""
    cold = {program: 0.0 for program in ("virtpy", "uv", "pipx")}
    for name in names:
        for program, command in bench.install(name).items():
            cold[program] += bench.run(command)
    bench.row("installed %d, cold" % len(names), cold, unit="s", scale=1.0)
    root, mega = bench.root, 1e-6
    taken = {
        "virtpy": disk(root / "s"),
        "uv": disk(root / "uv-tools", root / "uv-cache", root / "uv-bin"),
        "pipx": disk(root / "pipx", root / "pipx-bin"),
    }
    bench.row("disk", taken, unit="MB", scale=mega)
    alone = {"virtpy": disk(root / "s/tools"), "uv": disk(root / "uv-tools"), "pipx": disk(root / "pipx/venvs")}
    bench.row("  the venvs alone", alone, unit="MB", scale=mega)
    print("  pip's cache beside pipx: %.1f MB" % (disk(root / "pip-cache") * mega), flush=True)

    without = bench.uninstall("black")
    index = bench.shelf("black")
    kept = bench.turns(bench.install("black", index.url), without)
    index.stop()
    bench.row("install black, pages kept", kept, {"uv": 0.3, "pipx": 0.03})
    bench.row("  the same with --offline", bench.turns(bench.install("black", offline=True), without), {"uv": 0.3})
    bench.row("  from the configured index", bench.turns(bench.install("black"), without))
    runs = {
        "virtpy": [bench.virtpy, "tool", "run", "--from", "pipdeptree", "pipdeptree", "--version"],
        "uv": [bench.uvx, "--quiet"] + bench.index + ["-p", bench.python, "--from", "pipdeptree", "pipdeptree", "--version"],
    }
    bench.row("tool run again", bench.turns(runs))
    lists = {
        "virtpy": [bench.virtpy, "tool", "list"],
        "uv": [bench.uv, "tool", "list"],
        "pipx": [bench.pipx, "list"],
    }
    bench.row("tool list", bench.turns(lists))
    bench.rounds = min(bench.rounds, 3)
    upgrades = {
        "virtpy": [bench.virtpy, "upgrade", "--all"],
        "uv": [bench.uv, "tool", "upgrade", "--quiet", "--all"] + bench.index,
        "pipx": [bench.pipx, "upgrade-all", "--quiet"],
    }
    bench.row("upgrade of all, none newer", bench.turns(upgrades))


def main():
    """Runs the comparison. Missed goals are told, not punished; only a broken run ends with an error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, default=ROOT / "target/release/virtpy", help="the program under test")
    parser.add_argument("--few", action="store_true", help="six applications instead of twenty")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", help="where to work; by default where temporary files are")
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    arguments = parser.parse_args()
    bench = Bench(arguments.virtpy.resolve(), arguments.rounds, arguments.folder)
    try:
        compare(bench, tools.FEW if arguments.few else list(tools.CLASSICS))
    finally:
        if arguments.keep:
            print("kept: %s" % bench.root)
        else:
            for folder, _, _ in os.walk(str(bench.root)):
                os.chmod(folder, 0o755)
            shutil.rmtree(str(bench.root))


if __name__ == "__main__":
    main()
