#!/usr/bin/env python3
"""Compares a first install with uv's: `new` and `add` of many pins with an empty store, uv with an empty cache.

    python3 benches/cold.py [--quick] [--virtpy PROGRAM] [--rounds N] [--folder FOLDER] [--wheels FOLDER]

Downloads the wheels once, serves them from the loopback interface, and installs them in alternating pairs: all of them and
the first few, then all of them from a slow index (20 MB/s in all, 30 ms before each answer). Prints times and processor
time; what virtpy compiles in the background is waited for after each round, and its processor time stands in a line of its
own. Needs Python 3.8 or newer with pip. Everything is removed at the end.
"""

import argparse
import hashlib
import html
import os
import re
import sys
import tempfile
import threading
import time
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

import run as warm  # noqa: E402

FEW = "requests black pytest".split()
SLOW_RATE = 20e6
SLOW_LATENCY = 0.03
CHUNK = 1 << 16


class Index:
    """The wheels of a folder as a package index with hashes and metadata files; it can be made slow."""

    def __init__(self, wheels):
        self.slow = False
        self.lock = threading.Lock()
        self.free_at = 0.0
        self.pages, self.files = {}, {}
        for wheel in sorted(wheels.glob("*.whl")):
            self.take(wheel)
        index = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_GET(self):
                index.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/simple/" % self.server.server_address[1]

    def take(self, wheel):
        """Reads a wheel once: its hash, and its METADATA, which is served beside it."""
        body = wheel.read_bytes()
        with zipfile.ZipFile(str(wheel)) as archive:
            name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            metadata = archive.read(name)
        self.files["/files/" + wheel.name] = body
        self.files["/files/" + wheel.name + ".metadata"] = metadata
        project = re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()
        line = '<a href="/files/%s#sha256=%s" data-core-metadata="sha256=%s">%s</a><br>\n' % (
            html.escape(wheel.name), hashlib.sha256(body).hexdigest(), hashlib.sha256(metadata).hexdigest(), html.escape(wheel.name))
        self.pages[project] = self.pages.get(project, "") + line

    def answer(self, handler):
        """One request."""
        if self.slow:
            time.sleep(SLOW_LATENCY)
        project = re.fullmatch(r"/simple/([^/]+)/", handler.path)
        if project:
            page = self.pages.get(project.group(1))
            body = page and ("<!DOCTYPE html><html><body>\n%s</body></html>" % page).encode()
        else:
            body = self.files.get(handler.path)
        if body is None:
            handler.send_error(404)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html" if project else "application/octet-stream")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for start in range(0, len(body), CHUNK):
            part = body[start:start + CHUNK]
            self.wait_for(len(part))
            handler.wfile.write(part)

    def wait_for(self, count):
        """All answers of a slow index share one line."""
        if not self.slow:
            return
        with self.lock:
            self.free_at = max(self.free_at, time.monotonic()) + count / SLOW_RATE
            pause = self.free_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)


class Measured:
    """Seconds and processor seconds of one tool's rounds."""

    def __init__(self):
        self.seconds, self.processor = [], []


def processor_seconds():
    """What this program's finished children have used so far."""
    times = os.times()
    return times.children_user + times.children_system


def install(bench, index, tool, number, pins):
    """Makes a venv and fills it, with a store or a cache of its own; returns seconds and processor seconds."""
    venv, home = bench.venv(tool, number), bench.root / ("%s-home-%s" % (tool, number))
    if tool == "virtpy":
        bench.environment["VIRTPY_HOME"] = str(home)
        commands = [[bench.virtpy, "new", "-q", venv, "-p", bench.python],
                    [bench.virtpy, "add", "-q", "--venv", venv, "--index-url", index.url, "-r", pins]]
    else:
        bench.environment["UV_CACHE_DIR"] = str(home)
        commands = [[bench.uv, "venv", "--quiet", venv, "--python", bench.python],
                    [bench.uv, "pip", "install", "--quiet", "--python", venv / "bin/python",
                     "--default-index", index.url, "-r", pins]]
    before = processor_seconds()
    seconds = sum(bench.run(command)[0] for command in commands)
    return seconds, processor_seconds() - before


