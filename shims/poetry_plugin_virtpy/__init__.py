"""A plugin for Poetry: in venvs that virtpy made, packages come from virtpy's store.

Poetry finds, downloads and builds wheels as always. What it would write into the venv is collected and handed to the
program `virtpy` once, at the end of the run; venvs of other makers, build environments and Poetry's own environment
are left alone. If the program is gone or fails, Poetry installs by itself, and says so.
"""
