"""The settings that checks and benches run with: the user's own, but for what is virtpy's."""

import os
from pathlib import Path


def without_virtpys(root):
    """Makes a folder of settings in `root` for `XDG_CONFIG_HOME`. Which stores are used is noted there, and not where the user's
    settings are; all else (`pip.conf`) is as it is there."""
    settings = Path(root) / "user-settings"
    settings.mkdir()
    theirs = Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))
    for entry in theirs.iterdir() if theirs.is_dir() else ():
        if entry.name != "virtpy":
            (settings / entry.name).symlink_to(entry)
    return str(settings)
