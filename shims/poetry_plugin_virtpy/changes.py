"""What is asked of virtpy for a venv that it made."""

from __future__ import annotations

import json
from pathlib import Path

from . import program


def apply(venv, store, wish) -> dict:
    """Lets the program install and remove what is wished in a venv; returns its answer.

    Raises program.Failed if it cannot be started, fails, or answers something else.
    """
    arguments = ["poetry", "apply", "--venv", str(venv)]
    printed = program.run(arguments, store, json.dumps(wish))
    try:
        return json.loads(printed)
    except ValueError as error:
        raise program.Failed(f"its answer was not understood: {error}") from error


def store_of(venv) -> str | None:
    """The store that a venv's packages are in; None if virtpy did not make the venv."""
    try:
        lines = (Path(venv) / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    values = {}
    for line in lines:
        key, _, value = line.partition("=")
        values[key.strip()] = value.strip()
    return values.get("virtpy-store") if values.get("virtpy-id") else None
