# Activates this virtual environment in xonsh. Source this file ("source activate.xsh").
# The prompt needs nothing here: xonsh's own {env_name} field shows VIRTUAL_ENV_PROMPT.


def _activate_virtual_env(root, scripts, prompt):
    from os.path import join

    env = ${...}
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


_activate_virtual_env(@ROOT@, @SCRIPTS@, @PROMPT@)
del _activate_virtual_env
