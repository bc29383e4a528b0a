"""What an import does not show: libraries that look for another distribution's files when they are used."""

import json
import os
import shutil
import subprocess

from support import require, require_equal

from pair import Skipped, normal_facts

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

# Where Qt looks for what belongs to it, and which of its libraries a program with a window really has.
QT_PLACES = r"""
import json, os
from %(binding)s.QtCore import QLibraryInfo, QCoreApplication, qVersion
from %(binding)s.QtWidgets import QApplication, QPushButton
kinds = ["Prefix", "Plugins", "QmlImports", "Libraries", "LibraryExecutables", "Translations", "Data"]
names = {kind: getattr(QLibraryInfo.LibraryPath, kind + "Path", None) for kind in kinds}
app = QApplication([])
button = QPushButton("text")
button.show()
app.processEvents()
picture = button.grab()
places = {kind: QLibraryInfo.path(name) for kind, name in names.items() if name is not None}
with open("/proc/self/maps") as maps:
    mapped = {line.split(None, 5)[5].strip() for line in maps if "Qt" in line or "plugins/" in line}
found = {
    "places": places, "plugins": QCoreApplication.libraryPaths(), "platform": app.platformName(),
    "picture": [picture.width() > 0, picture.isNull()], "style": app.style().objectName(),
    "mapped": sorted(path for path in mapped if path.startswith("/")),
    "there": sorted(kind for kind, path in places.items() if os.path.exists(path)),
}
print("\n" + json.dumps(found))
"""

# A page in Qt's browser: it starts a program of its own, which looks for resources and translations.
QT_BROWSER = r"""
import json, os
os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = "--disable-gpu"
from %(binding)s.QtCore import QTimer
from %(binding)s.QtWidgets import QApplication
from %(binding)s.QtWebEngineCore import QWebEnginePage
app, found = QApplication([]), []
page = QWebEnginePage()

def done(value):
    found.append(value)
    app.quit()

page.loadFinished.connect(lambda good: page.runJavaScript("6 * 7 + document.body.innerText", 0, done))
page.setHtml("<body>text</body>")
QTimer.singleShot(60000, app.quit)
app.exec()
print("\n" + json.dumps(found[:1]), flush=True)
os._exit(0)
"""

# What a program does with torch; and which libraries it has by then.
TORCH_USE = r"""
import json, os, torch, torch.utils.cpp_extension
torch.manual_seed(0)
left = torch.randn(16, 16, dtype=torch.float64, requires_grad=True)
(left @ left.T).sum().backward()
torch.save({"left": left}, "x.pt")
again = torch.load("x.pt")["left"]
layer = torch.jit.trace(torch.nn.Linear(4, 2), torch.ones(1, 4))
layer.save("y.pt")
with open("/proc/self/maps") as maps:
    mapped = {line.split(None, 5)[5].strip() for line in maps if line.count(" /")}
print("\n" + json.dumps({
    "gradient": round(float(left.grad.sum()), 6), "again": bool((again == left).all()),
    "traced": list(torch.jit.load("y.pt")(torch.ones(3, 4)).shape),
    "include": torch.utils.cpp_extension.include_paths(), "cmake": torch.utils.cmake_prefix_path,
    "headers": [os.path.exists(path) for path in torch.utils.cpp_extension.include_paths()],
    "libraries": sorted(path for path in mapped if "/torch/" in path or "/nvidia/" in path or "/triton/" in path),
}))
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


def check_places(pair, binding):
    """Where Qt's plugins, libraries and programs are, a button, and that all that is loaded lies in the venv."""
    code = QT_PLACES % {"binding": binding}
    real = provide(pair, code, lambda found: isinstance(found, dict) and len(found["mapped"]) > 3)
    ours = answer(pair, "ours", code)
    require(isinstance(ours, dict), "a button: %s" % ours)
    of_store = [path for path in ours["mapped"] if "/s/w/" in path]
    require_equal(of_store, [], "libraries of Qt that are not the venv's own")
    require_equal(normal_facts(ours, pair, "ours"), normal_facts(real, pair, "real"), "places of " + binding)
    return "%s shows a button; %d of its places and %d libraries are alike" % (
        binding,
        len(real["there"]),
        len(real["mapped"]),
    )


def check_browser(pair, binding):
    """Qt's browser starts its own program and runs a script."""
    code = QT_BROWSER % {"binding": binding}
    real = provide(pair, code, lambda found: found == ["42text"])
    require_equal(answer(pair, "ours", code), real, "the browser of " + binding)
    return "%s's browser runs a script in both" % binding


def check_torch_use(pair):
    """torch computes, saves and loads; all of its libraries and nvidia's come out of the venv."""
    found = {venv: answer(pair, venv, TORCH_USE) for venv in ("ours", "real")}
    require(isinstance(found["real"], dict), "torch does not work with real files: %s" % found["real"])
    require(isinstance(found["ours"], dict), "torch: %s" % found["ours"])
    ours, real = (normal_facts(found[venv], pair, venv) for venv in ("ours", "real"))
    require_equal(ours, real, "what torch says")
    outside = [path for path in ours["libraries"] if not path.startswith("VENV/")]
    require_equal(outside, [], "libraries from elsewhere")
    require(real["again"] and len(real["libraries"]) > 5, "torch: %s" % real)
    return "torch computes, saves and loads alike, with %d libraries of the venv" % len(real["libraries"])


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
            yield "torch in use", check_torch_use
        else:
            yield name + " places", lambda pair, binding=name: check_places(pair, binding)
            yield name + " image formats", lambda pair, binding=name: check_formats(pair, binding)
        if name == "PySide6":
            yield "PySide6 QML", check_qml
            yield "PySide6 browser", lambda pair: check_browser(pair, "PySide6")
