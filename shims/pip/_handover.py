"""Finding the virtpy that looks after this environment, and handing a command line over to it.

Nothing is read from environment variables but PATH, and that only when the program is no longer where the
store's link says, so it works under `-I` and `-E` too.
"""

import os
import sys

# The link to the program, in the store's folder. Every virtpy that changes something leads it to itself.
PROGRAM = "program"


def configuration():
    """The keys and values of this environment's `pyvenv.cfg`."""
    found = {}
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8") as lines:
            for line in lines:
                key, separator, value = line.partition("=")
                if separator:
                    found[key.strip().lower()] = value.strip()
    except OSError:
        pass
    return found


def keys():
    """virtpy's own keys. Other tools write `pyvenv.cfg` anew, so its notes in the environment tell as well, and the folder of
    the store's entries, which environments have on `sys.path`."""
    found = configuration()
    if "virtpy-id" in found and "virtpy-store" in found:
        return found
    import json

    try:
        with open(os.path.join(sys.prefix, ".virtpy", "state.json"), encoding="utf-8") as state:
            known = json.load(state)
    except (OSError, ValueError):
        return found
    # An environment of virtpy's, whatever else is known of it.
    found.setdefault("virtpy-id", "")
    for key, value in dict(known.get("keys") or {}).items():
        found[key] = found.get(key) or value
    for folder in sys.path:
        store, name = os.path.split(folder)
        if name == "w" and os.path.islink(os.path.join(store, PROGRAM)):
            found.setdefault("virtpy-store", store)
    return found


def is_program(path):
    """Whether a path is a file that may be run."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def program(config):
    """The path of virtpy, or None."""
    store = config.get("virtpy-store")
    if store:
        path = os.path.join(store, PROGRAM)
        if is_program(path):
            return path
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, "virtpy")
        if folder and is_program(path):
            return path
    return None


def command(arguments):
    """The command that does what pip with these arguments would do, or None with a message on stderr."""
    config = keys()
    path = program(config)
    if path is None:
        link = os.path.join(config.get("virtpy-store", ""), PROGRAM)
        if os.path.islink(link):
            reason = "the program `virtpy` is gone"
        else:
            reason = "neither `%s` nor a `virtpy` on PATH was found" % link
        sys.stderr.write(
            "ERROR: this environment's pip belongs to virtpy, and %s.\n"
            "Install it again and run any of its commands, such as `virtpy list-all`; or use a pip of your own:\n"
            "  pip --python %s ...\n" % (reason, sys.executable)
        )
        return None
    # An environment that virtpy did not make: some other one's packages are on the path.
    place = ["--venv", sys.prefix] if "virtpy-id" in config else ["--python", sys.executable]
    return [path, "pip"] + place + list(arguments)


def shared_pip(store):
    """The folder of the real pip for this Python in a store, or None if it is not there yet."""
    import glob

    version = "%d.%d" % sys.version_info[:2]
    for tag in (version + getattr(sys, "abiflags", ""), version):
        name = "%s-%s" % (sys.implementation.name, tag)
        pattern = os.path.join(glob.escape(store), "tools", ".pip", name, "lib", "*", "site-packages", "pip")
        for folder in glob.glob(pattern):
            if os.path.isdir(os.path.join(folder, "_internal")):
                return folder
    return None


def real_pip():
    """The folder of a real pip, which is installed if need be; None where that fails."""
    import subprocess

    store = keys().get("virtpy-store")
    if not store:
        return None
    # What only a real pip can answer brings one.
    full = None if shared_pip(store) else command(["cache", "dir"])
    if full is not None:
        subprocess.call(full, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return shared_pip(store)


def run(arguments):
    """Runs virtpy beside this process and returns its exit code."""
    import subprocess

    full = command(arguments)
    return 1 if full is None else subprocess.call(full)


def become(arguments):
    """Replaces this process by virtpy where the system can do that, otherwise runs it."""
    if os.name != "posix":
        return run(arguments)
    full = command(arguments)
    if full is None:
        return 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os.execv(full[0], full)
    return 1
