#!/usr/bin/env python3
"""How long `virtpy python install` and `uv python install` take from one server on the loopback interface.

    python3 benches/python.py [--virtpy target/release/virtpy] [--rounds 15] [--nice N]

An interpreter of this machine is packed in the form of a standalone build, once as .tar.gz and once as .tar.zst. Each
program installs it into an empty folder, by turns, with its defaults and with an index that is a file; the first pair
only warms up. A ratio is the median over the pairs of virtpy's time through uv's; beside the time on the clock stands
that of the processors, which depends less on what else the machine does. Needs Python 3.8 or newer with pip, which
fetches uv.
"""

import argparse
import gzip
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/online"))

from python_archives import Archive, serve  # noqa: E402
from python_side_by_side import uv_table  # noqa: E402

# The strongest level that needs no more memory than usual.
LEVEL = 19

COMPRESS = (
    "import sys, zstandard; "
    "data = open(sys.argv[1], 'rb').read(); "
    "open(sys.argv[2], 'wb').write(zstandard.ZstdCompressor(level=%d).compress(data))" % LEVEL
)


class Contest:
    """A folder with the tools and the served archives."""

    def __init__(self, root, virtpy, niceness):
        self.root, self.virtpy, self.niceness = root, str(virtpy), niceness
        self.served = root / "served"
        self.served.mkdir()
        self.environment = dict(os.environ)
        for name in ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
            self.environment.pop(name, None)
        self.run([sys.executable, "-m", "venv", root / "tools"])
        self.run([root / "tools/bin/pip", "install", "--quiet", "uv", "zstandard"])
        self.uv = root / "tools/bin/uv"
        self.url = serve(self.served)

    def run(self, command, environment=None):
        """Runs a command that must succeed; returns its time and that of the processors, in seconds."""
        arguments = [str(argument) for argument in command]
        before = processor_time()
        start = time.perf_counter()
        done = subprocess.run(
            arguments,
            env=environment or self.environment,
            cwd=str(self.root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            preexec_fn=self.be_nice,
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit("$ %s\nexit code %d\n%s" % (" ".join(arguments), done.returncode, done.stdout))
        return seconds, processor_time() - before

    def be_nice(self):
        """Gives what is started another priority."""
        if self.niceness:
            os.nice(self.niceness)

    def with_virtpy(self, archive, number):
        """Installs into a new home. Returns both times."""
        home = self.root / ("virtpy-%d" % number)
        index = self.root / "index.json"
        index.write_text(json.dumps(archive.index(self.url)))
        environment = dict(self.environment, VIRTPY_HOME=str(home), VIRTPY_PYTHON_INDEX_URL=str(index))
        times = self.run([self.virtpy, "python", "install", archive.version], environment)
        shutil.rmtree(str(home))
        return times

    def with_uv(self, archive, number):
        """Installs into a new folder. Returns both times."""
        folder = self.root / ("uv-%d" % number)
        table = self.root / "uv.json"
        table.write_text(json.dumps(uv_table(archive, self.url)))
        environment = dict(
            self.environment,
            UV_PYTHON_INSTALL_DIR=str(folder / "python"),
            UV_PYTHON_BIN_DIR=str(folder / "bin"),
            UV_CACHE_DIR=str(folder / "cache"),
            UV_PYTHON_DOWNLOADS_JSON_URL=str(table),
        )
        times = self.run([self.uv, "--no-config", "python", "install", archive.version], environment)
        shutil.rmtree(str(folder))
        return times


def processor_time():
    """The seconds that processors spent for what was started and has ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def recompressed(contest, archive):
    """The same archive, compressed with Zstandard."""
    plain = contest.root / "plain.tar"
    with gzip.open(str(archive.path)) as packed, plain.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    other = Archive.__new__(Archive)
    other.__dict__.update(archive.__dict__)
    other.name = archive.name.replace(".tar.gz", ".tar.zst")
    other.path = contest.served / other.name
    contest.run([contest.root / "tools/bin/python", "-c", COMPRESS, plain, other.path])
    other.sha256 = hashlib.sha256(other.path.read_bytes()).hexdigest()
    plain.unlink()
    return other


def inflate(archive):
    """The seconds that zlib takes to decompress the archive in memory, for comparison."""
    content = archive.path.read_bytes()
    start = time.perf_counter()
    zlib.decompress(content, 31)
    return time.perf_counter() - start


def compare(contest, archive, rounds):
    """Prints a line of the table."""
    ours, theirs = [], []
    for number in range(rounds + 1):
        pair = [(contest.with_virtpy, ours), (contest.with_uv, theirs)]
        for install, times in pair if number % 2 == 0 else reversed(pair):
            measured = install(archive, number)
            if number:
                times.append(measured)
    print("%s, %.1f MB" % ("".join(Path(archive.name).suffixes[-2:]), archive.path.stat().st_size / 1e6))
    for index, what in enumerate(("time", "processors")):
        mine, others = [pair[index] for pair in ours], [pair[index] for pair in theirs]
        ratio = statistics.median(one / other for one, other in zip(mine, others))
        middle = statistics.median(mine), statistics.median(others)
        print("  %-11s virtpy %.3f s   uv %.3f s   ratio %.2f" % ((what,) + middle + (ratio,)), flush=True)


def main():
    """Runs the contest and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtpy", type=Path, default=ROOT / "target/release/virtpy", help="the program under test")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--nice", type=int, default=0, help="the priority of both programs is changed by this")
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-python-")).resolve()
    try:
        contest = Contest(root, arguments.virtpy.resolve(), arguments.nice)
        archive = Archive(contest.served)
        compare(contest, archive, arguments.rounds)
        compare(contest, recompressed(contest, archive), arguments.rounds)
        print("zlib alone takes %.3f s for the first of them" % statistics.median(inflate(archive) for _ in range(5)))
    finally:
        shutil.rmtree(str(root))


if __name__ == "__main__":
    main()
