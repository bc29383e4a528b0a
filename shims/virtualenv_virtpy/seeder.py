"""What virtualenv loads: a seeder, the part that puts the first packages into a new venv."""

from __future__ import annotations

import json
import logging
import os

from . import program

LOGGER = logging.getLogger("virtpy")

# The interpreters that virtpy knows, and the oldest version of them.
_IMPLEMENTATIONS = ("CPython", "PyPy")
_OLDEST = (3, 8)

try:
    from virtualenv.seed.embed.via_app_data.via_app_data import FromAppData
except ImportError:
    # Not a virtualenv that this was made for. It works as it would without a plugin, as long as nobody names this seeder.
    FromAppData = object

_told = set()


class VirtpySeeder(FromAppData):
    """Makes a venv of virtpy's of what virtualenv makes; otherwise it does what virtualenv does without it."""

    def __init__(self, options) -> None:
        super().__init__(options)
        # Without any package it is one of virtpy's as well. `--no-seed` leaves it alone.
        self.enabled = options.no_seed is False

    @classmethod
    def cannot_seed(cls, interpreter):
        """Nothing: what virtualenv's own wheels are too new for is found out when they are needed."""
        return None

    def run(self, creator) -> None:
        """Called by virtualenv when the venv is there, before it writes `pyvenv.cfg` for good."""
        reason = self.obstacle(creator)
        if reason is None:
            try:
                self.seed(creator)
                return
            except program.Failed as problem:
                reason = summary(str(problem))
        if reason not in _told:
            _told.add(reason)
            LOGGER.warning("virtpy shares nothing with %s: %s", creator.dest, reason)
        self.seed_as_always(creator)

    def obstacle(self, creator) -> str | None:
        """Why virtpy cannot do what is asked for, if that is known beforehand."""
        interpreter = creator.interpreter
        version = tuple(interpreter.version_info[:2])
        if os.name != "posix":
            return "it works on Linux and macOS only"
        if interpreter.implementation not in _IMPLEMENTATIONS or version < _OLDEST:
            return "it does not know %s %d.%d" % ((interpreter.implementation,) + version)
        wanted = self.distribution_to_versions()
        pip = wanted.get("pip")
        if pip not in (None, "bundle", "embed"):
            return "pip %s is asked for, and its venvs have a pip of virtpy's own" % pip
        if wanted and self.download is True:
            return "the newest %s are asked for (`--download`)" % " and ".join(sorted(wanted))
        return None

    def seed(self, creator) -> None:
        """Lets virtpy do it. Raises program.Failed if that cannot be done; the venv is as before then."""
        arguments = ["--quiet", "seed", str(creator.dest)]
        if "pip" not in self.distribution_to_versions():
            arguments.append("--no-pip-shim")
        if getattr(creator, "symlinks", True) is False:
            arguments += ["--link-mode", "copy"]
        for wheel in self.other_wheels(creator):
            arguments += ["--wheel", wheel]
        # Some versions of virtualenv have not written it yet.
        creator.pyenv_cfg.write()
        try:
            keys = json.loads(program.run(arguments))
            for key, value in keys.items():
                creator.pyenv_cfg[key] = value
        except (ValueError, AttributeError) as error:
            raise program.Failed("its answer was not understood: %s" % error) from error

    def other_wheels(self, creator):
        """The paths of what is wanted beside pip, as virtualenv finds or downloads it."""
        if not set(self.distribution_to_versions()) - {"pip"}:
            return []
        had_pip, self.no_pip = self.no_pip, True
        try:
            with self._get_seed_wheels(creator) as wheels:
                return [str(wheel.path) for wheel in wheels.values()]
        finally:
            self.no_pip = had_pip

    def seed_as_always(self, creator) -> None:
        """Does what virtualenv does by itself."""
        if not self.distribution_to_versions():
            return
        refusal = getattr(super(), "cannot_seed", lambda interpreter: None)(creator.interpreter)
        if refusal is not None:
            raise RuntimeError(refusal)
        super().run(creator)


def summary(message: str) -> str:
    """The reasons in a message of the program's, in one line."""
    lines = [line.strip() for line in message.splitlines()]
    reasons = [line for line in lines if line and not line.startswith(("hint:", "warning:"))]
    return " ".join(reasons).replace("error: ", "", 1)


def become_default() -> None:
    """Makes this the seeder of the installation that `virtpy enable` put it into; whoever names another one gets that."""
    if FromAppData is object or not program.is_enabled():
        return
    try:
        from virtualenv.run.plugin.seeders import SeederSelector
    except ImportError:
        return
    if hasattr(SeederSelector, "_get_default"):
        SeederSelector._get_default = staticmethod(lambda: "virtpy")


become_default()
