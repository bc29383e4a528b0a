# Activates this virtual environment in fish. Source this file ("source activate.fish").

set -l root @ROOT@
if not test -d $root
    # It was moved; fish tells where this file is now.
    set -l here (string replace --regex '/[^/]*/[^/]*$' '' -- (builtin realpath -- (status filename) 2>/dev/null))
    if test -z "$here"; or not test -f "$here/pyvenv.cfg"
        echo "there is no virtual environment at $root; if it was moved, `virtpy relink` repairs its scripts" >&2
        return 1
    else if string match --quiet '*:*' -- $here
        echo "a virtual environment cannot be at $here: `:` separates the folders of PATH" >&2
        return 1
    end
    echo "this virtual environment was moved here from $root; `virtpy relink` repairs its scripts" >&2
    set root $here
end

# What is to be taken back can have come from another shell that started this one. A shell that has no "deactivate" has nothing.
if not functions -q deactivate
    set -e _OLD_VIRTUAL_PATH
    set -e _OLD_VIRTUAL_PYTHONHOME
    set -e _OLD_FISH_PROMPT_OVERRIDE
    set -e _VIRTUAL_PYDOC
end

function deactivate -d 'Leave the virtual environment and return to the shell as it was'
    # Called with "nondestructive" by an activation script, which goes on to need this function.
    if set -q _OLD_VIRTUAL_PATH
        set -gx PATH $_OLD_VIRTUAL_PATH
        set -e _OLD_VIRTUAL_PATH
    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if set -q _OLD_FISH_PROMPT_OVERRIDE
        set -e _OLD_FISH_PROMPT_OVERRIDE
        if functions -q _old_fish_prompt
            functions -e fish_prompt
            functions -c _old_fish_prompt fish_prompt
            functions -e _old_fish_prompt
        end
    end
    if set -q _VIRTUAL_PYDOC
        functions -e pydoc
        set -e _VIRTUAL_PYDOC
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
    end
end

# Whatever is active in this shell goes first, so that environments do not pile up.
deactivate nondestructive

set -gx VIRTUAL_ENV $root
set -gx VIRTUAL_ENV_PROMPT @PROMPT@

set -g _OLD_VIRTUAL_PATH $PATH
set -gx PATH "$VIRTUAL_ENV/"@SCRIPTS@ $PATH

# PYTHONHOME would point this environment's Python at another one's standard library.
if set -q PYTHONHOME
    set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end

# The pydoc of this environment's Python. A function of the user's own stays.
if not functions -q pydoc
    function pydoc
        python -m pydoc $argv
    end
    set -g _VIRTUAL_PYDOC 1
end

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _old_fish_prompt
    function fish_prompt
        # The old prompt runs first: it may show the last command's status, which any other command changes.
        set -l prompt_lines (_old_fish_prompt)
        printf '%s' @SHOWN_PROMPT@
        string join \n -- $prompt_lines
    end
    set -g _OLD_FISH_PROMPT_OVERRIDE $VIRTUAL_ENV
end
