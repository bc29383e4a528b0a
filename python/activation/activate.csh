# Activates this virtual environment in csh and tcsh. Source this file ("source activate.csh").

# csh does not tell where this file is, and has no way to write an error.
if ( ! -d @ROOT@ ) then
    /bin/sh -c 'echo "there is no virtual environment at $0; if it was moved, \`virtpy relink\` repairs its scripts" >&2' @ROOT@
    exit 1
endif

# Whatever is active in this shell goes first, so that environments do not pile up. A variable of that name in what the shell was
# started with is of another shell, and here no "deactivate" belongs to it.
unsetenv _OLD_VIRTUAL_PATH
if ( $?_OLD_VIRTUAL_PATH ) then
    deactivate nondestructive
endif

setenv VIRTUAL_ENV @ROOT@
setenv VIRTUAL_ENV_PROMPT @PROMPT@

# A csh alias cannot ask whether a variable is set and then use it (both are expanded before the question is
# answered), so each step of the way back is an alias of its own, chosen now.
if ( $?PATH ) then
    set _OLD_VIRTUAL_PATH = $PATH:q
    # An empty PATH gets no colon: an empty element of PATH means the current folder.
    if ( "$_OLD_VIRTUAL_PATH:q" == "" ) then
        setenv PATH @ROOT@/@SCRIPTS@
    else
        setenv PATH @ROOT@/@SCRIPTS@:$_OLD_VIRTUAL_PATH:q
    endif
    alias _virtual_restore_path 'setenv PATH $_OLD_VIRTUAL_PATH:q; unset _OLD_VIRTUAL_PATH'
else
    set _OLD_VIRTUAL_PATH
    setenv PATH @ROOT@/@SCRIPTS@
    alias _virtual_restore_path 'unsetenv PATH; unset _OLD_VIRTUAL_PATH'
endif

# PYTHONHOME would point this environment's Python at another one's standard library.
alias _virtual_restore_pythonhome ':'
if ( $?PYTHONHOME ) then
    set _OLD_VIRTUAL_PYTHONHOME = $PYTHONHOME:q
    unsetenv PYTHONHOME
    alias _virtual_restore_pythonhome 'setenv PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME:q; unset _OLD_VIRTUAL_PYTHONHOME'
endif

# A shell without a prompt is not interactive, and other scripts tell the two apart by that.
alias _virtual_restore_prompt ':'
set _VIRTUAL_SHOW_PROMPT
if ( ! $?prompt ) unset _VIRTUAL_SHOW_PROMPT
if ( $?VIRTUAL_ENV_DISABLE_PROMPT ) then
    if ( "$VIRTUAL_ENV_DISABLE_PROMPT" != "" ) unset _VIRTUAL_SHOW_PROMPT
endif
if ( $?_VIRTUAL_SHOW_PROMPT ) then
    set _OLD_VIRTUAL_PROMPT = $prompt:q
    if ( $?tcsh ) then
        set prompt = @TCSH_PROMPT@$prompt:q
    else
        set prompt = @CSH_PROMPT@$prompt:q
    endif
    alias _virtual_restore_prompt 'set prompt = $_OLD_VIRTUAL_PROMPT:q; unset _OLD_VIRTUAL_PROMPT'
endif
unset _VIRTUAL_SHOW_PROMPT

# The pydoc of this environment's Python. An alias of the user's own stays.
alias _virtual_restore_pydoc ':'
set _VIRTUAL_PYDOC = "`alias pydoc`"
if ( "$_VIRTUAL_PYDOC" == "" ) then
    alias pydoc 'python -m pydoc'
    alias _virtual_restore_pydoc 'unalias pydoc'
endif
unset _VIRTUAL_PYDOC

# The last command also takes the argument that an activation script gives.
alias deactivate '_virtual_restore_path; _virtual_restore_pythonhome; _virtual_restore_prompt; _virtual_restore_pydoc; unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; unalias _virtual_restore_path; unalias _virtual_restore_pythonhome; unalias _virtual_restore_prompt; unalias _virtual_restore_pydoc; rehash; unalias deactivate'

rehash
