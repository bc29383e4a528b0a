#!/usr/bin/env python3
"""pip's own functional tests, through the venvs' pip.

    python3 tests/online/pip_suite.py [--pip-source FOLDER] [--virtpy PROGRAM] [--listed] [-k WORDS] [FILE ...]

FOLDER is a checkout of pip's repository, or a git directory of it (bare ones too), from which REVISION is taken. Without it
that one commit is fetched with git: pip's sdist leaves its tests out. `pip_suite_plugin.py` makes the tests' environments
with `virtpy new`. `pip_suite_expected.txt` lists the tests that have to pass, and the others by the reason why they differ;
a test that is in neither part is new. `--listed` runs those alone that have to pass.
As a check of `run.py` it is called pip-suite-all and does that; pip-suite takes those of QUICK only. Where VIRTPY_PIP_SOURCE
names no FOLDER and the repository cannot be reached, they are skipped.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

from support import CheckFailed, Place, require  # noqa: E402

# The commit of pip's that the list was made with: shortly before 26.3.
REVISION = "6d309205789d368b2749d93fd6193d584811efd5"

# Where it is fetched from.
REPOSITORY = "https://github.com/pypa/pip"

# The tests of what the venvs' pip does itself. The rest of pip's functional tests is about commands that a real pip does.
FILES = """
test_check test_config_settings test_freeze test_inspect test_install test_install_check test_install_compat
test_install_config test_install_dependencies test_install_direct_url test_install_extras test_install_force_reinstall
test_install_format_control test_install_index test_install_pylock_reqs test_install_release_control test_install_report
test_install_reqs test_install_requested test_install_script test_install_upgrade test_install_user test_install_vcs_git
test_install_wheel test_invalid_versions_and_specifiers test_list test_new_resolver test_new_resolver_errors
test_new_resolver_hashes test_new_resolver_user test_pep517 test_pep660 test_show test_uninstall test_uninstall_user
test_uploaded_prior_to
""".split()

# Those of them that take a minute or two, and touch every command.
QUICK = """
test_check test_freeze test_inspect test_install_check test_install_direct_url test_install_force_reinstall
test_install_release_control test_list test_new_resolver_hashes test_show test_uninstall
""".split()

# What pip's `test` and `test-common-wheels` groups name, as far as these files need it.
TOOLS = [
    "cryptography", "flit-core>=3.11,<5", "freezegun", "installer", "pytest>=8", "pytest-cov", "pytest-rerunfailures",
    "pytest-subket", "pytest-timeout", "pytest-xdist", "scripttest", "setuptools", "tomli-w", "virtualenv>=20", "werkzeug",
]  # fmt: skip
COMMON_WHEELS = ["flit-core>=3.11,<5", "setuptools>=70.1,<80", "coverage>=4.4", "pytest-subket>=0.8.1", "keyring"]

EXPECTED = Path(__file__).resolve().with_name("pip_suite_expected.txt")


def expectations():
    """The tests that have to pass, and a dict from the others to the reason why they do not."""
    passes, others, reason = set(), {}, None
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            reason = line.strip("[]")
        elif reason == "passes":
            passes.add(line)
        else:
            others[line] = reason
    return passes, others


def unpack(source, folder):
    """Puts pip's repository into a folder of ours, where the tests may write."""
    git = source if source.joinpath("HEAD").exists() else source / ".git"
    folder.mkdir()
    if not git.exists():
        shutil.copytree(str(source), str(folder), dirs_exist_ok=True)
        return
    archive = folder.with_suffix(".tar")
    command = ["git", "--git-dir", str(git), "archive", "--output", str(archive), REVISION]
    if subprocess.run(command, check=False).returncode != 0:
        raise CheckFailed("%s has no commit %s of pip's" % (source, REVISION))
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True)


