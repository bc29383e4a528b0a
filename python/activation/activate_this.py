"""Activates this virtual environment inside a Python interpreter that is already running.

    import runpy; runpy.run_path("activate_this.py")
    exec(open("activate_this.py").read())

Meant for a program that embeds Python and cannot start the environment's own interpreter. The interpreter must
have the Python version that the environment was made for.
"""


def _activate_virtual_env(root, scripts, prompt, file):
    # Everything is imported here, not above: exec may give this code a namespace of its own for its names.
    import os
    import site
    import sys
    had_sysconfig = "sysconfig" in sys.modules
    import sysconfig

    if os.name != "nt":
        # Paths are bytes, UTF-8 ones here; Python reads them as text of the locale's encoding.
        root, scripts, prompt = [os.fsdecode(text.encode("utf-8")) for text in (root, scripts, prompt)]
    # Run by exec, it has the name of the file that holds the call.
    if not os.path.isdir(root) and os.path.basename(file or "") == "activate_this.py":
        # It was moved; runpy tells where this file is now.
        here = os.path.dirname(os.path.dirname(os.path.abspath(file)))
        if os.path.isfile(os.path.join(here, "pyvenv.cfg")) and os.pathsep not in here:
            root = here

    # The scheme "venv" is where a virtual environment keeps packages even if a distribution moved its own.
    scheme = "venv"
    if scheme not in sysconfig.get_scheme_names():
        scheme = "nt" if os.name == "nt" else "posix_prefix"
    bases = {"base": root, "platbase": root}
    folders = [sysconfig.get_path(key, scheme, bases) for key in ("purelib", "platlib")]
    if not os.path.isdir(folders[0]):
        raise RuntimeError("this virtual environment is not for Python %d.%d: %r does not exist"
                           % (sys.version_info[0], sys.version_info[1], folders[0]))
    library = [sysconfig.get_path(key) for key in ("stdlib", "platstdlib")]

    executables = os.path.join(root, scripts)
    path = os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != executables:
        os.environ["PATH"] = executables + os.pathsep + path if path else executables
    os.environ["VIRTUAL_ENV"] = root
    os.environ["VIRTUAL_ENV_PROMPT"] = prompt
    # It would point child interpreters of this environment at another one's standard library.
    os.environ.pop("PYTHONHOME", None)
    sys.prefix = sys.exec_prefix = root
    if not had_sysconfig:
        # It read the prefix as it was when it was imported, above.
        del sys.modules["sysconfig"]

    def is_standard(entry):
        return entry.endswith(".zip") or any(entry == top or entry == os.path.join(top, "lib-dynload") for top in library)

    # The environment's packages, and what its .pth files add, come before those that are there already. A .pth file's lines that
    # import find what they find in the environment's own Python: the standard library first, then the environment.
    before = list(sys.path)
    standard = [entry for entry in before if is_standard(entry)]
    new = [folder for folder in dict.fromkeys(folders) if folder not in before]
    sys.path[:] = standard + new + [entry for entry in before if entry not in standard]
    for folder in folders:
        site.addsitedir(folder)
    sys.path[:] = [entry for entry in sys.path if entry not in before] + before


_activate_virtual_env(@ROOT@, @SCRIPTS@, @PROMPT@, globals().get("__file__"))
del _activate_virtual_env
