#!/usr/bin/env python3
"""Compares the licence of every crate that is built with the list in deny.toml, as `cargo deny check licenses` does.

    python3 .ci/licences.py
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def allowed():
    """The licences that deny.toml allows."""
    text = (ROOT / "deny.toml").read_text()
    listed = re.search(r"^allow = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL).group(1)
    return set(re.findall(r'"([^"]+)"', listed))


def packages():
    """What is built on this machine, tests included."""
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = re.search(r"^host: (.*)$", version, re.MULTILINE).group(1)
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["packages"]


def is_allowed(expression, known):
    """Whether an SPDX expression can be fulfilled with these licences. `/` is an `OR` of old."""
    words = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    place = 0

    def take():
        nonlocal place
        place += 1
        return words[place - 1]

    def at(word):
        return place < len(words) and words[place] == word

    def one():
        if at("("):
            take()
            value = either()
            assert take() == ")", expression
            return value
        name = take()
        if at("WITH"):
            take()
            name = f"{name} WITH {take()}"
        return name in known

    def both():
        value = one()
        while at("AND"):
            take()
            value = one() and value
        return value

    def either():
        value = both()
        while at("OR"):
            take()
            value = both() or value
        return value

    value = either()
    assert place == len(words), expression
    return value


def main():
    known = allowed()
    wrong = []
    found = packages()
    for package in found:
        licence = package["license"]
        if not licence or not is_allowed(licence, known):
            wrong.append(f"{package['name']} {package['version']}: {licence or 'names no licence'}")
    print("\n".join(wrong) if wrong else f"{len(found)} crates: all licences are allowed")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
