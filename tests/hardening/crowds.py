"""Many processes at once: overlapping sets into different venvs, changes of one venv, collections beside
them, and holders of locks that are stopped or killed."""

import os
import signal
import sys
import threading
import time

from support import CheckFailed, Done, Place, require
from wheels import FILES, Index, import_name, write_wheel

# How many distributions the crowd shares, and how many bytes make a download take a while.
SHARED, PADDING = 24, 200 * 1000


def make_wheels(folder):
    """Makes the wheels of the crowd: simple ones, and those that collide."""
    folder.mkdir()
    for number in range(SHARED):
        name = "hd-crowd-%d" % number
        files = ["%s/__init__.py" % import_name(name), "hd_crowds/part_%d.py" % number]
        write_wheel(folder, name, "1.0", files, PADDING)
    for name, files in FILES.items():
        write_wheel(folder, name, "1.0", files)


class Collector(threading.Thread):
    """Collects garbage again and again, beside what others do."""

    def __init__(self, place, environment):
        super().__init__(daemon=True)
        self.place, self.environment = place, environment
        self.end, self.rounds, self.problem = threading.Event(), 0, None
        self.works = place.has_command("store", "gc")

    def run(self):
        """Collects until it is told to end."""
        while self.works and not self.end.is_set():
            done = self.place.attempt([self.place.program, "store", "gc", "--remove"], self.environment)
            self.rounds += 1
            if done.code != 0:
                self.problem = str(done)
                return

    def stop(self):
        """Ends, and fails the check if a collection failed."""
        self.end.set()
        self.join()
        require(self.problem is None, "a collection failed: %s" % self.problem)

    def __str__(self):
        return "%d collections beside" % self.rounds if self.works else "no `store gc` to run beside"


def wait_for(processes, timeout=300):
    """Waits for processes and returns them as they ended, in their order."""
    results = []
    limit = time.monotonic() + timeout
    for process in processes:
        try:
            out, err = process.communicate(timeout=max(1, limit - time.monotonic()))
        except Exception:
            for other in processes:
                other.kill()
            raise CheckFailed("not all of %d processes ended in %d s" % (len(processes), timeout))
        results.append(Done(process.args, process.returncode, out, err))
    return results


def require_clean(place, venvs):
    """Checks the venvs and the store."""
    for venv in venvs:
        place.virtpy("check", "--venv", venv)
    place.virtpy("store", "verify")


def many_venvs(place, count):
    """Each wheel is downloaded once and unpacked once, however many want it."""
    place.begin()
    index = Index(place.wheels)
    try:
        venvs = [place.project / ("venv-%d" % number) for number in range(count)]
        for venv in venvs:
            place.new(venv)
        collector = Collector(place, place.environment)
        collector.start()
        processes, wanted = [], set()
        for number, venv in enumerate(venvs):
            # Sets that overlap: eight neighbours on a ring.
            names = ["hd-crowd-%d" % ((number * 3 + step) % SHARED) for step in range(8)]
            wanted.update(names)
            command = [place.program, "add", "--venv", venv] + names + ["--index-url", index.url]
            processes.append(place.start(command))
        results = wait_for(processes)
        collector.stop()
        for result in results:
            require(result.code == 0, str(result))
        fetched = index.downloads
        expected = {"%s-1.0-py3-none-any.whl" % import_name(name): 1 for name in wanted}
        require(fetched == expected, "not each wheel was downloaded once: %s" % sorted(fetched.items()))
        entries = len(list((place.home / "w").iterdir()))
        require(entries == len(expected), "%d entries for %d wheels" % (entries, len(expected)))
        require_clean(place, venvs)
        for number, venv in enumerate(venvs):
            code = "import hd_crowd_%d" % (number * 3 % SHARED)
            done = place.attempt([venv / "bin" / "python", "-c", code])
            require(done.code == 0, str(done))
    finally:
        index.stop()
    return "%d processes added to as many venvs, each of %d wheels was downloaded once; %s" % (
        count, len(expected), collector)


def one_venv(place, count):
    """Processes that change one venv take turns, and none of the changes is lost."""
    place.begin()
    place.new()
    place.add("hd-plain", *["hd-crowd-%d" % number for number in range(0, count, 2)])
    collector = Collector(place, place.environment)
    collector.start()
    processes = []
    for number in range(count):
        name = "hd-crowd-%d" % number
        if number % 2:
            command = ["add", "--venv", place.venv, name] + place.index
        else:
            command = ["remove", "--venv", place.venv, name]
        processes.append(place.start([place.program] + command))
    results = wait_for(processes)
    collector.stop()
    for result in results:
        # To say clearly that another process holds the venv would do, but nobody has to wait that long.
        require(result.code == 0, str(result))
    listed = place.virtpy("freeze", "--venv", place.venv).out.split()
    expected = ["hd-crowd-%d==1.0" % number for number in range(1, count, 2)] + ["hd-plain==1.0"]
    require(sorted(listed) == sorted(expected), "lost or left: %s" % sorted(set(listed) ^ set(expected)))
    require_clean(place, [place.venv])
    return "%d processes changed one venv, and all changes are there; %s" % (count, collector)


