# Activates this virtual environment in xonsh. Source this file ("source activate.xsh").
# The prompt needs nothing here: xonsh's own {env_name} field shows VIRTUAL_ENV_PROMPT.


def _activate_virtual_env(root, scripts, prompt, file):
    import os
    import sys
    from os.path import abspath, dirname, isdir, isfile, join, pathsep

    if os.name != "nt":
        # Paths are bytes, UTF-8 ones here; Python reads them as text of the locale's encoding.
        root, scripts, prompt = [os.fsdecode(text.encode("utf-8")) for text in (root, scripts, prompt)]
    if not isdir(root):
        # It was moved; xonsh tells where this file is now.
        here = dirname(dirname(abspath(file)))
        if not isfile(join(here, "pyvenv.cfg")):
            raise RuntimeError(f"there is no virtual environment at {root}; if it was moved, `virtpy relink` repairs its scripts")
        if pathsep in here:
            raise RuntimeError(f"a virtual environment cannot be at {here}: `{pathsep}` separates the folders of PATH")
        said = f"this virtual environment was moved here from {root}; `virtpy relink` repairs its scripts"
        print(said, file=sys.stderr)
        root = here

    env = ${...}
    path = env.get("PATH", [])
    path.insert(0, join(root, scripts))
    is_kept = path[0] == join(root, scripts)
    del path[0]
    if not is_kept:
        # xonsh expands what looks like a variable or a home in each folder of PATH, and knows no way to write it literally.
        raise RuntimeError(f"xonsh would look for programs elsewhere than in {root}: it expands `$` and `~` in PATH")
    # Whatever is active in this shell goes first, so that environments do not pile up.
    if "deactivate" in aliases:
        $[deactivate nondestructive]

    old_path = list(env.get("PATH", []))
    old_home = env.get("PYTHONHOME") if "PYTHONHOME" in env else None
    # The pydoc of this environment's Python. An alias of the user's own stays.
    has_pydoc = "pydoc" not in aliases

    def _deactivate(args):
        env["PATH"] = old_path
        if old_home is not None:
            env["PYTHONHOME"] = old_home
        for name in ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"):
            if name in env:
                del env[name]
        if has_pydoc and "pydoc" in aliases:
            del aliases["pydoc"]
        if "deactivate" in aliases:
            del aliases["deactivate"]

    # PYTHONHOME would point this environment's Python at another one's standard library.
    if old_home is not None:
        del env["PYTHONHOME"]
    env["VIRTUAL_ENV"] = root
    env["VIRTUAL_ENV_PROMPT"] = prompt
    env["PATH"] = [join(root, scripts)] + old_path
    if has_pydoc:
        aliases["pydoc"] = ["python", "-m", "pydoc"]
    aliases["deactivate"] = _deactivate


_activate_virtual_env(@ROOT@, @SCRIPTS@, @PROMPT@, __file__)
del _activate_virtual_env
