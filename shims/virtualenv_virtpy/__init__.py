"""A plugin for virtualenv: what it makes are venvs of virtpy's, whichever tool runs it.

virtualenv makes the venv as always. Where it would copy pip into it, the program `virtpy` registers the venv with its store and
puts its own pip there, so that all that is installed later is shared. What cannot be done so is done as virtualenv does it.
"""
