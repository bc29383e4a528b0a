"""virtpy's stand-in for pip: it hands everything over to the program that made this environment.

`virtpy pip` answers as pip does. This package is all that an environment needs for `python -m pip`, for
`pip.main([...])`, and for tools that look for an installed distribution named pip. It has no `_internal` of its own;
for those who import that all the same it is taken from the real pip that all of virtpy's environments share.
"""

import sys

__version__ = "26.3+virtpy"
# A real pip's `_internal` keeps here what has to be imported before anything is installed.
_EAGER_IMPORTS = set()
__all__ = ["__version__", "main"]


def main(args=None):
    """Runs a pip command and returns its exit code; without `args`, that of the command line."""
    from pip._handover import run

    return run(sys.argv[1:] if args is None else list(args))


class _Internals:
    """Finds the parts of a real pip that some tools import, such as pip-tools."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The place of `pip._internal` and `pip._vendor`; None where there is no real pip, and for all other names."""
        if name not in ("pip._internal", "pip._vendor"):
            return None
        from importlib.machinery import PathFinder

        from pip._handover import real_pip

        folder = real_pip()
        if folder is None:
            return None
        if folder not in __path__:
            __path__.append(folder)
        return PathFinder.find_spec(name, __path__)


if not any(getattr(finder, "__name__", "") == "_Internals" for finder in sys.meta_path):
    sys.meta_path.append(_Internals)
