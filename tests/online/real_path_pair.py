"""The same distributions twice, linked by virtpy and as real files, and ways to compare tools in the two."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zipfile
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

from support import CheckFailed, own_interpreter, require_equal

VENVS = ("ours", "real")


class Pair:
    """A venv of virtpy's, `ours`, and one of real files that pip filled, `real`."""

    def __init__(self, place):
        self.place = place
        self.interpreter = own_interpreter()
        home = place.path("home")
        home.mkdir()
        self.environment = dict(place.environment)
        for name in [
            name for name in self.environment if name.startswith(("JUPYTER", "IPYTHON", "XDG_", "COV"))
        ]:
            del self.environment[name]
        self.environment.update(HOME=str(home), NO_COLOR="1", COLUMNS="200", PYTHONUNBUFFERED="1")

    def fill(self, packages):
        """Makes both venvs; returns how many distributions are in each."""
        self.place.new("ours", self.interpreter)
        self.place.virtpy("add", "--venv", "ours", *packages)
        frozen = self.place.virtpy("freeze", "--venv", "ours")[0].splitlines()
        pins = [pin for pin in frozen if "==" in pin] + [name for name in packages if name.endswith(".whl")]
        self.place.run([self.interpreter, "-m", "venv", "real"])
        pip = [
            self.place.path("real/bin/python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        self.place.run(pip + ["--upgrade", "pip"])
        self.place.run(pip + ["--no-deps", "--no-compile"] + pins)
        return len(frozen)

    def program(self, venv, name):
        """The path of a program of a venv."""
        return self.place.path(venv) / "bin" / name

    def site_packages(self, venv):
        """The folder with a venv's packages."""
        return next(self.place.path(venv).glob("lib/python3*/site-packages"))

    def folder(self, name):
        """A folder for a step of the check, with one subfolder for each venv's output."""
        folder = self.place.path(name)
        folder.mkdir()
        return folder

    def run(self, venv, command, cwd, codes=(0,)):
        """Runs a venv's program and returns its two outputs together, with the venv's own path taken out."""
        arguments = [str(self.program(venv, command[0]))] + [str(argument) for argument in command[1:]]
        done = subprocess.run(
            arguments,
            cwd=str(cwd),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            timeout=600,
        )
        if done.returncode not in codes:
            raise CheckFailed(
                "$ %s\nexit code %d\n%s" % (" ".join(arguments), done.returncode, done.stdout[-4000:])
            )
        return self.normal(done.stdout, venv)

    def python(self, venv, code, cwd=None):
        """Runs code with a venv's interpreter and returns what it printed, without the venv's own path."""
        return self.run(venv, ["python", "-c", code], cwd or self.place.root).strip()

    def normal(self, text, venv):
        """The text without what differs between any two venvs: the path, times, addresses in memory."""
        text = text.replace(str(self.place.path(venv)), "VENV")
        text = re.sub(r"0x[0-9a-f]{6,}", "0x", text)
        return re.sub(r"\b\d+\.\d+ ?s(ec|econds)?\b", "TIME", text)

    def same(self, what, function):
        """Requires that function(venv) has the same result for both venvs, run at once, and returns it."""
        with ThreadPoolExecutor(max_workers=len(VENVS)) as pool:
            found, expected = pool.map(function, VENVS)
        require_same(found, expected, what)
        return expected

    def serving(self, venv, command, cwd, port, probe=True):
        """Runs a server of a venv; see the function of this name."""
        arguments = [str(self.program(venv, command[0]))] + [str(argument) for argument in command[1:]]
        return serving(arguments, self.environment, cwd, port, probe)


@contextlib.contextmanager
def serving(arguments, environment, cwd, port, probe=True):
    """Runs a server and waits until it listens; it and its children are ended in the end.

    With probe=False it does not wait: the first connection may be the only one that the server takes.
    """
    log_path = os.path.join(str(cwd), "server-%d.log" % port)
    with open(log_path, "w") as log:
        process = subprocess.Popen(
            arguments,
            cwd=str(cwd),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if probe:
            wait_for_port(process, port, log_path)
        yield process
    finally:
        end(process)


def require_same(found, expected, what):
    """Like require_equal, but shows only what differs in two texts, or in tuples of such values."""
    if isinstance(found, tuple) and isinstance(expected, tuple) and len(found) == len(expected):
        for mine, theirs in zip(found, expected):
            require_same(mine, theirs, what)
        return
    if isinstance(found, list) and isinstance(expected, list):
        found, expected = (["%s" % (item,) for item in items] for items in (found, expected))
        found, expected = "\n".join(found), "\n".join(expected)
    if isinstance(found, str) and isinstance(expected, str) and found != expected:
        mine, theirs = found.splitlines(), expected.splitlines()
        added = [line for line in mine if line not in theirs][:12]
        lacking = [line for line in theirs if line not in mine][:12]
        lines = ["  + " + line for line in added] + ["  - " + line for line in lacking]
        raise CheckFailed(
            "%s differs from real files:\n%s" % (what, "\n".join(lines) or "  the order of the lines")
        )
    require_equal(found, expected, what)


def free_port(given=set(), lock=threading.Lock()):
    """A port of the loopback address that nobody listens at, never the same twice."""
    while True:
        with contextlib.closing(socket.socket()) as probe, lock:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port not in given:
                given.add(port)
                return port


def wait_for_port(process, port, log_path, seconds=90):
    """Waits until something listens at the port; fails with the log if the process ends or takes too long."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.closing(socket.socket()) as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    with open(log_path) as log:
        raise CheckFailed("%s does not listen:\n%s" % (process.args[0], log.read()[-4000:]))


def end(process):
    """Ends a process that leads a session of its own, and whatever is left of that session."""
    for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def get(port, path, headers=None):
    """The status and the body of what a local server answers."""
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def build_wheel(folder, name, version, files, entry_points=""):
    """Writes a wheel with these files (a dict from paths to texts or bytes) and returns its path."""
    information = "%s-%s.dist-info" % (name, version)
    contents = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
    contents[information + "/METADATA"] = (
        "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name.replace("_", "-"), version)
    ).encode()
    contents[information + "/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: check\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    if entry_points:
        contents[information + "/entry_points.txt"] = entry_points.encode()
    rows = []
    for path, content in contents.items():
        digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d\n" % (path, digest, len(content)))
    contents[information + "/RECORD"] = ("".join(rows) + information + "/RECORD,,\n").encode()
    wheel = folder / ("%s-%s-py3-none-any.whl" % (name, version))
    with zipfile.ZipFile(str(wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return str(wheel)


def copy_tree(source, target):
    """Copies a folder of a project, so that each venv works on files of its own; returns the copy."""
    shutil.copytree(str(source), str(target))
    return target
