"""`virtpy python use` hands an installed interpreter to real Poetry, 1.8 and the newest."""

import json
import os

from python_archives import Archive, serve
from support import own_interpreter, require

POETRIES = {"1.8": "poetry>=1.8,<1.9", "the newest": "poetry>=2"}

PROJECT = """[tool.poetry]
name = "vp-project"
version = "1"
description = ""
authors = []
package-mode = false

[tool.poetry.dependencies]
python = ">=3.8"
"""


def check(place):
    """Installs each Poetry, makes a project, hands the interpreter over, and asks Poetry what it uses."""
    folder = place.path("served")
    folder.mkdir()
    archive = Archive(folder)
    url = serve(folder)
    (folder / "index.json").write_text(json.dumps(archive.index(url)))
    place.environment["VIRTPY_PYTHON_INDEX_URL"] = url + "index.json"
    for number, (label, requirement) in enumerate(POETRIES.items()):
        tools = place.path("poetry%d" % number)
        place.run([own_interpreter(), "-m", "venv", tools])
        place.run([tools / "bin" / "pip", "install", "--quiet", requirement])
        project = place.path("project%d" % number)
        project.mkdir()
        (project / "pyproject.toml").write_text(PROJECT)
        environment = dict(place.environment)
        environment["PATH"] = str(tools / "bin") + os.pathsep + environment["PATH"]
        environment["POETRY_VIRTUALENVS_PATH"] = str(place.path("venvs%d" % number))
        environment["POETRY_CONFIG_DIR"] = str(place.path("config%d" % number))
        # Any interpreter of this machine would do; one that virtpy installed goes before the others.
        place.virtpy("python", "install", archive.short, environment=environment)
        place.virtpy("python", "use", archive.short, environment=environment, cwd=project)
        python = place.run([tools / "bin" / "poetry", "env", "info", "--executable"], environment=environment, cwd=project)
        code = "import sys; print(sys.base_prefix)"
        base = place.run([python[0].strip(), "-c", code])[0].strip()
        pythons = os.path.realpath(str(place.path("s") / "pythons"))
        require(os.path.realpath(base).startswith(pythons), "Poetry %s uses %s" % (label, base))
        yield "Poetry %s makes its venv from %s" % (label, base)
