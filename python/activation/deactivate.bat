@rem Leaves the virtual environment that activate.bat entered, and returns every variable to what it was.

@if defined _OLD_VIRTUAL_PATH set "PATH=%_OLD_VIRTUAL_PATH%"
@if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=%_OLD_VIRTUAL_PYTHONHOME%"
@if defined _OLD_VIRTUAL_PROMPT set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
@set "_OLD_VIRTUAL_PATH="
@set "_OLD_VIRTUAL_PYTHONHOME="
@set "_OLD_VIRTUAL_PROMPT="
@set "VIRTUAL_ENV="
@set "VIRTUAL_ENV_PROMPT="
