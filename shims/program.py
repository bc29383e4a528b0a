"""The program `virtpy`: where it is, and calling it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# Written by `virtpy enable`: the program that put the plugin here.
_RECORDED = Path(__file__).with_name("executable.txt")


class Failed(Exception):
    """The program could not be started, or said that it could not do what was asked; the message says why."""


def is_enabled() -> bool:
    """Whether `virtpy enable` put the plugin here, and not another installer."""
    return _RECORDED.is_file()


def candidates():
    """Where the program may be, the likeliest first."""
    yield os.environ.get("VIRTPY_EXECUTABLE")
    try:
        yield _RECORDED.read_text(encoding="utf-8").strip()
    except OSError:
        pass
    yield shutil.which("virtpy")


def find() -> str | None:
    """The program, or None if it is not on this machine."""
    for path in candidates():
        if path and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def run(arguments, store=None, text=None) -> str:
    """Runs the program and returns what it printed; `store` is the store that it shall use.

    Raises Failed if it cannot be started or fails.
    """
    path = find()
    if path is None:
        raise Failed("the program `virtpy` was not found")
    environment = dict(os.environ)
    # Which venv is meant is said, and an active one is none of its business.
    environment.pop("VIRTUAL_ENV", None)
    if store:
        environment["VIRTPY_HOME"] = store
    try:
        done = subprocess.run(
            [path, "--color", "never", *arguments],
            env=environment,
            input=text or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise Failed(f"`{path}` could not be started: {error}") from error
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"`{path}` ended with {done.returncode}")
    return done.stdout
