"""The tests that distributions carry in their wheels, run in both venvs: the same tests must fail, if any.

These are other people's tests of how their code finds its own files, compares paths, and starts itself again.
"""

import os
import re
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

from support import require

from pair import normal

LIMIT = 1200  # seconds for one suite

# `arguments` follow the interpreter; with `pytest` they are what pytest collects. `least` is how many tests
# must pass for the comparison to mean something.
Suite = namedtuple("Suite", "distributions pytest arguments least")

SUITES = {
    "tornado": Suite("tornado", False, "-m tornado.test", 800),
    "bitarray": Suite("bitarray", False, "-m unittest bitarray.test_bitarray", 300),
    "simplejson": Suite("simplejson", True, "simplejson.tests", 100),
    "shapely": Suite("shapely", True, "shapely.tests", 1000),
    "h5py": Suite("h5py", True, "h5py.tests", 400),
    "zope.interface": Suite("zope.interface zope.testing", True, "zope.interface.tests", 800),
    "zope.event": Suite("zope.event", True, "zope.event.tests", 3),
    "zope.schema": Suite("zope.schema zope.i18nmessageid", True, "zope.schema zope.i18nmessageid", 500),
    "greenlet": Suite(
        "greenlet objgraph psutil",
        True,
        "greenlet.tests.test_greenlet greenlet.tests.test_generator greenlet.tests.test_throw",
        40,
    ),
    "networkx": Suite("networkx", True, "networkx.readwrite networkx.classes networkx.utils", 1000),
    "numpy": Suite("numpy hypothesis", True, "numpy.lib.tests numpy.testing.tests", 2000),
    "scipy": Suite("scipy", True, "scipy.special.tests.test_basic scipy.io.tests", 800),
    "pandas": Suite("pandas hypothesis", True, "pandas.tests.indexes.multi pandas.tests.io.test_common", 500),
    "pyarrow": Suite("pyarrow", True, "pyarrow.tests.test_array pyarrow.tests.test_misc", 200),
}


def read_junit(report):
    """The outcome of each test in pytest's report, by outcome."""
    outcomes = {"passed": set(), "failing": set(), "skipped": set()}
    for case in ElementTree.parse(str(report)).getroot().iter("testcase"):
        name = "%s %s" % (case.get("classname"), case.get("name"))
        kinds = {child.tag for child in case}
        outcome = "failing" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        outcomes[outcome].add(name)
    return outcomes


def run_suite(pair, venv, title):
    """Runs one suite in one venv: which tests fail, and how many pass and are skipped."""
    suite = SUITES[title]
    python = pair.place.path(venv) / "bin" / "python"
    if not suite.pytest:
        code, text = pair.run(venv, [python] + suite.arguments.split(), LIMIT)
        ran = re.findall(r"^Ran (\d+) tests? in", text, re.MULTILINE)
        failing = re.findall(r"^(?:FAIL|ERROR): (.+)$", text, re.MULTILINE)
        tests = int(ran[-1]) if ran else "none: " + normal(text[-600:], pair, venv)
        return {"failing": sorted(failing), "tests": tests, "code": code}
    report = pair.place.path("suite-%s-%s.xml" % (venv, title))
    options = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", report, "--pyargs"]
    code, text = pair.run(venv, [python] + options + suite.arguments.split(), LIMIT)
    if not report.exists():
        return {"failing": "no report, exit code %s: %s" % (code, normal(text[-600:], pair, venv))}
    outcomes = read_junit(report)
    os.unlink(str(report))
    failing = sorted(normal(name, pair, venv) for name in outcomes["failing"])
    passed, skipped = (len(outcomes[outcome]) for outcome in ("passed", "skipped"))
    return {"failing": failing, "tests": passed, "skipped": skipped, "code": code}


def compare_suite(pair, title):
    """Runs one suite in both venvs, twice if they differ the first time: some tests depend on the time."""
    results = {}

    def look(venv, name):
        """The same as run_suite, and keeps the result."""
        results[venv] = run_suite(pair, venv, name)
        return results[venv]

    pair.compare("tests of " + title, [title], look)
    real = results["real"]
    require(isinstance(real.get("tests"), int), "the tests of %s did not run: %s" % (title, real))
    least = SUITES[title].least
    require(real["tests"] >= least, "only %d tests of %s pass, not %d" % (real["tests"], title, least))
    return "%s: %d tests, the same %d fail in both" % (title, real["tests"], len(real["failing"]))


def build(pair, titles):
    """Makes the venvs with all the distributions that carry the suites."""
    names = sorted({name for title in titles for name in SUITES[title].distributions.split()} | {"pytest"})
    pair.build(names)
    return "%d distributions installed by both" % len(pair.pins)


def run(tally, pair, titles):
    """Runs the suites with these titles."""
    if not tally.step("installing", build, pair, titles):
        return
    for title in titles:
        tally.step(title, compare_suite, pair, title)
