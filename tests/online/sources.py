"""Builds with the backends that projects use: from the index, from folders, from git, and editable."""

import shutil

from support import own_interpreter, require, require_equal

SETTINGS = {
    "hatchling": """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "demo-hatchling"
version = "1.0"
dependencies = ["idna"]
[project.scripts]
demo-hatchling = "demo_hatchling:main"
""",
    "setuptools": """[build-system]
requires = ["setuptools>=64"]
build-backend = "setuptools.build_meta"
[project]
name = "demo-setuptools"
version = "1.0"
dependencies = ["idna"]
[project.scripts]
demo-setuptools = "demo_setuptools:main"
[tool.setuptools]
packages = ["demo_setuptools"]
""",
    "flit": """[build-system]
requires = ["flit_core>=3.4"]
build-backend = "flit_core.buildapi"
[project]
name = "demo-flit"
version = "1.0"
description = "A demonstration"
dependencies = ["idna"]
[project.scripts]
demo-flit = "demo_flit:main"
""",
    "poetry": """[build-system]
requires = ["poetry-core>=1.0"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "demo-poetry"
version = "1.0"
description = "A demonstration"
authors = ["Someone <someone@example.invalid>"]
[tool.poetry.dependencies]
python = ">=3.8"
idna = "*"
[tool.poetry.scripts]
demo-poetry = "demo_poetry:main"
""",
}

# Source distributions on the index, small ones, and what they are built with.
FROM_INDEX = {"idna": "flit", "sniffio": "setuptools", "iniconfig": "hatchling", "tomlkit": "poetry"}


def write_project(folder, backend, state):
    """Writes a small project for the backend."""
    module = "demo_" + backend
    (folder / module).mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(SETTINGS[backend])
    (folder / "README.md").write_text("A demonstration\n")
    source = "state = %r\n\n\ndef main():\n    print(state)\n" % state
    (folder / module / "__init__.py").write_text(source)


def check(place):
    """Builds and installs every way."""
    interpreter = own_interpreter()
    for backend in SETTINGS:
        project = place.path("project-" + backend)
        write_project(project, backend, "before")
        code = "import idna, demo_%s as m; print(m.state)" % backend
        name = "demo-" + backend

        built = "built-" + backend
        place.new(built, interpreter)
        place.virtpy("add", "--venv", built, project)
        require_equal(place.python(built, code), "before", name)
        require_equal(place.run([place.path(built) / "bin" / name])[0].strip(), "before", name + "'s script")

        editable = "editable-" + backend
        place.new(editable, interpreter)
        place.virtpy("add", "--venv", editable, "-e", project)
        write_project(project, backend, "after the change")
        require_equal(place.python(editable, code), "after the change", name + ", editable")
        require_equal(place.python(built, code), "before", name + ", built before the change")
        place.virtpy("check", "--venv", editable)
        yield "%s: folder and editable" % backend

    if shutil.which("git"):
        project = place.path("project-hatchling")
        git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-C", project]
        place.run(git + ["init", "--quiet"])
        place.run(git + ["add", "."])
        place.run(git + ["commit", "--quiet", "-m", "one"])
        commit = place.run(git + ["rev-parse", "HEAD"])[0].strip()
        place.new("git", interpreter)
        place.virtpy("add", "--venv", "git", "demo-hatchling @ git+file://%s@%s" % (project, commit))
        require(commit in place.virtpy("freeze", "--venv", "git")[0], "freeze names the commit")
        require_equal(place.python("git", "import demo_hatchling as m; print(m.state)"), "after the change", "git")
        yield "a git repository at a commit"

    place.new("sdists", interpreter)
    names = list(FROM_INDEX)
    arguments = [part for name in names for part in ("--no-binary", name)]
    place.virtpy("add", "--venv", "sdists", *(arguments + names))
    place.python("sdists", "import " + ", ".join(names))
    place.virtpy("check", "--venv", "sdists")
    yield "source distributions of the index: " + ", ".join(names)
