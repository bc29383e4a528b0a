"""What Poetry loads: the plugin itself, and its setting."""

from __future__ import annotations

from pathlib import Path

from poetry.plugins.application_plugin import ApplicationPlugin

from . import builds, executor, venvs


class VirtpyPlugin(ApplicationPlugin):
    """Lets virtpy make venvs and fill them. Versions of Poetry that it does not know are left as they are."""

    def activate(self, application) -> None:
        """Called by Poetry at every start."""
        for patch in (executor.patch, builds.patch, venvs.patch, register_setting):
            try:
                patch()
            except (ImportError, AttributeError) as problem:
                import logging

                logging.getLogger(__name__).warning("virtpy's plugin does not fit this Poetry: %s", problem)
                return


def register_setting() -> None:
    """Makes `virtpy.create` known to `poetry config`."""
    from poetry.config.config import Config, boolean_normalizer, boolean_validator
    from poetry.console.commands.config import ConfigCommand

    if "virtpy" in Config.default_config:
        return
    # `virtpy enable poetry` says yes by a file beside this one; `poetry config` and projects may say otherwise.
    Config.default_config["virtpy"] = {"create": Path(__file__).with_name("creates.txt").is_file()}
    known = ConfigCommand.unique_config_values.fget

    def unique_config_values(self):
        values = dict(known(self))
        values["virtpy.create"] = (boolean_validator, boolean_normalizer)
        return values

    ConfigCommand.unique_config_values = property(unique_config_values)
