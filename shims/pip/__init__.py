"""virtpy's stand-in for pip: it hands everything over to the program that made this environment.

`virtpy pip` answers as pip does. This package is all that an environment needs for `python -m pip`, for
`pip.main([...])`, and for tools that look for an installed distribution named pip. There is no `pip._internal`.
"""

__version__ = "26.3+virtpy"
__all__ = ["__version__", "main"]


def main(args=None):
    """Runs a pip command and returns its exit code; without `args`, that of the command line."""
    import sys

    from pip._handover import run

    return run(sys.argv[1:] if args is None else list(args))
