"""Small wheels for the checks of real paths: a plugin, data, static files, a package that calls back."""

from real_path_pair import build_wheel

PLUGIN = '''"""A plugin of pytest with an assert in a fixture."""
import pytest


@pytest.fixture
def balanced():
    """A function that compares two numbers."""
    def compare(left, right):
        total = {"left": left, "right": right}
        assert total["left"] == total["right"]
    return compare
'''

CALLBACK = '''"""Calls what it is given."""


def call(function, *arguments):
    """Calls the function from a second frame."""
    prepared = list(arguments)
    return relay(function, prepared)


def relay(function, arguments):
    """The second frame."""
    result = function(*arguments)
    return result


def fail():
    """Raises an error."""
    raise ValueError("on purpose")
'''

BLUEPRINT = '''"""A blueprint with a folder of static files and a template."""
from flask import Blueprint, render_template

pages = Blueprint("demo", __name__, static_folder="static", template_folder="templates", url_prefix="/demo")


@pages.route("/")
def start():
    """A page from the package's template."""
    return render_template("demo/start.html", name="visitor")
'''

FIRST = {
    "demo_plugin/__init__.py": PLUGIN,
    "demo_callback/__init__.py": CALLBACK,
    "demo_blueprint/__init__.py": BLUEPRINT,
    "demo_blueprint/static/demo.css": "body { color: #123456 }\n",
    "demo_blueprint/static/deep/demo.js": "console.log('demo');\n",
    "demo_blueprint/templates/demo/start.html": "<p>Hello, {{ name }}</p>\n",
    "demo_data/__init__.py": "",
    "demo_data/one.txt": "one\n",
    "demo_data/tables/two.csv": "a,b\n1,2\n",
    "demo_data/tables/deep/three.json": "{}\n",
    "demo_shared/first/__init__.py": "",
    "demo_shared/static/first.css": "p { margin: 1px }\n",
    "demo_single.py": "def call(function):\n    return function()\n",
}

SECOND = {
    "demo_shared/second/__init__.py": "def answer():\n    return 42\n",
    "demo_shared/static/second.css": "p { margin: 2px }\n",
}


def demo_wheels(folder):
    """Builds the wheels in a folder and returns their paths."""
    entry_points = "[pytest11]\ndemo = demo_plugin\n"
    return [
        build_wheel(folder, "demo_first", "1.0", FIRST, entry_points),
        build_wheel(folder, "demo_second", "1.0", SECOND),
    ]
