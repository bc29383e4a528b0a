# Activates this virtual environment in Nushell, as an overlay ("overlay use activate.nu").
# Hiding the overlay brings back every variable as it was.

export-env {
    let made_for = @ROOT@
    # Nushell tells where this file is now.
    let here = ($env.CURRENT_FILE? | default "" | path dirname | path dirname)
    let root = if ($made_for | path exists) {
        $made_for
    } else if not ([$here "pyvenv.cfg"] | path join | path exists) {
        error make --unspanned { msg: $"there is no virtual environment at ($made_for); if it was moved, `virtpy relink` repairs its scripts" }
    } else if (char esep) in $here {
        error make --unspanned { msg: $"a virtual environment cannot be at ($here): `(char esep)` separates the folders of PATH" }
    } else {
        print --stderr $"this virtual environment was moved here from ($made_for); `virtpy relink` repairs its scripts"
        $here
    }
    let prompt = @PROMPT@
    let shown = @SHOWN_PROMPT@
    # Windows spells it Path; a configuration may have left it one string.
    let name = if "Path" in ($env | columns) { "Path" } else { "PATH" }
    let before = ($env.PATH? | default ($env.Path? | default []))
    let folders = if ($before | describe) == "string" { $before | split row (char esep) } else { $before }

    # An environment that is active is left first, so that environments do not pile up.
    let active = ($env.VIRTUAL_ENV? | default "")
    let is_first = ($active != "") and (($folders | get 0?) == ([$active @SCRIPTS@] | path join))
    let others = if $is_first { $folders | skip 1 } else { $folders }
    # Not "default", which would run a prompt that is a closure.
    let saved_prompt = $env._OLD_VIRTUAL_PROMPT_COMMAND?
    let old_prompt = if $saved_prompt == null { $env.PROMPT_COMMAND? } else { $saved_prompt }

    load-env {
        $name: ($others | prepend ([$root @SCRIPTS@] | path join))
        VIRTUAL_ENV: $root
        VIRTUAL_ENV_PROMPT: $prompt
    }

    # PYTHONHOME would point this environment's Python at another one's standard library.
    hide-env --ignore-errors PYTHONHOME

    if ($env.VIRTUAL_ENV_DISABLE_PROMPT? | default "" | is-empty) {
        load-env {
            _OLD_VIRTUAL_PROMPT_COMMAND: $old_prompt
            # What prompts of people's own show, as they know it from other tools.
            VIRTUAL_PREFIX: $shown
            PROMPT_COMMAND: {||
                let rest = if ($old_prompt | describe) == "closure" { do $old_prompt } else { $old_prompt }
                $"($shown)($rest)"
            }
        }
    }
}

export alias pydoc = python -m pydoc
# Not an active overlay? Activate with "overlay use activate.nu"; under another NAME ("as NAME"), leave with "overlay hide NAME".
export alias deactivate = overlay hide activate
