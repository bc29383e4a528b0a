"""What the hardening suites share: a place of their own, scenes that are prepared once and restored at will,
and a comparison of venvs that leaves out what is random."""

import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path


# An account that owns nothing.
NOBODY = 65534


class CheckFailed(Exception):
    """A check found something wrong; the message says what."""


def require(condition, message):
    """Raises CheckFailed with the message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


class Done:
    """A command that has ended."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return "$ %s\nexit code %s\n%s%s" % (" ".join(self.command), self.code, self.out, self.err)


class Account:
    """Somebody who runs commands: the words that make a command theirs, and an interpreter that they may run."""

    def __init__(self, name, prefix, python, number=None):
        self.name, self.prefix, self.python = name, prefix, python
        self.number = os.getuid() if number is None else number

    def __str__(self):
        return self.name


def is_root():
    """Whether root runs this, on Linux."""
    return sys.platform == "linux" and os.geteuid() == 0


def ordinary_user():
    """An account without rights: whoever runs this, or one that root can act as; None if that cannot be."""
    if not is_root():
        return Account("this user", [], sys.executable)
    if shutil.which("setpriv") is None:
        return None
    # What setpriv itself starts is still found with root's rights; what `env` starts is not.
    prefix = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", "env"]
    for name in [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]:
        command = prefix + [name, "-c", "import sys; print(sys.version_info >= (3, 8))"]
        silent = subprocess.DEVNULL
        done = subprocess.run(command, stdin=silent, stdout=subprocess.PIPE, stderr=silent)
        if done.stdout.strip() == b"True":
            return Account("an ordinary user", prefix, name, NOBODY)
    return None


def can_mount():
    """Whether disks can be mounted here."""
    command = ["unshare", "-m", "true"]
    return is_root() and subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def remove_tree(path):
    """Removes a folder, read-only folders in it included."""
    for folder, _, _ in os.walk(str(path)):
        os.chmod(folder, 0o755)
    shutil.rmtree(str(path))


