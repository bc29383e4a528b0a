"""Tools that compare real paths work in a venv of links as they do in one of real files.

Every step does the same in two venvs with the same distributions and compares what the tools say.
"""

import traceback

import real_path_bundles
import real_path_checkers
import real_path_coverage
import real_path_debugger
import real_path_jupyter
import real_path_library
import real_path_servers
from real_path_demo import demo_wheels
from real_path_pair import Pair
from support import CheckFailed

PACKAGES = """
coverage pytest pytest-cov pytest-mock debugpy mypy pyright[nodejs] numpy attrs types-requests six
zope.interface zope.event pyinstaller requests lxml jupyterlab nbconvert ipykernel
django flask starlette uvicorn tornado aiohttp
""".split()

STEPS = (
    real_path_coverage.coverage_report,
    real_path_coverage.pytest_cov,
    real_path_coverage.measuring_an_installed_package,
    real_path_coverage.extra_search_path,
    real_path_coverage.start_of_the_interpreter,
    real_path_debugger.just_my_code,
    real_path_checkers.assertion_rewriting,
    real_path_checkers.mypy,
    real_path_checkers.pyright,
    real_path_jupyter.kernels_and_notebooks,
    real_path_jupyter.laboratory,
    real_path_servers.django,
    real_path_servers.flask,
    real_path_servers.starlette,
    real_path_servers.tornado,
    real_path_servers.aiohttp,
    real_path_servers.folder_shared_by_two,
    real_path_library.compileall,
    real_path_library.pip_check,
    real_path_library.resources,
    real_path_library.sources_of_code,
    real_path_library.processes_and_venvs,
    real_path_bundles.pyinstaller,
)


def check(place):
    """Takes every step, whatever became of those before it, and fails in the end if one of them did."""
    pair = Pair(place)
    number = pair.fill(PACKAGES + demo_wheels(place.root))
    yield "%d distributions in both venvs" % number
    problems = []
    for step in STEPS:
        try:
            yield step(pair)
        except CheckFailed as problem:
            problems.append("%s: %s" % (step.__name__, problem))
        except Exception:  # An accident in one step must not hide the others.
            problems.append("%s: %s" % (step.__name__, traceback.format_exc()))
    if problems:
        raise CheckFailed("%d of %d steps\n%s" % (len(problems), len(STEPS), "\n".join(problems)))
