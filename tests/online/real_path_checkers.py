"""pytest's assertion rewriting in plugins, and type checkers: the same words as with real files."""

import re

from real_path_pair import VENVS, copy_tree
from support import require

PLUGIN_TEST = """
def test_same(balanced):
    balanced(3, 3)


def test_different(balanced):
    balanced(1, 2)


def test_mocked(mocker):
    import demo_callback
    relay = mocker.patch("demo_callback.relay", return_value="mocked")
    assert demo_callback.call(print, 1) == "mocked"
    relay.assert_called_once_with(print, [1])


def test_call_differs(mocker):
    called = mocker.Mock()
    called(1)
    called.assert_called_once_with(2)
"""

TYPED = """import attr
import attrs
import numpy as np
import requests
import six
import yaml
import zope.event
import zope.interface
from numpy.typing import NDArray


class Shape(zope.interface.Interface):
    pass


@attrs.define
class Point:
    x: int
    y: int = 0


def total(values: NDArray[np.float64]) -> str:
    return values.sum()


point = Point("one", z=3)
point.x = "two"
answer: int = requests.get(5).json
reveal_type(requests.get("http://localhost/"))
reveal_type(np.arange(3))
reveal_type(attr.asdict(point))
reveal_type(zope.event.notify)
reveal_type(six.moves)
numpy_missing = np.no_such_name
import demo_shared.second
import demo_callback
import no_such_package
reveal_type(demo_shared.second.answer())
"""


def write_project(pair, name, files):
    """Writes the files into one folder that both venvs use, so that paths in messages are the same."""
    folder = pair.folder(name)
    for path, text in files.items():
        (folder / path).write_text(text)
    return folder


def assertion_rewriting(pair):
    """A plugin's assert is explained, and pytest-mock works."""
    folder = write_project(pair, "plugins", {"test_plugin.py": PLUGIN_TEST})
    for venv in VENVS:
        copy_tree(folder, folder / venv)

    def say(venv):
        """All that pytest says."""
        command = ["pytest", "-p", "no:cacheprovider", "-q", "test_plugin.py"]
        return pair.run(venv, command, folder / venv, codes=(1,)).replace("../../%s/" % venv, "VENV/")

    text = re.sub(r"\n=+.*", "", pair.same("pytest", say))
    require(
        re.search(r"^E +assert 1 == 2$", text, re.MULTILINE), "the plugin's assert is not explained:\n" + text
    )
    require("2 failed, 2 passed" in text, "pytest's summary:\n" + text)
    return "pytest explains a plugin's assert; pytest-mock works"


def mypy(pair):
    """mypy on a small project with errors."""
    folder = write_project(pair, "mypy", {"typed.py": TYPED})

    def say(venv):
        """All that mypy says, with a cache of its own."""
        command = ["mypy", "--strict", "--cache-dir", folder / ("cache-" + venv), "typed.py"]
        text = pair.run(venv, command, folder, codes=(1,))
        again = pair.run(venv, command, folder, codes=(1,))  # From its cache.
        return text, again

    text, _ = pair.same("mypy", say)
    require('Revealed type is "requests.models.Response"' in text, "mypy does not see the stubs:\n" + text)
    require("numpy.ndarray" in text, "mypy does not see numpy's types:\n" + text)
    return "mypy: " + text.strip().splitlines()[-1]


def pyright(pair):
    """pyright on the same project."""
    folder = write_project(pair, "pyright", {"typed.py": TYPED, "pyrightconfig.json": "{}\n"})

    def say(venv):
        """All that pyright says."""
        command = ["pyright", "--pythonpath", pair.program(venv, "python"), "typed.py"]
        return pair.run(venv, command, folder, codes=(1,))

    text = pair.same("pyright", say)
    require('Type of "np.arange(3)" is "ndarray' in text, "pyright does not see numpy's types:\n" + text)
    return "pyright: " + text.strip().splitlines()[-1]
