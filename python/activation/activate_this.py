"""Activates this virtual environment inside a Python interpreter that is already running.

    exec(open("activate_this.py").read())

Meant for a program that embeds Python and cannot start the environment's own interpreter. The interpreter must
have the Python version that the environment was made for.
"""


def _activate_virtual_env(root, scripts, prompt):
    # Everything is imported here, not above: exec may give this code a namespace of its own for its names.
    import os
    import site
    import sys
    import sysconfig

    # The scheme "venv" is where a virtual environment keeps packages even if a distribution moved its own.
    scheme = "venv"
    if scheme not in sysconfig.get_scheme_names():
        scheme = "nt" if os.name == "nt" else "posix_prefix"
    bases = {"base": root, "platbase": root}
    folders = [sysconfig.get_path(key, scheme, bases) for key in ("purelib", "platlib")]
    if not os.path.isdir(folders[0]):
        raise RuntimeError("this virtual environment is not for Python %d.%d: %r does not exist"
                           % (sys.version_info[0], sys.version_info[1], folders[0]))

    executables = os.path.join(root, scripts)
    path = os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != executables:
        os.environ["PATH"] = executables + os.pathsep + path if path else executables
    os.environ["VIRTUAL_ENV"] = root
    os.environ["VIRTUAL_ENV_PROMPT"] = prompt
    # It would point child interpreters of this environment at another one's standard library.
    os.environ.pop("PYTHONHOME", None)

    # The environment's packages, and what its .pth files add, come before those that are there already.
    before = list(sys.path)
    for folder in folders:
        site.addsitedir(folder)
    sys.path[:] = [entry for entry in sys.path if entry not in before] + before
    sys.prefix = sys.exec_prefix = root


_activate_virtual_env(@ROOT@, @SCRIPTS@, @PROMPT@)
del _activate_virtual_env
