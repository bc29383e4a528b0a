"""What an import does not show: libraries that look for another distribution's files when they are used."""

import json
import os
import shutil
import subprocess

from support import require, require_equal

from pair import Skipped

# System libraries that Qt's wheels expect, by the names of Debian's packages.
SYSTEM_LIBRARIES = """
libegl1 libgl1 libopengl0 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libglib2.0-0 libnss3
libxcomposite1 libxdamage1 libxrandr2 libxtst6 libasound2 libxkbfile1 libxcb-cursor0 libxcb-icccm4
libxcb-keysyms1 libxcb-shape0 libxcb-image0 libxcb-render-util0 libxcb-xinerama0 libpulse0
""".split()

FORMATS = r"""
import json
from %(binding)s import QtGui
app = QtGui.QGuiApplication([])
print("\n" + json.dumps(sorted(bytes(name).decode() for name in QtGui.QImageReader.supportedImageFormats())))
"""

QML = r"""
import json
from PySide6 import QtGui, QtQml
app = QtGui.QGuiApplication([])
engine = QtQml.QQmlApplicationEngine()
engine.loadData(b"import QtQuick\nimport QtQuick3D\nimport QtCharts\nItem { property var view: Node {} }")
print("\n" + json.dumps(len(engine.rootObjects())))
"""

TORCH = r"""
import ctypes, sysconfig
ctypes.CDLL(sysconfig.get_path("platlib") + "/torch/lib/libtorch_cuda.so")
print("\n" + '"loaded"')
"""


def answer(pair, venv, code):
    """The JSON in the last line that the code prints, or how it ended."""
    command = [pair.place.path(venv) / "bin" / "python", "-c", code]
    status, text = pair.run(venv, command, 120)
    lines = text.strip().splitlines() or [""]
    if status == 0:
        return json.loads(lines[-1])
    return "exit code %s: %s" % (status, " | ".join(lines[-3:]))


def provide(pair, code, useful):
    """What the code says in the venv of real files; system libraries are installed if they seem absent."""
    found = answer(pair, "real", code)
    if useful(found):
        return found
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "update", "-qq"], env=environment, stdout=subprocess.DEVNULL)
        for package in SYSTEM_LIBRARIES:  # One by one: a name that a release lacks must not stop the others.
            command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = answer(pair, "real", code)
    if not useful(found):
        raise Skipped("does not work with real files either: %s" % found)
    return found


def check_formats(pair, binding):
    """Qt's image formats: each is a plugin, and some distributions add some to another's."""
    code = FORMATS % {"binding": binding}
    real = provide(pair, code, lambda found: isinstance(found, list) and len(found) > 10)
    require_equal(answer(pair, "ours", code), real, "image formats of " + binding)
    return "%s knows %d image formats in both" % (binding, len(real))


def check_qml(pair):
    """QML modules of one distribution that are linked to libraries of another."""
    real = provide(pair, QML, lambda found: found == 1)
    ours = answer(pair, "ours", QML)
    require_equal(ours, real, "root objects of QML with QtQuick3D and QtCharts")
    return "QML with QtQuick3D and QtCharts has %d root object in both" % real


def check_torch(pair):
    """torch's CUDA library finds those of nvidia's wheels by its search path, without `import torch`."""
    real = answer(pair, "real", TORCH)
    require(real == "loaded", "libtorch_cuda.so cannot be loaded with real files: %s" % real)
    require_equal(answer(pair, "ours", TORCH), real, "loading libtorch_cuda.so")
    return "libtorch_cuda.so can be loaded directly in both"


def steps(names):
    """The checks for the distributions of a group that need one of their own: titles and functions."""
    for name in names:
        if name == "torch":
            yield "torch", check_torch
        else:
            yield name + " image formats", lambda pair, binding=name: check_formats(pair, binding)
        if name == "PySide6":
            yield "PySide6 QML", check_qml
