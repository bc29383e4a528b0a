"""What differs for a reason that no scheme of links can remove, and what cannot be compared at all.

Everything that is not in these tables is a failure.
"""

import fnmatch

# (kind of comparison, pattern of the name) -> why the two venvs differ there, and why that is right.
INHERENT = {
    ("path", "blosc2"): "adds its own folder to __path__ unless the real path is there already: the link and "
    "its target are two spellings of one folder",
    ("store entry", "*/site/twisted/plugins/dropin.cache"): "twisted keeps a list of its plugins beside them "
    "where it can, and root can write everywhere; others cannot, and it does without. The list holds no path",
    ("script", "jupyter-troubleshoot *"): "prints sys.path, on which the store stands for coverage's sake",
    ("executable", "garden*"): "the wheel says that this script is not executable, and pip leaves it so; the "
    "wheel format lets installers mend that, and virtpy makes everything in bin/ executable",
}

# Files that are there only for the installer's or the venv's own use: patterns of paths below sys.prefix.
NOT_COMPARED_FILES = {
    "pyvenv.cfg": "written by whoever makes the venv",
    ".gitignore": "written by whoever makes the venv",
    ".virtpy/*": "virtpy's state of the venv",
    "*/.virtpy": "virtpy's marker of a folder that several distributions share",
    ".virtpy": "the same, beside bin/",
    "lib/*/site-packages/_virtpy.pth": "virtpy's: by it coverage knows that the store is not the user's code",
    "*.dist-info/RECORD": "lists the links too (compared through importlib.metadata)",
    "*.dist-info/INSTALLER": "names the installer",
    "*.dist-info/REQUESTED": "depends on what was asked for by name, and pip was asked for all",
    "*.dist-info/direct_url.json": "where the installer had it from",
    "*.pyc": "bytecode",
    "lib64/*": "a link to lib",
    "bin/*": "scripts are compared apart: their first line names the venv",
}

# Scripts that are not run, by pattern. They are still compared by name, mode and content.
NOT_RUN_SCRIPTS = {
    "python*": "the interpreter",
    "pip*": "virtpy's own pip",
    "*designer*": "opens a window",
    "*linguist*": "opens a window",
    "*assistant*": "opens a window",
    "pyside6-*": "starters of Qt's own programs, some of which open windows",
    "pyqt5-tools*": "opens a window",
    "qt5-tools*": "opens a window",
    "qml*": "opens a window",
    "pyqtgraph*": "opens a window",
    "mayavi2": "opens a window",
    "tvtk_doc": "opens a window",
    "demo_*": "opens a window",
    "imgui_bundle_*": "opens a window",
    "pyvista": "opens a window",
    "*gui*": "opens a window",
    "jupyter-qtconsole": "opens a window",
    "keyring": "talks to the desktop's secrets",
    "celery": "a server; imports whatever lies about",
    "pserve": "a server",
    "tensorboard": "a server",
    "pre-commit": "writes a database into the home folder and prints its log's place",
    "nodeenv": "asks the network for versions",
    "pyright*": "downloads a newer program of itself",
    "node": "a script of another language: no Python environment is seen by it",
    "npm": "the same",
    "npx": "the same",
    "corepack": "the same",
    "nltk": "asks for data at random times",
    "proxy_fix*": "a server",
    "sample_*": "reads the standard input",
    "runxlrd*": "reads the standard input",
}


def inherent(kind, name):
    """Why this difference is to be expected, or None if it is not."""
    for (expected_kind, pattern), reason in INHERENT.items():
        if expected_kind == kind and fnmatch.fnmatchcase(name, pattern):
            return reason
    return None


def matches(name, patterns):
    """Whether a name matches one of the patterns of a table."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