def one_place(place, count):
    """Processes that make a venv at one path: one makes it, the others say that it is there."""
    place.begin()
    processes = [place.start([place.program, "new", place.venv, "-p", sys.executable]) for _ in range(count)]
    results = wait_for(processes)
    made = [result for result in results if result.code == 0]
    require(len(made) == 1, "%d of %d made the venv" % (len(made), count))
    for result in results:
        require(result.code == 0 or "error: " in result.err and "hint: " in result.err, str(result))
    left = [path.name for path in place.project.iterdir()]
    require(left == [".venv"], "left beside the venv: %s" % left)
    require_clean(place, [place.venv])
    return "%d processes made a venv at one path: one did, the others said so" % count


def stopped(place, command):
    """Starts a command and stops it while it holds the venv: at a pipe that it is to read a wheel from."""
    process = place.start(command)
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise CheckFailed("ended before it could be stopped: %s" % process.communicate()[1])
        if holds(place, process.pid):
            os.kill(process.pid, signal.SIGSTOP)
            return process
        time.sleep(0.002)
    process.kill()
    raise CheckFailed("held no lock for 20 s: %s" % command)


def holds(place, process):
    """Whether a process has the lock file of a venv open."""
    folder = "/proc/%d/fd" % process
    try:
        targets = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
    except OSError:
        return False
    return any(str(place.home / "locks" / "venv-") in target for target in targets)


def killed_holder(place):
    """A wait is announced after a second, with who is waited for; a killed holder holds nothing."""
    place.begin()
    place.new()
    place.add("hd-crowd-0")
    index = Index(place.wheels)
    # An answer that does not come keeps the holder where it is.
    index.server.lock.acquire()
    try:
        holder = stopped(place, [place.program, "add", "--venv", place.venv, "hd-crowd-1", "-i", index.url])
        waiter = place.start([place.program, "add", "--venv", place.venv, "hd-crowd-2"] + place.index)
        time.sleep(1.8)
        require(waiter.poll() is None, "did not wait, but ended with %s" % waiter.returncode)
        killed = time.monotonic()
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
        out, err = waiter.communicate(timeout=60)
        took = time.monotonic() - killed
    finally:
        place.end()
        index.server.lock.release()
        index.stop()
    require(waiter.returncode == 0, err)
    for word in ("waiting for process %d" % holder.pid, "virtpy add"):
        require(word in err, "%r is not announced: %s" % (word, err))
    require("hd-crowd-2" in out, out)
    require_clean(place, [place.venv])
    return "a wait was announced with its holder, and over %.1f s after that was killed" % took


def waiting_collection(place):
    """A collection waits for whoever shares the store, and says whom it waits for; then it works."""
    if not place.has_command("store", "gc"):
        return "skipped: a collection that waits, this virtpy has no `store gc`"
    place.begin()
    place.new()
    index = Index(place.wheels)
    index.server.lock.acquire()
    try:
        holder = stopped(place, [place.program, "add", "--venv", place.venv, "hd-crowd-1", "-i", index.url])
        waiter = place.start([place.program, "store", "gc", "--remove"])
        time.sleep(1.8)
        require(waiter.poll() is None, "did not wait, but ended with %s" % waiter.returncode)
        os.kill(holder.pid, signal.SIGCONT)
        index.server.lock.release()
        held, collected = wait_for([holder, waiter])
    finally:
        place.end()
        index.stop()
    require(held.code == 0 and collected.code == 0, "%s\n%s" % (held, collected))
    require("process %d" % holder.pid in collected.err, "not announced: %s" % collected.err)
    require_clean(place, [place.venv])
    return "a collection waited for an installation, and said so"


def check(arguments):
    """Runs the crowds. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    many, few = (16, 8) if arguments.quick else (64, 16)
    try:
        make_wheels(place.wheels)
        yield many_venvs(place, many)
        yield one_venv(place, few)
        yield one_place(place, few)
        if not os.path.isdir("/proc/self/fd"):
            yield "skipped: holders that are killed, for want of /proc"
            return
        yield killed_holder(place)
        yield waiting_collection(place)
    finally:
        if not arguments.keep:
            place.remove()
