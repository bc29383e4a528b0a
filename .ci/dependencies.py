#!/usr/bin/env python3
"""Looks at the crates that are built, as `cargo deny check licenses sources bans` does, without it and without the network:
each has a licence that deny.toml allows and comes from the one registry, and how many there are twice.

    python3 .ci/dependencies.py
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
    versions = {}
    found = packages()
    for package in found:
        name, licence, source = package["name"], package["license"], package["source"]
        versions.setdefault(name, set()).add(package["version"])
        if not licence or not is_allowed(licence, known):
            wrong.append(f"{name} {package['version']}: {licence or 'names no licence'}")
        # The workspace's own have none.
        if source and not source.startswith("registry+"):
            wrong.append(f"{name} {package['version']}: it comes from {source}, not from a registry")
    registries = {package["source"] for package in found if package["source"]}
    if len(registries) > 1:
        wrong.append("crates come from several places: " + ", ".join(sorted(registries)))
    twice = sorted(name for name, of_one in versions.items() if len(of_one) > 1)
    print("\n".join(wrong) if wrong else f"{len(found)} crates: all licences and sources are allowed")
    print(f"{len(twice)} of them in several versions: {', '.join(twice)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
