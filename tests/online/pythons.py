"""Real packages in a venv of every Python from 3.8 to 3.13 that the machine has."""

from support import interpreters, require, require_equal

PACKAGES = ["requests", "rich", "numpy", "flask", "pytest"]
CODE = (
    "import sys, numpy, requests, rich, flask, pytest; "
    "print('%d.%d' % sys.version_info[:2], int(numpy.arange(4).sum()))"
)


def check(place):
    """Adds the packages, imports them, runs a script, and removes everything."""
    found = interpreters()
    require(found, "the machine has no Python from 3.8 to 3.13")
    for version, interpreter in found.items():
        venv = "venv-" + version
        place.new(venv, interpreter)
        place.virtpy("add", "--venv", venv, *PACKAGES)
        require_equal(place.python(venv, CODE), version + " 6", "the imports under Python " + version)
        place.run([place.path(venv) / "bin" / "flask", "--version"])
        place.virtpy("check", "--venv", venv)
        place.virtpy("remove", "--venv", venv, *PACKAGES)
        yield "Python " + version
