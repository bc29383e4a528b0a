"""What the online checks share: a place of their own, running programs, and the interpreters of the machine.

The index is whatever pip's own configuration on this machine says; virtpy reads the same settings.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import user_settings

# A code that says where an interpreter really lives, whatever shim or link it was started through.
WHERE = (
    "import os, sys; name = 'bin/python%d.%d' % sys.version_info[:2]; "
    "real = os.path.join(sys.base_prefix, name); "
    "print(os.path.realpath(real if os.path.exists(real) else sys.executable)); "
    "print('%d.%d' % sys.version_info[:2]); print(sys.implementation.name)"
)


class CheckFailed(Exception):
    """A check found something wrong; the message says what."""


def require(condition, message):
    """Raises CheckFailed with the message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def require_equal(found, expected, what):
    """Raises CheckFailed with the differences unless the two values are equal."""
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = sorted(set(found) | set(expected), key=str)
        different = [key for key in keys if found.get(key) != expected.get(key)]
        lines = ["  %s: %r instead of %r" % (key, found.get(key), expected.get(key)) for key in different]
        raise CheckFailed("%s: %d differences\n%s" % (what, len(different), "\n".join(lines[:20])))
    raise CheckFailed("%s: %r instead of %r" % (what, found, expected))


class Place:
    """A folder with a store of its own and the program under test."""

    def __init__(self, program):
        self.program = str(program)
        # About as long as the usual data directory: where links lead decides what they take on the disk.
        self.root = Path(tempfile.mkdtemp(prefix="v-")).resolve()
        self.environment = dict(os.environ)
        for name in ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME"):
            self.environment.pop(name, None)
        self.environment["VIRTPY_HOME"] = str(self.root / "s")
        self.environment["XDG_CONFIG_HOME"] = user_settings.without_virtpys(self.root)
        # What is compared are packages; the check of pip itself turns it on.
        self.environment["VIRTPY_PIP_SHIM"] = "0"
        # No process outlives its check; where root runs this, Python must not leave in the store what is not recorded.
        self.environment["VIRTPY_BYTECODE"] = "off"
        if os.geteuid() == 0:
            self.environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def path(self, name):
        """A path in this place."""
        return self.root / name

    def run(self, command, fails=False, environment=None, cwd=None):
        """Runs a command and returns its two outputs; its exit code must be 0, or not 0 if it is to fail."""
        arguments = [str(argument) for argument in command]
        done = subprocess.run(
            arguments,
            cwd=str(cwd or self.root),
            env=environment or self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        if (done.returncode != 0) != fails:
            text = "$ %s\nexit code %d\n%s\n%s" % (" ".join(arguments), done.returncode, done.stdout, done.stderr)
            raise CheckFailed(text)
        return done.stdout, done.stderr

    def virtpy(self, *arguments, **options):
        """Runs the program under test."""
        return self.run([self.program] + list(arguments), **options)

    def python(self, venv, code, **options):
        """Runs code with a venv's interpreter and returns what it printed."""
        return self.run([self.path(venv) / "bin" / "python", "-c", code], **options)[0].strip()

    def new(self, venv, python):
        """Makes a venv with this interpreter."""
        self.virtpy("new", venv, "-p", python)

    def remove(self):
        """Removes everything, read-only folders included."""
        for folder, _, _ in os.walk(str(self.root)):
            os.chmod(folder, 0o755)
        shutil.rmtree(str(self.root))


def examine(executable):
    """The real path and the version of an interpreter, or None if it does not run or is no CPython."""
    try:
        done = subprocess.run(
            [executable, "-I", "-c", WHERE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.split()
    if done.returncode != 0 or len(lines) != 3 or lines[2] != "cpython":
        return None
    return lines[0], lines[1]


def interpreters():
    """A dict from versions such as "3.12" to interpreters, as far as the machine has 3.8 to 3.13."""
    found = {}
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    for minor in range(8, 14):
        name = "python3.%d" % minor
        candidates = [os.path.join(folder, name) for folder in os.environ.get("PATH", "").split(os.pathsep)]
        candidates += sorted(glob.glob(os.path.join(root, "versions", "*", "bin", name)), reverse=True)
        for candidate in candidates:
            facts = examine(candidate) if os.path.exists(candidate) else None
            if facts and facts[1] == "3.%d" % minor:
                found[facts[1]] = facts[0]
                break
    return found


def own_interpreter():
    """The interpreter that runs this script, by its real path."""
    facts = examine(sys.executable)
    require(facts is not None, "the interpreter that runs this script does not describe itself")
    return facts[0]
