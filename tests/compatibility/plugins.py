"""Plugins of jax: distributions that meet in the namespace package `jax_plugins` and open libraries beside them."""

import json
import shutil
import subprocess

from real_path_pair import build_wheel
from support import require, require_equal

from pair import Skipped, normal_facts

NAMES = "jax jaxlib".split()

RUNTIME = "int answer(void) { return 42; }\n"

# As jax's own plugins do, it asks for the runtime by name, and has only a search path to find it by.
PLUGIN = r"""
#include <dlfcn.h>
int question(void) {
    void *library = dlopen("libdemo_runtime.so.1", RTLD_NOW);
    int (*answer)(void) = library ? (int (*)(void))dlsym(library, "answer") : 0;
    return answer ? answer() : -1;
}
"""

INITIALIZE = '''"""A plugin that is found by %(how)s."""
import ctypes
import os
from pathlib import Path

import jax

PATH = %(path)s / "libdemo_plugin.so"


def initialize():
    """What jax calls."""
    found = jax.__dict__.setdefault("demo_answers", {})
    found[__name__] = [ctypes.CDLL(str(PATH)).question(), (Path(__file__).parent / "table.txt").read_text(), str(PATH)]
'''

ASK = r"""
import json, jax, jax.numpy as np
import jax_plugins
total = float(jax.jit(lambda x: (x @ x).sum())(np.ones((8, 8))))
gradient = float(jax.grad(lambda x: x ** 3)(2.0))
with open("/proc/self/maps") as maps:
    mapped = sorted({line.split(None, 5)[5].strip() for line in maps if "demo_" in line})
print(json.dumps({
    "devices": [device.platform for device in jax.devices()], "total": total, "gradient": gradient,
    "plugins": jax.__dict__.get("demo_answers"), "folders": list(jax_plugins.__path__), "mapped": mapped,
}))
"""


def library(folder, name, source, *options):
    """The bytes of a shared library."""
    (folder / "source.c").write_text(source)
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / name), str(folder / "source.c")]
    subprocess.run(command + list(options), check=True)
    return (folder / name).read_bytes()


def wheels(folder):
    """The runtime, a plugin that an entry point names, and one that only lies in the namespace."""
    runtime = library(folder, "libdemo_runtime.so.1", RUNTIME, "-Wl,-soname,libdemo_runtime.so.1")
    search = "-Wl,-rpath,$ORIGIN/../../demo_runtime/lib"
    plugin = library(folder, "libdemo_plugin.so", PLUGIN, search, "-ldl")
    text = {"how": "its entry point", "path": "Path(__file__).resolve().parent"}
    named = {"jax_plugins/demo_named/__init__.py": INITIALIZE % text}
    text = {"how": "the namespace", "path": "Path(os.path.dirname(__file__))"}
    lying = {"jax_plugins/demo_lying/__init__.py": INITIALIZE % text}
    for package, files in (("demo_named", named), ("demo_lying", lying)):
        files["jax_plugins/%s/libdemo_plugin.so" % package] = plugin
        files["jax_plugins/%s/table.txt" % package] = package
    entry_points = "[jax_plugins]\ndemo_named = jax_plugins.demo_named\n"
    return [
        build_wheel(folder, "demo_runtime", "1.0", {"demo_runtime/lib/libdemo_runtime.so.1": runtime}),
        build_wheel(folder, "demo_named", "1.0", named, entry_points),
        build_wheel(folder, "demo_lying", "1.0", lying),
    ]


def build(pair):
    """Makes the pair of venvs, with the small distributions."""
    if not shutil.which("cc"):
        raise Skipped("there is no C compiler")
    folder = pair.place.path("wheels")
    folder.mkdir()
    pair.build(NAMES, wheels=wheels(folder))
    return "%d distributions installed by both" % len(pair.pins)


def check_jax(pair):
    """jax computes, and finds both plugins, which find their libraries and files."""
    found = {}
    for venv in ("ours", "real"):
        text = pair.python(venv, ASK, extra={"JAX_PLATFORMS": ""}).splitlines()[-1]
        found[venv] = normal_facts(json.loads(text), pair, venv)
    require_equal(found["ours"], found["real"], "what jax says")
    plugins = found["real"]["plugins"] or {}
    require_equal(sorted(facts[0] for facts in plugins.values()), [42, 42], "the answers of the plugins %s" % plugins)
    require_equal((found["real"]["total"], found["real"]["gradient"]), (512.0, 12.0), "the computations")
    require(found["real"]["mapped"], "no library of the plugins is loaded")
    return "jax computes and initializes %d plugins alike" % len(plugins)


def run(tally, pair, _):
    """Both steps."""
    if tally.step("installing", build, pair):
        tally.step("jax", check_jax, pair)
        tally.step("check", lambda: pair.place.virtpy("check", "--venv", "ours") and "virtpy check finds nothing")
