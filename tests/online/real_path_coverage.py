"""coverage measures the user's own code and no package; what makes it so harms nothing else."""

import json
import re
import statistics
import subprocess
import time

from real_path_pair import VENVS, copy_tree
from support import require, require_equal

APPLICATION = {
    "app.py": """import attr, demo_callback, demo_shared.second, demo_single, numpy, requests, six
import zope.event, zope.interface
import parts.tool


def unused():
    return 1


if __name__ == "__main__":
    demo_callback.call(parts.tool.double, 4)
    demo_single.call(demo_shared.second.answer)
    print(numpy.arange(3).sum(), requests.Request("GET", "http://localhost/").prepare().url)
""",
    "parts/__init__.py": "",
    "parts/tool.py": """def double(number):
    if number > 100:
        return 0
    return 2 * number
""",
    "test_app.py": """import app
import demo_callback


def test_double():
    assert demo_callback.call(app.parts.tool.double, 3) == 6
""",
}


def write_application(pair, name):
    """Writes the small application into one folder for each venv."""
    source = pair.folder(name)
    for path, text in APPLICATION.items():
        (source / path).parent.mkdir(exist_ok=True)
        (source / path).write_text(text)
    for venv in VENVS:
        copy_tree(source, pair.place.path(name + "-" + venv))


def coverage_report(pair):
    """`coverage run` without `--source`."""
    write_application(pair, "coverage")

    def report(venv):
        """What coverage reports of the application, and the files it has in its data."""
        folder = pair.place.path("coverage-" + venv)
        pair.run(venv, ["coverage", "run", "--branch", "app.py"], folder)
        pair.run(venv, ["coverage", "json", "-q"], folder)
        facts = json.loads((folder / "coverage.json").read_text())
        return pair.run(venv, ["coverage", "report"], folder), sorted(facts["files"])

    text, files = pair.same("coverage's report", report)
    require_equal(files, ["app.py", "parts/__init__.py", "parts/tool.py"], "the measured files")
    return "coverage without --source measures the user's %d files only" % len(files)


def pytest_cov(pair):
    """`pytest --cov` without a path."""
    write_application(pair, "pytest-cov")

    def report(venv):
        """What pytest-cov reports of the application."""
        text = pair.run(
            venv, ["pytest", "--cov", "-p", "no:cacheprovider"], pair.place.path("pytest-cov-" + venv)
        )
        return [line for line in text.splitlines() if "%" in line]

    lines = pair.same("pytest --cov", report)
    require(any(line.startswith("test_app.py") for line in lines), "pytest-cov measured nothing: %r" % lines)
    return "pytest --cov: " + lines[-1]


def measuring_an_installed_package(pair):
    """`--source=PACKAGE` and `--cov=PACKAGE` of a package in site-packages, as tox users have it."""
    write_application(pair, "installed")

    def report(venv):
        """The lines of two packages that coverage was told to measure."""
        folder = pair.place.path("installed-" + venv)
        pair.run(
            venv, ["coverage", "run", "--source=demo_callback,demo_shared.second,attr", "app.py"], folder
        )
        pair.run(venv, ["coverage", "json", "-q"], folder)
        facts = json.loads((folder / "coverage.json").read_text())
        counted = sorted(entry["summary"]["covered_lines"] for entry in facts["files"].values())
        text = pair.run(venv, ["pytest", "--cov=demo_callback", "-p", "no:cacheprovider"], folder)
        return counted, [line.split()[-3:] for line in text.splitlines() if "%" in line]

    counted, lines = pair.same("coverage of installed packages", report)
    require(sum(counted) > 0 and lines, "coverage measured nothing in the packages")
    return "coverage --source=PACKAGE and pytest --cov=PACKAGE measure %d installed files" % len(counted)


SEARCH_PATH = """
import json, site, sys
print(json.dumps([sys.path, site.getsitepackages(), sys.flags.isolated]))
"""

# The names in a folder that an import statement could find there: modules, and namespaces that have no code.
IMPORTABLE = """
import importlib.machinery, json, os, sys
folder = sys.argv[1]
names = {name.split(".")[0] for name in os.listdir(folder)} if os.path.isdir(folder) else set()
find = importlib.machinery.PathFinder.find_spec
specs = {name: find(name, [folder]) for name in names if name.isidentifier()}
modules = sorted(name for name, spec in specs.items() if spec and spec.origin)
namespaces = sorted(name for name, spec in specs.items() if spec and not spec.origin)
print(json.dumps([modules, namespaces]))
"""


def extra_search_path(pair):
    """What virtpy adds to sys.path has nothing to import, and site sees the venv as always."""

    def paths(venv):
        """sys.path, site.getsitepackages() and the flag of -I, in a venv."""
        return json.loads(pair.run(venv, ["python", "-I", "-c", SEARCH_PATH], pair.place.root))

    mine, theirs = paths("ours"), paths("real")
    require_equal(mine[1:], theirs[1:], "site.getsitepackages() and -I")
    extra = [entry for entry in mine[0] if entry not in theirs[0]]
    require_equal(
        [entry for entry in mine[0] if entry in theirs[0]], theirs[0], "sys.path but for what virtpy adds"
    )
    require(len(extra) <= 1, "more than one extra entry of sys.path: %r" % extra)
    for entry in extra:
        text = pair.run("ours", ["python", "-I", "-c", IMPORTABLE, entry], pair.place.root)
        modules, namespaces = json.loads(text)
        require_equal(modules, [], "what can be imported from " + entry)
        odd = [name for name in namespaces if not re.match("[a-f][0-9a-f]{15}$", name)]
        require_equal(odd, [], "folders in %s that are not the store's entries" % entry)
    require_equal(
        pair.run("ours", ["python", "-I", "-W", "error", "-c", "import sys"], pair.place.root), "", "-I"
    )
    return "%d extra entry of sys.path, without any module; site.getsitepackages() unchanged" % len(extra)


def start_of_the_interpreter(pair):
    """An interpreter in an empty venv of virtpy's starts within 2 ms of one in an empty venv of Python's."""
    pair.place.new("empty-ours", pair.interpreter)
    pair.place.run([pair.interpreter, "-m", "venv", "--without-pip", "empty-real"])

    def start(venv):
        """How long an interpreter takes that does nothing, in milliseconds."""
        program = str(pair.program(venv, "python"))
        begin = time.perf_counter()
        subprocess.run([program, "-c", "pass"], env=pair.environment, check=True, stdin=subprocess.DEVNULL)
        return (time.perf_counter() - begin) * 1000

    differences = []
    for _ in range(3):  # A machine that is busy with other things is given another chance.
        times = [(start("empty-ours"), start("empty-real")) for _ in range(21)][1:]
        mine, theirs = (statistics.median(column) for column in zip(*times))
        differences.append(mine - theirs)
        if mine - theirs <= 2:
            return "an interpreter starts in %.1f ms, in a venv of Python's in %.1f ms" % (mine, theirs)
    require(False, "an interpreter starts slower by %r ms (medians of 20)" % differences)
