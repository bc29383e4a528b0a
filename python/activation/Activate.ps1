<#
.SYNOPSIS
Activates this virtual environment in PowerShell.
.DESCRIPTION
Run this script as it is: its changes reach the calling session. The function "deactivate" takes them back.
#>

$_VIRTUAL_ROOT = @ROOT@
if (-not [System.IO.Directory]::Exists($_VIRTUAL_ROOT)) {
    # It was moved; PowerShell tells where this file is now.
    $_VIRTUAL_HERE = if ($PSScriptRoot) { [System.IO.Path]::GetDirectoryName($PSScriptRoot) } else { '' }
    if (-not $_VIRTUAL_HERE -or -not [System.IO.File]::Exists("$_VIRTUAL_HERE/pyvenv.cfg")) {
        Write-Error -Message "there is no virtual environment at $_VIRTUAL_ROOT; if it was moved, 'virtpy relink' repairs its scripts"
        return
    }
    if ($_VIRTUAL_HERE.Contains([string][System.IO.Path]::PathSeparator)) {
        Write-Error -Message "a virtual environment cannot be at ${_VIRTUAL_HERE}: '$([System.IO.Path]::PathSeparator)' separates the folders of PATH"
        return
    }
    Write-Warning -Message "this virtual environment was moved here from $_VIRTUAL_ROOT; 'virtpy relink' repairs its scripts"
    $_VIRTUAL_ROOT = $_VIRTUAL_HERE
    Remove-Variable -Name _VIRTUAL_HERE
}

# Whatever is active in this session goes first, so that environments do not pile up.
if (Test-Path -Path function:deactivate) {
    deactivate -NonDestructive
}

function global:deactivate ([switch]$NonDestructive) {
    if (Test-Path -Path variable:global:_OLD_VIRTUAL_PATH) {
        $env:PATH = $global:_OLD_VIRTUAL_PATH
        Remove-Variable -Name _OLD_VIRTUAL_PATH -Scope Global
    }
    if (Test-Path -Path variable:global:_OLD_VIRTUAL_PYTHONHOME) {
        $env:PYTHONHOME = $global:_OLD_VIRTUAL_PYTHONHOME
        Remove-Variable -Name _OLD_VIRTUAL_PYTHONHOME -Scope Global
    }
    if (Test-Path -Path function:_OLD_VIRTUAL_PROMPT) {
        Set-Item -Path function:global:prompt -Value $function:_OLD_VIRTUAL_PROMPT
        Remove-Item -Path function:_OLD_VIRTUAL_PROMPT
    }
    if (Test-Path -Path variable:global:_VIRTUAL_PYDOC) {
        Remove-Item -Path function:pydoc
        Remove-Variable -Name _VIRTUAL_PYDOC -Scope Global
    }
    foreach ($name in 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT') {
        if (Test-Path -Path "env:$name") {
            Remove-Item -Path "env:$name"
        }
    }
    # Kept when an activation script calls, which replaces it at once.
    if (-not $NonDestructive) {
        Remove-Item -Path function:deactivate
    }
}

$env:VIRTUAL_ENV = $_VIRTUAL_ROOT
Remove-Variable -Name _VIRTUAL_ROOT
$env:VIRTUAL_ENV_PROMPT = @PROMPT@

$global:_OLD_VIRTUAL_PATH = $env:PATH
$env:PATH = [System.IO.Path]::Combine($env:VIRTUAL_ENV, @SCRIPTS@)
# An empty PATH adds no separator: an empty element of PATH means the current folder.
if ($global:_OLD_VIRTUAL_PATH) {
    $env:PATH += [System.IO.Path]::PathSeparator + $global:_OLD_VIRTUAL_PATH
}

# PYTHONHOME would point this environment's Python at another one's standard library.
if (Test-Path -Path env:PYTHONHOME) {
    $global:_OLD_VIRTUAL_PYTHONHOME = $env:PYTHONHOME
    Remove-Item -Path env:PYTHONHOME
}

# The pydoc of this environment's Python. A function of the user's own stays.
if (-not (Test-Path -Path function:pydoc)) {
    function global:pydoc { python -m pydoc @args }
    $global:_VIRTUAL_PYDOC = 1
}

if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT -and (Test-Path -Path function:prompt)) {
    Set-Item -Path function:global:_OLD_VIRTUAL_PROMPT -Value $function:prompt
    function global:prompt {
        Write-Host -NoNewline -ForegroundColor Green -Object @SHOWN_PROMPT@
        _OLD_VIRTUAL_PROMPT
    }
}
