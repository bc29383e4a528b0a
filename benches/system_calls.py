"""Counts the system calls of a warm `add` with strace, and looks at what it opens and starts.

What the process in the background does, which looks at the bytecode of what was added, is counted apart.
"""

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


def names(lines):
    """The names of the calls in a log, each call once."""
    found = (re.match(r"\d+\s+(\w+)\(", line) for line in lines)
    return [match.group(1) for match in found if match]


def report(bench, count):
    """Prints the calls for each distribution, and ends with an error if a Python was started or a wheel was read."""
    if not shutil.which("strace"):
        print("system calls: skipped, this machine has no strace")
        return
    alone = ["-E", "VIRTPY_BYTECODE=off"]
    log = trace(bench, "calls", bench.add(fresh_venv(bench, "calls")), alone)
    # Linking begins with the journal, the first file that is made in the venv's private folder.
    begin = next(number for number, line in enumerate(log) if "O_CREAT" in line and '"unfinished"' in line)
    whole, linking = names(log), names(log[begin:])
    share = len(linking) / count
    verdict = "met" if share < GOAL else "MISSED"
    print("system calls of a warm add: %d, %.1f for each of %d distributions" % (len(whole), len(whole) / count, count))
    print("on the link path: %.1f for each  goal %.1f  %s" % (share, GOAL, verdict))
    most = sorted(set(linking), key=linking.count, reverse=True)[:8]
    print("  most: " + ", ".join("%s %d" % (name, linking.count(name)) for name in most))

    both = len(names(trace(bench, "both", bench.add(fresh_venv(bench, "both")), [])))
    print("  of the process in the background: %d, %.1f for each" % (both - len(whole), (both - len(whole)) / count))

    lines = trace(bench, "files", bench.add(fresh_venv(bench, "files")), alone + ["-e", "trace=execve,openat,open"])
    started = [line for line in lines if "execve(" in line and "ENOENT" not in line]
    opened = [line for line in lines if re.search(r"open(at)?\(", line) and "= -1" not in line]
    store = re.escape(str(bench.root / "store" / "w"))
    wheels = [line for line in opened if ".whl" in line]
    inside = [line for line in opened if re.search(store + r"/[0-9a-f]+/site/", line)]
    sources = [line for line in inside if ".dist-info" not in line]
    print("programs started beside virtpy: %d; wheel files opened: %d; files of entries opened: %d in .dist-info, %d others"
          % (len(started) - 1, len(wheels), len(inside) - len(sources), len(sources)))
    # The others are those that the venv gets copies of: files that servers compare by their real paths.
    if len(started) != 1 or wheels:
        sys.exit("a warm add should start nothing and read no wheel:\n" + "\n".join((started[1:] + wheels)[:20]))
