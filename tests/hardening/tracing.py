"""The system calls by which a command changes the disk, and stopping it at each of them, by strace.

strace counts the calls for injection per thread and per call. A point of a run is therefore a call's name and
its number among the calls of that name in its thread; it strikes in whichever thread comes to that number
first. Calls that are only read from (files opened for reading, the terminal, pipes) are left out: nothing
on the disk is different before and after them.
"""

import collections
import re
import shutil

CALLS = (
    "openat,open,creat,write,pwrite64,writev,copy_file_range,sendfile,symlink,symlinkat,link,linkat,mkdir,"
    "mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,chmod,fchmod,fchmodat,utimensat,truncate,"
    "ftruncate,fsync,fdatasync,syncfs,flock"
)

LINE = re.compile(r"^(?:\[pid +)?(\d+)\]? +(\w+)\((.*)$")

Point = collections.namedtuple("Point", "call number")


def available():
    """Whether strace is there and may trace."""
    return shutil.which("strace") is not None


def known_calls(place):
    """Those of CALLS that this machine has: some processors have no `mkdir`, only `mkdirat`."""
    known = []
    for call in CALLS.split(","):
        done = place.attempt(["strace", "-o", "/dev/null", "-e", "trace=" + call, "true"])
        if done.code == 0:
            known.append(call)
    return ",".join(known)


def record(place, command, calls):
    """Runs a command and returns the points at which it changes something in the store or the project, in the
    order of the run, how many such calls there were in all its threads, and the points at which some thread
    does something else."""
    path = place.root / "trace"
    trace = ["strace", "-f", "-qq", "-y", "-s", "0", "-o", path, "-e", "trace=" + calls]
    done = place.attempt(trace + command)
    counts, points, total, others = collections.Counter(), [], 0, set()
    for line in path.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        thread, call, rest = match.groups()
        counts[thread, call] += 1
        reads_only = call in ("openat", "open") and "O_CREAT" not in rest and "O_TRUNC" not in rest
        point = Point(call, counts[thread, call])
        if reads_only or not any(str(folder) in rest for folder in (place.home, place.project)):
            others.add(point)
            continue
        total += 1
        if point not in points:
            points.append(point)
    return done, points, total, others


def inject(command, point, what, log="/dev/null"):
    """The command line that runs a command and does something at a point: `signal=SIGKILL`, `error=EIO`. The calls
    go to `log`."""
    tamper = "inject=%s:%s:when=%d" % (point.call, what, point.number)
    trace = ["strace", "-f", "-qq", "-y", "-s", "0", "-o", log, "-e", "trace=" + point.call, "-e", tamper]
    return trace + command


def struck_folders(log, folders):
    """Whether what was injected struck calls on these folders only. A thread that comes to the number first may
    write elsewhere: to wake another one, say, which no disk can keep it from."""
    struck = [line for line in log.read_text(errors="replace").splitlines() if line.endswith("(INJECTED)")]
    return all(any(str(folder) in line for folder in folders) for line in struck)
