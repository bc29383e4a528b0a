"""A plugin for pytest under which pip's own functional tests work on environments that `virtpy new` makes.

`VIRTPY_UNDER_TEST` names the program, `VIRTPY_HOME` its store, `VIRTPY_SUITE_RESULTS` a file for the outcomes: a line
`passed NODE`, `failed NODE` or `skipped NODE` for each test; why a test failed is in `failures.txt` beside it.
"""

import os
import subprocess
from pathlib import Path

import pytest

PROGRAM = os.environ["VIRTPY_UNDER_TEST"]
STORE = Path(os.environ["VIRTPY_HOME"]).resolve()

# What is configured on this machine is no part of what the tests expect.
for _name in list(os.environ):
    if _name.startswith(("PIP_", "UV_")):
        del os.environ[_name]


def virtpy(*arguments):
    """Runs the program under test, which must succeed."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (arguments, done.stdout.decode(errors="replace")))


def make_venv(venv):
    """What the tests' own environments have: pip, and setuptools for builds without isolation."""
    from tests.lib import DATA_DIR

    virtpy("--quiet", "new", venv.location)
    wheels = DATA_DIR / "common_wheels"
    virtpy("--quiet", "add", "--venv", venv.location, "--no-deps", "--no-index", "--find-links", wheels, "setuptools")
    # Several tests look whether it was changed.
    venv.site.joinpath("easy-install.pth").touch()


def create(self, clear=False):
    """Takes the place of `VirtualEnvironment._create`: each environment is made again, where it is to stand."""
    import shutil

    if clear:
        shutil.rmtree(self.location)
    make_venv(self)
    if self._template:
        self._sitecustomize = self._template.sitecustomize
        self._user_site_packages = self._template.user_site_packages
    self.sitecustomize = self._sitecustomize
    self.user_site_packages = self._user_site_packages


def patch(environment, virtual_environment):
    """Makes the tests' environments virtpy's, and lets what the tests see of the disk go through links into the store."""
    traverse, ignore = environment._find_traverse, environment._ignore_file

    def find_traverse(self, path, result):
        full = os.path.join(self.base_path, path)
        if not (os.path.islink(full) and os.path.isdir(full) and STORE in Path(os.path.realpath(full)).parents):
            return traverse(self, path, result)
        # As the tests' class has it from scripttest, for a folder that is none of its links.
        from scripttest import FoundDir

        result[path] = FoundDir(self.base_path, path)
        for name in os.listdir(full):
            inside = os.path.join(path, name)
            if not self._ignore_file(inside):
                super(environment, self)._find_traverse(inside, result)
        return None

    def ignore_file(self, name):
        # virtpy's own notes about the environment.
        return os.path.basename(name) == ".virtpy" or ignore(self, name)

    environment._find_traverse, environment._ignore_file = find_traverse, ignore_file
    virtual_environment._create = create


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """The pip of the sources is not installed for the environments: theirs is virtpy's."""
    if fixturedef.argname != "pip_editable_parts":
        return None
    folder = request.getfixturevalue("tmp_path_factory").mktemp("no_pip")
    folder.joinpath("none.pth").touch()
    folder.joinpath("none.dist-info").mkdir()
    parts = (folder / "none.pth", folder / "none.dist-info")
    fixturedef.cached_result = (parts, fixturedef.cache_key(request), None)
    return parts


def pytest_configure(config):
    """Changes the tests' helpers before any test is collected."""
    from tests.lib import PipTestEnvironment
    from tests.lib.venv import VirtualEnvironment

    patch(PipTestEnvironment, VirtualEnvironment)
    results = os.environ.get("VIRTPY_SUITE_RESULTS")
    if results and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(results))


class Outcomes:
    """Writes what became of each test to a file."""

    def __init__(self, path):
        self.path = path
        self.outcomes = {}

    def pytest_runtest_logreport(self, report):
        """Remembers the worst of a test's three parts; a failure that the test itself expects is not a pass."""
        node = report.nodeid.replace("tests/functional/", "")
        if report.failed:
            self.outcomes[node] = "failed"
            with open(os.path.join(os.path.dirname(self.path), "failures.txt"), "a", encoding="utf-8") as file:
                told = "".join(text for title, text in report.sections)
                file.write("=== %s\n%s\n%s\n" % (node, report.longreprtext, told))
        elif report.skipped:
            self.outcomes.setdefault(node, "skipped")
        elif report.when == "call":
            self.outcomes.setdefault(node, "passed")

    def pytest_sessionfinish(self):
        """Writes the file."""
        with open(self.path, "w", encoding="utf-8") as file:
            for node, outcome in sorted(self.outcomes.items()):
                file.write("%s %s\n" % (outcome, node))