class Place:
    """A folder in which `live/` holds the store (`s`) and the project (`p`) that the commands act on.

    Links are absolute, so every scene is prepared there, put aside, and restored to the same paths. Either
    may be moved elsewhere (to a small disk) before the first scene begins.
    """

    def __init__(self, program, folder=None):
        self.root = Path(tempfile.mkdtemp(prefix="v-", dir=folder)).resolve()
        # A copy: the one given may be built again meanwhile.
        self.program = str(self.root / "virtpy")
        shutil.copy2(str(program), self.program)
        self.wheels = self.root / "wheels"
        self.home, self.project = self.root / "live" / "s", self.root / "live" / "p"
        keep = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
        self.environment = {name: os.environ[name] for name in keep if name in os.environ}
        self.environment["VIRTPY_HOME"] = str(self.home)
        # Where the user's own settings are, there also stands which stores they use.
        self.environment["XDG_CONFIG_HOME"] = str(self.root / "config")
        # What a venv has from the start would be in the way of counting.
        self.environment["VIRTPY_PIP_SHIM"] = "0"
        # What happens in the background is a scenario of its own; and where root runs this, Python leaves nothing behind.
        self.environment["VIRTPY_BYTECODE"] = "off"
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"
        self.started = []
        self.index = ["--find-links", str(self.wheels), "--no-index"]
        self.account = Account("root" if is_root() else "this user", [], sys.executable)

    @property
    def venv(self):
        """The project's venv."""
        return self.project / ".venv"

    def move(self, home=None, project=None):
        """Has the store or the project elsewhere."""
        self.home, self.project = home or self.home, project or self.project
        self.environment["VIRTPY_HOME"] = str(self.home)

    def act_as(self, account):
        """Has all commands run by an account, to which everything here is given."""
        self.account = account
        home = self.root / "user"
        for folder in (home, self.home.parent):
            folder.mkdir(exist_ok=True)
        self.environment["HOME"] = str(home)
        self.environment.pop("XDG_CONFIG_HOME", None)
        if is_root():
            # Others may pass, so that what keeps them out is the store's own doing.
            self.root.chmod(0o755)
            owner = "%d:%d" % (account.number, account.number)
            subprocess.run(["chown", "-hR", owner, str(self.root)], check=True)

    def clear(self):
        """Removes the store and the project."""
        for folder in (self.home, self.project):
            if folder.exists():
                remove_tree(folder)
            folder.parent.mkdir(parents=True, exist_ok=True)

    def begin(self):
        """Starts a scene: an empty store and an empty project."""
        self.clear()
        for folder in (self.home, self.project):
            self.folder(folder)

    def folder(self, path):
        """Makes a folder of the account that runs the commands, and returns its path."""
        path.mkdir()
        os.chown(str(path), self.account.number, -1)
        return path

    def keep(self, name):
        """Puts the scene aside under a name."""
        target = self.root / "scenes" / name
        target.mkdir(parents=True)
        self.copy([self.home, self.project], target)

    def restore(self, name):
        """Brings a scene back."""
        self.clear()
        scene = self.root / "scenes" / name
        if self.home.parent == self.project.parent:
            self.copy([scene / self.home.name, scene / self.project.name], self.home.parent)
        else:
            self.copy([scene / self.home.name], self.home.parent)
            self.copy([scene / self.project.name], self.project.parent)

    @staticmethod
    def copy(origins, folder):
        """Copies folders into another with times, modes, links and hardlinks."""
        command = ["cp", "-a"] + [str(origin) for origin in origins] + [str(folder)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def attempt(self, command, environment=None, timeout=120, account=None, folder=None):
        """Runs a command, whatever comes of it; one that does not end in time fails the check."""
        command = [str(part) for part in command]
        process = self.start(command, environment, account, folder)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # With what it started: a program that is traced outlives its tracer.
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise CheckFailed("did not end in %d s: %s" % (timeout, Done(command, "none", out, err)))
        return Done(command, process.returncode, out, err)

    def start(self, command, environment=None, account=None, folder=None):
        """Starts a command without waiting for it."""
        process = subprocess.Popen(
            (account or self.account).prefix + [str(part) for part in command],
            cwd=str(folder or self.root),
            env=environment or self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            start_new_session=True,
        )
        self.started = [one for one in self.started if one.poll() is None] + [process]
        return process

    def end(self):
        """Kills what was started and still runs, or is stopped."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def virtpy(self, *arguments, **options):
        """Runs the program under test; its exit code must be 0."""
        done = self.attempt([self.program] + list(arguments), **options)
        require(done.code == 0, str(done))
        return done

    def new(self, venv=None, *options):
        """Makes a venv, by default the project's."""
        return self.virtpy("new", venv or self.venv, "-p", self.account.python, *options)

    def add(self, *names, **options):
        """Installs wheels of the suite into a venv, by default the project's."""
        venv = options.pop("venv", None) or self.venv
        return self.virtpy("add", "--venv", venv, *(list(names) + self.index), **options)

    def evaluate(self, code, venv=None, **options):
        """What Python code prints that a venv's interpreter runs, by default the project's."""
        done = self.attempt([(venv or self.venv) / "bin" / "python", "-c", code], **options)
        require(done.code == 0, str(done))
        return done.out.strip()

    def has_command(self, *words):
        """Whether the program under test knows a command, such as `store gc`."""
        done = self.attempt([self.program] + list(words[:-1]) + ["--help"])
        return re.search(r"^  %s( |$)" % re.escape(words[-1]), done.out, re.MULTILINE) is not None

    def remove(self):
        """Removes everything."""
        self.end()
        remove_tree(self.root)


def snapshot(root):
    """What a tree consists of: kind, mode, and content or target by path.

    What is random is left out (a venv's id, a change's id), as is what virtpy does not answer for: the
    content of bytecode folders.
    """
    found = {}
    if not os.path.lexists(str(root)):
        return found
    for folder, folders, files in os.walk(str(root)):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, str(root))] = describe(path)
        folders[:] = [name for name in folders if name != "__pycache__" and not is_link(folder, name)]
    return found


def is_link(folder, name):
    """Whether a name in a folder is a link."""
    return os.path.islink(os.path.join(folder, name))


def describe(path):
    """One entry of a snapshot."""
    facts = os.lstat(path)
    if stat.S_ISLNK(facts.st_mode):
        return "link to " + os.readlink(path)
    mode = oct(stat.S_IMODE(facts.st_mode))
    if stat.S_ISDIR(facts.st_mode):
        return "folder " + mode
    with open(path, "rb") as file:
        content = file.read()
    if path.endswith(".virtpy/state.json"):
        state = json.loads(content.decode())
        state["change"] = "random"
        content = re.sub(r'virtpy-id( = |": ")\w+', r"virtpy-id\1random", json.dumps(state, sort_keys=True)).encode()
    elif path.endswith("pyvenv.cfg"):
        content = re.sub(rb"(?m)^virtpy-id = .*$", b"virtpy-id = random", content)
    return "file %s %s" % (mode, hashlib.sha256(content).hexdigest()[:16])


def differences(found, expected):
    """A few lines that say where two snapshots differ."""
    paths = [path for path in sorted(set(found) | set(expected)) if found.get(path) != expected.get(path)]
    lines = ["  %s: %s instead of %s" % (path, found.get(path), expected.get(path)) for path in paths]
    return "\n".join(lines[:12])
