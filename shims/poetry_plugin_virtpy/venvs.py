"""Patches of Poetry's handling of venvs: those of projects are made by virtpy, where that is wished."""

from __future__ import annotations

import functools
from contextvars import ContextVar

from . import program

# How to warn, while a project's venv is being made that virtpy shall make. Build environments are made elsewhere.
_making = ContextVar("virtpy_making", default=None)

# Options of virtualenv that virtpy has its own way for, or that mean nothing to it.
_KNOWN_FLAGS = {"always-copy", "system-site-packages", "no-pip", "no-setuptools", "no-wheel"}


def patch() -> None:
    """Lets virtpy make the venvs of projects that wish so."""
    from poetry.utils.env import EnvManager

    if hasattr(EnvManager, "_virtpy_patched"):
        return
    EnvManager._virtpy_patched = True
    create = EnvManager.create_venv
    build = EnvManager.build_venv.__func__

    @functools.wraps(create)
    def create_venv(self, *arguments, **options):
        token = _making.set(self._io.write_error_line if is_wished(self._poetry) else None)
        try:
            return create(self, *arguments, **options)
        finally:
            _making.reset(token)

    @functools.wraps(build)
    def build_venv(cls, path, executable=None, flags=None, *arguments, **options):
        tell = _making.get()
        if tell is not None:
            try:
                return make(path, executable, flags or {}, options.get("prompt"))
            except program.Failed as problem:
                tell(f"<warning>This venv is made without virtpy: {problem}</warning>")
        return build(cls, path, executable, flags, *arguments, **options)

    EnvManager.create_venv = create_venv
    EnvManager.build_venv = classmethod(build_venv)


def is_wished(poetry) -> bool:
    """Whether a project's venv shall be one of virtpy's: its own word, or else Poetry's setting `virtpy.create`."""
    try:
        own = poetry.pyproject.data.get("tool", {}).get("virtpy", {}).get("create")
    except AttributeError:
        own = None
    wish = poetry.config.get("virtpy.create") if own is None else own
    return str(wish).lower() in ("true", "1")


def make(path, executable, flags, prompt) -> None:
    """Makes a venv of virtpy's. Raises program.Failed if that cannot be done."""
    set_flags = {name for name, value in flags.items() if value not in (False, None)}
    if not set_flags <= _KNOWN_FLAGS:
        unknown = ", ".join(sorted(set_flags - _KNOWN_FLAGS))
        raise program.Failed(f"it has no such option as {unknown}")
    arguments = ["--quiet", "new", str(path)]
    if executable is not None:
        arguments += ["--python", str(executable)]
    if prompt is not None:
        arguments += ["--prompt", prompt]
    if "system-site-packages" in set_flags:
        arguments.append("--system-site-packages")
    if "always-copy" in set_flags:
        arguments += ["--link-mode", "copy"]
    program.run(arguments)