def fetch(place):
    """Fetches pip's commit into a folder of ours and returns the git directory, or None where that cannot be done."""
    folder = place.path("pip.git")
    environment = dict(place.environment, GIT_TERMINAL_PROMPT="0")
    steps = [
        ["git", "init", "--quiet", "--bare", str(folder)],
        ["git", "--git-dir", str(folder), "fetch", "--quiet", "--depth", "1", REPOSITORY, REVISION],
    ]
    for step in steps:
        try:
            done = subprocess.run(step, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode != 0:
            return None
    return folder


def source_of(place, named):
    """The source that is named, or else one that is fetched; None where there is none."""
    return Path(named).resolve() if named else fetch(place)


def prepare(place, source):
    """A checkout with the wheels that its tests need, the interpreter that runs them, and a store with a real pip."""
    suite, python = place.path("pip"), place.path("tests") / "bin" / "python"
    unpack(source, suite)
    require(suite.joinpath("tests", "conftest.py").exists(), "%s has no tests of pip's" % source)
    place.run([sys.executable, "-m", "venv", place.path("tests")])
    place.run([python, "-m", "pip", "install", "--quiet"] + TOOLS)
    place.run([python, "-m", "pip", "install", "--quiet", "--no-deps", suite])
    wheels = suite / "tests" / "data" / "common_wheels"
    place.run([python, "-m", "pip", "download", "--quiet", "--dest", wheels] + COMMON_WHEELS)
    # What a real pip does needs one; the tests themselves have no index.
    place.virtpy("new", "warm")
    place.virtpy("pip", "--venv", place.path("warm"), "cache", "dir")
    return suite, python


def run(place, suite, python, files, more):
    """Runs test files or single tests and returns a dict from each test to what became of it."""
    results = place.path("results.txt")
    environment = dict(place.environment, VIRTPY_UNDER_TEST=place.program, VIRTPY_SUITE_RESULTS=str(results))
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parent)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.pop("VIRTPY_PIP_SHIM")
    command = [str(python), "-m", "pytest", "-p", "pip_suite_plugin", "-p", "no:cacheprovider", "-m", "not network"]
    command += ["-q", "--timeout", "300", "--tb", "short", "--basetemp", str(place.path("t"))] + more
    chosen = place.path("chosen.txt")
    chosen.write_text("".join("%s\n" % os.path.join("tests", "functional", name) for name in files), encoding="utf-8")
    command.append("@" + str(chosen))
    with open(str(place.path("log.txt")), "wb") as log:
        subprocess.run(command, cwd=str(suite), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    require(results.exists(), "pytest did not come to an end:\n" + tail(place))
    lines = results.read_text(encoding="utf-8").splitlines()
    return {node: outcome for outcome, node in (line.split(" ", 1) for line in lines)}


def tail(place):
    """The end of what pytest said."""
    return "\n".join(place.path("log.txt").read_text(errors="replace").splitlines()[-40:])


def compare(outcomes):
    """What the list does not say: tests that have to pass and did not, and tests that passed unexpectedly."""
    passes, others = expectations()
    lost = sorted(node for node in outcomes if node in passes and outcomes[node] != "passed")
    won = sorted(node for node in outcomes if node not in passes and outcomes[node] == "passed")
    new = sorted(node for node in outcomes if node not in passes and node not in others)
    return lost, won, new


def check(place):
    """The tests of QUICK that have to pass."""
    yield from check_files(place, QUICK)


def check_all(place):
    """All tests that have to pass."""
    yield from check_files(place, FILES)


def check_files(place, files):
    """Those tests of these files that have to pass."""
    source = source_of(place, os.environ.get("VIRTPY_PIP_SOURCE"))
    if source is None:
        yield "skipped: VIRTPY_PIP_SOURCE names no checkout of pip's repository, and %s cannot be fetched" % REPOSITORY
        return
    suite, python = prepare(place, source)
    passes, others = expectations()
    passes = {node for node in passes if node.split(".py::")[0] in files}
    outcomes = run(place, suite, python, sorted(passes), ["-n", "2"])
    lost, _, _ = compare(outcomes)
    require(not lost, "%d of pip's tests have to pass and do not:\n  %s" % (len(lost), "\n  ".join(lost)))
    absent = sorted(passes - set(outcomes))
    require(not absent, "%d expected tests of pip's were not found:\n  %s" % (len(absent), "\n  ".join(absent)))
    yield "%d of pip's functional tests pass; %d others are listed by the reason why not" % (len(outcomes), len(others))


def main():
    """Runs the suite or a part of it, and tells what differs from the list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "target" / "release" / "virtpy"
    parser.add_argument("--virtpy", type=Path, default=default, help="the program under test")
    parser.add_argument("--pip-source", help="a checkout or a git directory of pip's repository")
    parser.add_argument("--listed", action="store_true", help="only those that have to pass")
    parser.add_argument("--jobs", default="2", help="how many tests run beside each other")
    parser.add_argument("--keep", action="store_true", help="leave the folders for a look")
    parser.add_argument("-k", dest="words", help="only tests whose names fit, as pytest reads it")
    parser.add_argument("files", nargs="*", metavar="FILE", help="one of: " + ", ".join(FILES))
    arguments = parser.parse_args()
    place = Place(arguments.virtpy.resolve())
    more = ["-n", arguments.jobs] + (["-k", arguments.words] if arguments.words else [])
    files = sorted(expectations()[0]) if arguments.listed else [name + ".py" for name in arguments.files or FILES]
    try:
        source = source_of(place, arguments.pip_source)
        require(source is not None, "cannot fetch %s; name a checkout with --pip-source" % REPOSITORY)
        suite, python = prepare(place, source)
        outcomes = run(place, suite, python, files, more)
    except CheckFailed as problem:
        print(problem)
        return 1
    lost, won, new = compare(outcomes)
    for title, nodes in [("have to pass and do not", lost), ("pass unexpectedly", won), ("are not listed", new)]:
        if nodes:
            print("%d tests %s:\n  %s" % (len(nodes), title, "\n  ".join(nodes)))
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    print("%d of %d passed" % (passed, len(outcomes)))
    if arguments.keep:
        print("kept: %s" % place.root)
    else:
        place.remove()
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