def in_background(bench):
    """Waits until all of the store is compiled; returns the processor seconds of it that this wait saw."""
    before = processor_seconds()
    bench.run([bench.virtpy, "store", "compile", "--wait"])
    return processor_seconds() - before


def compare(bench, index, what, pins, goals):
    """Alternating pairs of first installs, and their two lines of the table."""
    ours, theirs, background = Measured(), Measured(), []
    for number in range(bench.rounds):
        for tool in ("virtpy", "uv") if number % 2 == 0 else ("uv", "virtpy"):
            measured = ours if tool == "virtpy" else theirs
            os.sync()
            seconds, processor = install(bench, index, tool, "%s-%d" % (what.split()[0], number), pins)
            measured.seconds.append(seconds)
            measured.processor.append(processor)
            if tool == "virtpy":
                background.append(in_background(bench))
    bench.row(what, ours.seconds, theirs.seconds, goal=goals[0])
    bench.row("  processor time", ours.processor, theirs.processor, goal=goals[1])
    print("  compiling in the background: %.1f s of processor time seen" % median(background), flush=True)


def set_up(bench, wheels):
    """Installs uv, resolves the pins, and downloads the wheels."""
    bench.run([bench.python, "-m", "venv", bench.root / "uv"])
    bench.run([bench.root / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"])
    (bench.root / "roots.txt").write_text("\n".join(bench.roots) + "\n")
    (bench.root / "few-roots.txt").write_text("\n".join(FEW) + "\n")
    pins, few = bench.root / "pins.txt", bench.root / "few.txt"
    index = warm.index_arguments(bench)
    compile_pins = [bench.uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header", "--only-binary", ":all:",
                    "--python", bench.python] + index
    for target, source in ((pins, "roots.txt"), (few, "few-roots.txt")):
        more = ["-c", pins] if target == few else []
        bench.run(compile_pins + more + ["-o", target, bench.root / source])
        kept = [line for line in target.read_text().splitlines(True) if not line.startswith("-")]
        target.write_text("".join(kept))
    bench.run([bench.root / "uv/bin/python", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
               "-d", wheels, "-r", pins])
    return pins, few


def main():
    """Runs the bench. Missed goals are told, not punished; only a broken run ends with an error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller set of pins and three rounds")
    parser.add_argument("--virtpy", type=Path, help="the program (default: built from this checkout)")
    parser.add_argument("--rounds", type=int, help="pairs for each figure (default: 7)")
    parser.add_argument("--folder", type=Path, help="where to work (default: the build's)")
    parser.add_argument("--wheels", type=Path, help="keep the downloaded wheels here for the next time")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (3 if arguments.quick else 7)
    bench = warm.Bench(warm.find_program(arguments), rounds, arguments.quick, arguments.folder)
    try:
        wheels = arguments.wheels.resolve() if arguments.wheels else bench.root / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        pins, few = set_up(bench, wheels)
        index = Index(wheels)
        count = [len(file.read_text().splitlines()) for file in (pins, few)]
        print("%s; %s; Python %s; %d rounds" % (bench.run([bench.virtpy, "--version"])[1].strip(),
              bench.run([bench.uv, "--version"])[1].strip(), sys.version.split()[0], bench.rounds))
        print("%-34s %14s %14s %8s" % ("", "virtpy", "uv", "ratio"))
        compare(bench, index, "%d pins, cold" % count[0], pins, (0.7, 0.7))
        compare(bench, index, "%d pins, cold" % count[1], few, (0.7, 0.7))
        index.slow = True
        compare(bench, index, "slow index, %d pins, cold" % count[0], pins, (1.0, 1.0))
    finally:
        bench.remove()


if __name__ == "__main__":
    main()
