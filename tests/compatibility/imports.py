"""What can be imported, how each import ends, and which shared libraries it loads."""

import json
import os
import re

from support import require, require_equal

from pair import normal

LIMIT = 60  # seconds for one import

# The names that can be imported: the modules at the top, those in namespaces (folders without __init__), and
# those right below a regular package that several distributions share, such as PySide6.
NAMES = r"""
import collections, importlib.machinery, json, os, pkgutil, sysconfig
from importlib.metadata import distributions

owners = collections.defaultdict(set)
for dist in distributions():
    for path in dist.files or []:
        if len(path.parts) > 1:
            owners[path.parts[0]].add(dist.metadata["Name"])
shared = {top for top, names in owners.items() if len(names) > 1}
suffixes = tuple(importlib.machinery.all_suffixes())

def walk(folder, prefix, depth):
    names = set()
    for module in pkgutil.iter_modules([folder]):
        names.add(prefix + module.name)
        if module.ispkg and prefix == "" and module.name in shared:
            children = pkgutil.iter_modules([os.path.join(folder, module.name)])
            names |= {module.name + "." + child.name for child in children}
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not name.isidentifier() or name == "__pycache__" or prefix + name in names:
            continue
        if os.path.isdir(path):
            inside = walk(path, prefix + name + ".", depth - 1) if depth else set()
            if inside:
                names |= inside | {prefix + name}
    return names

names = set()
for folder in sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}):
    names |= walk(folder, "", 4)
print(json.dumps(sorted(name for name in names if not name.endswith("__main__"))))
"""

# Imports one module and writes what became of it to a file: what the module prints does not matter.
PROBE = r"""
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
name, report = sys.argv[1:]
sys.argv[1:] = []
facts = {}
try:
    module = importlib.import_module(name)
    facts["import"] = "fine"
    facts["names"] = sorted({str(n) for n in dir(module)} - {"__builtins__", "__cached__"})
    facts["path"] = [str(part) for part in getattr(module, "__path__", None) or []]
    facts["file"] = str(getattr(module, "__file__", None))
except BaseException as error:
    facts["import"] = "%s: %s" % (type(error).__name__, error)
with open("/proc/self/maps") as maps:
    mapped = {line.split(None, 5)[5].strip() for line in maps if line.count(" /")}
facts["libraries"] = sorted(path for path in mapped if ".so" in path.rsplit("/", 1)[-1])
with open(report, "w") as stream:
    json.dump(facts, stream)
"""


def library(path, pair, venv):
    """The path of a loaded library, relative to the venv if it lies there or in virtpy's store."""
    path = normal(path, pair, venv)
    return re.sub(r" \(deleted\)$", "", path)


def look(pair, venv, name):
    """How the import of a name ends in a process of its own."""
    report = pair.place.path("report-%s-%s.json" % (venv, name))
    command = [pair.place.path(venv) / "bin" / "python", "-c", PROBE, name, report]
    code, text = pair.run(venv, command, LIMIT)
    if not report.exists():
        last = text.strip().splitlines()[-1:] if code is not None else []
        return {"import": normal("no report, exit code %s %s" % (code, " ".join(last)), pair, venv)}
    facts = json.loads(report.read_text())
    os.unlink(str(report))
    facts["end"] = code
    facts["import"] = normal(facts["import"], pair, venv)
    facts["libraries"] = sorted({library(path, pair, venv) for path in facts["libraries"]})
    # Here the store may not show: programs compare these paths.
    folder = str(pair.place.path(venv))
    facts["file"] = facts.get("file", "").replace(folder, "VENV")
    facts["path"] = [part.replace(folder, "VENV") for part in facts.get("path", [])]
    return facts


def check(pair):
    """Compares all imports; the names must be the same in both venvs."""
    ours, real = (json.loads(pair.python(venv, NAMES)) for venv in ("ours", "real"))
    if not pair.pinned("pip"):
        ours = [name for name in ours if name.split(".")[0] != "pip"]
    require_equal([name for name in ours if name not in real], [], "modules only in virtpy's venv")
    require_equal([name for name in real if name not in ours], [], "modules lacking in virtpy's venv")
    require(real, "nothing can be imported")
    fine, loaded = set(), set()

    def counting(venv, name):
        """The same as look, and counts what really was imported."""
        facts = look(pair, venv, name)
        if venv == "real":
            fine.update({name} if facts["import"] == "fine" else ())
            loaded.update(path for path in facts.get("libraries", []) if path.startswith("VENV"))
        return facts

    pair.compare("imports", real, counting)
    require(len(fine) > 0.8 * len(real), "only %d of %d imports succeed at all" % (len(fine), len(real)))
    text = "%d imports end alike (%d of them fine), %d shared libraries of the venv were loaded"
    return text % (len(real), len(fine), len(loaded))
