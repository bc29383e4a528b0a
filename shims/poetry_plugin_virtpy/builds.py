"""Patches of Poetry's builds: projects that Poetry's own library builds, and nothing else, need no build environment,
and the project itself comes into the venv as a wheel."""

from __future__ import annotations

import functools
import json
import logging
import tempfile
from pathlib import Path

from . import changes, program

logger = logging.getLogger(__name__)

_BACKEND = "poetry.core.masonry.api"


def patch() -> None:
    """Builds for venvs of virtpy's in a shorter way, where that gives the same wheel."""
    from poetry.installation.chef import Chef
    from poetry.masonry.builders.editable import EditableBuilder

    if hasattr(Chef, "_virtpy_patched"):
        return
    Chef._virtpy_patched = True
    prepare = Chef._prepare
    build = EditableBuilder.build

    @functools.wraps(prepare)
    def _prepare(self, directory, destination, **options):
        editable = options.get("editable", False)
        # Settings for the build, or constraints on its requirements, are for the long way.
        others = [value for name, value in options.items() if name != "editable"]
        if not any(others) and changes.store_of(self._env.path) is not None:
            try:
                poetry = simple_project(Path(directory))
                if poetry is not None:
                    return make_wheel(poetry, Path(destination), editable)
            except Exception as problem:  # Whatever it is, the long way knows better, or says it.
                logger.debug("%s is built the long way: %s", directory, problem)
        return prepare(self, directory, destination, **options)

    @functools.wraps(build)
    def build_root(self, *arguments, **options):
        store = changes.store_of(self._env.path)
        if store is None or self._package.build_script:
            return build(self, *arguments, **options)
        try:
            install_root(self._poetry, self._env.path, store)
        except program.Failed as problem:
            self._io.write_error_line(f"<warning>virtpy could not install the project: {problem}</warning>")
            return build(self, *arguments, **options)
        return self._path

    Chef._prepare = _prepare
    EditableBuilder.build = build_root


def simple_project(directory: Path):
    """The project in a folder, if this process can build it as its own build environment would; None otherwise."""
    from importlib.metadata import version

    from packaging.requirements import InvalidRequirement, Requirement
    from poetry.core.factory import Factory
    from poetry.core.pyproject.toml import PyProjectTOML

    path = directory / "pyproject.toml"
    if not path.is_file():
        return None
    pyproject = PyProjectTOML(path).data
    if "project" in pyproject and int(version("poetry-core").split(".")[0]) < 2:
        return None  # A newer one would read that table.
    system = pyproject.get("build-system", {})
    requires = [str(requirement) for requirement in system.get("requires", [])]
    if system.get("build-backend") != _BACKEND or "backend-path" in system or len(requires) != 1:
        return None
    try:
        required = Requirement(requires[0])
    except InvalidRequirement:
        return None
    if required.name.lower().replace("_", "-") != "poetry-core" or required.url or required.marker or required.extras:
        return None
    if not required.specifier.contains(version("poetry-core"), prereleases=True):
        return None
    poetry = Factory().create_poetry(directory, with_groups=False)
    return None if poetry.package.build_script else poetry


def make_wheel(poetry, folder: Path, editable: bool) -> Path:
    """Builds a project's wheel into a folder, as its backend does."""
    from poetry.core.masonry.builders.wheel import WheelBuilder

    folder.mkdir(parents=True, exist_ok=True)
    return folder / WheelBuilder.make_in(poetry, folder, editable=editable)


def install_root(poetry, venv, store: str) -> None:
    """Installs the project itself, to be used in place. Raises program.Failed if virtpy cannot."""
    with tempfile.TemporaryDirectory(prefix="virtpy-poetry-") as folder:
        wheel = make_wheel(poetry, Path(folder), editable=True)
        root = poetry.file.path.parent.absolute()
        direct_url = json.dumps({"dir_info": {"editable": True}, "url": root.as_uri()})
        item = {"wheel": str(wheel), "origin": str(root), "direct_url": direct_url}
        answer = changes.apply(venv, store, {"install": [item], "remove": []})
        for refusal in answer.get("refused", ()):
            raise program.Failed(refusal["reason"])
