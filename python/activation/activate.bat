@rem Activates this virtual environment in cmd.exe. The folder is found from where this file lies, because a batch
@rem file is read in the console's code page and so cannot spell every path. No "echo off", which would outlive it.

@if defined _OLD_VIRTUAL_CODEPAGE set "_OLD_VIRTUAL_CODEPAGE="
@for /f "tokens=2 delims=:." %%I in ('chcp 2^>nul') do @for %%J in (%%I) do @set "_OLD_VIRTUAL_CODEPAGE=%%J"
@if defined _OLD_VIRTUAL_CODEPAGE chcp 65001 >nul

@if defined _OLD_VIRTUAL_PATH set "PATH=%_OLD_VIRTUAL_PATH%"
@if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=%_OLD_VIRTUAL_PYTHONHOME%"
@if defined _OLD_VIRTUAL_PROMPT set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
@set "_OLD_VIRTUAL_PATH="
@set "_OLD_VIRTUAL_PYTHONHOME="
@set "_OLD_VIRTUAL_PROMPT="

@for %%I in ("%~dp0..") do @set "VIRTUAL_ENV=%%~fI"
@set "VIRTUAL_ENV_PROMPT=@PROMPT@"

@set "_OLD_VIRTUAL_PATH=%PATH%"
@for %%I in ("%~dp0.") do @set "PATH=%%~fI;%PATH%"

@rem PYTHONHOME would point this environment's Python at another one's standard library.
@if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=%PYTHONHOME%"
@set "PYTHONHOME="

@if not defined PROMPT set "PROMPT=$P$G"
@if not defined VIRTUAL_ENV_DISABLE_PROMPT set "_OLD_VIRTUAL_PROMPT=%PROMPT%"
@if not defined VIRTUAL_ENV_DISABLE_PROMPT set "PROMPT=@SHOWN_PROMPT@%PROMPT%"

@if defined _OLD_VIRTUAL_CODEPAGE chcp %_OLD_VIRTUAL_CODEPAGE% >nul
@set "_OLD_VIRTUAL_CODEPAGE="
