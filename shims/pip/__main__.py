"""`python -m pip`: this process becomes virtpy."""

import sys


def main():
    """Hands the command line over; returns an exit code only where a process cannot become another."""
    from pip._handover import become

    return become(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
