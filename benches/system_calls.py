"""Counts the system calls of a warm `add` with strace, and looks at what it opens and starts."""

import re
import shutil
import sys

GOAL = 15.0


def trace(bench, name, command, options):
    """Runs a command under strace and returns the lines of its log."""
    log = bench.root / (name + ".strace")
    bench.run(["strace", "-f", "-qq", "-o", log] + options + ["--"] + command)
    return log.read_text(errors="replace").splitlines()


def fresh_venv(bench, name):
    """An empty venv for one trace."""
    venv = bench.venv("virtpy", name)
    bench.run([bench.virtpy, "new", venv, "-p", bench.python])
    return venv


def total(bench, name, command):
    """How many system calls a command makes, over all its threads."""
    log = bench.root / (name + ".counts")
    bench.run(["strace", "-f", "-qq", "-c", "-o", log, "--"] + command)
    calls = {}
    for line in log.read_text().splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found.group(2) != "total":
            calls[found.group(2)] = int(found.group(1))
    return calls


def report(bench, count):
    """Prints the calls for each distribution, and ends with an error if a Python was started or a wheel was read."""
    if not shutil.which("strace"):
        print("system calls: skipped, this machine has no strace")
        return
    whole = total(bench, "whole", bench.add(fresh_venv(bench, "calls")))
    resolution = total(bench, "resolution", bench.add(fresh_venv(bench, "dry")) + ["--dry-run"])
    linking = sum(whole.values()) - sum(resolution.values())
    share = linking / count
    verdict = "met" if share < GOAL else "MISSED"
    print("system calls of a warm add: %d, of them %d without the link path (--dry-run)"
          % (sum(whole.values()), sum(resolution.values())))
    print("on the link path: %.1f for each of %d distributions  goal %.1f  %s" % (share, count, GOAL, verdict))
    extra = {name: number - resolution.get(name, 0) for name, number in whole.items()}
    most = sorted(extra.items(), key=lambda item: -item[1])[:8]
    print("  most: " + ", ".join("%s %d" % item for item in most if item[1] > 0))

    lines = trace(bench, "files", bench.add(fresh_venv(bench, "files")), ["-e", "trace=execve,openat,open"])
    started = [line for line in lines if "execve(" in line and "ENOENT" not in line]
    opened = [line for line in lines if re.search(r"open(at)?\(", line) and "= -1" not in line]
    store = re.escape(str(bench.root / "store" / "w"))
    wheels = [line for line in opened if ".whl" in line]
    inside = [line for line in opened if re.search(store + r"/[0-9a-f]+/site/", line)]
    sources = [line for line in inside if ".dist-info" not in line]
    print("programs started beside virtpy: %d; wheel files opened: %d; files of entries opened: %d in .dist-info, %d others"
          % (len(started) - 1, len(wheels), len(inside) - len(sources), len(sources)))
    if len(started) != 1 or wheels or sources:
        sys.exit("a warm add should start nothing and read no wheel:\n" + "\n".join((started[1:] + wheels + sources)[:20]))
