"""`virtpy python install` and `uv python install` from the same server: the same tree, and virtpy is not slower.

The archive is made from an interpreter of this machine as standalone builds are: for `/install`, by clang. A C extension
must build in a venv of what virtpy installed, and `ssl` must verify.
"""

import hashlib
import json
import os
import platform
import re
import runpy
import shutil
import ssl
import statistics
import sys
import threading
import time
from http.server import HTTPServer

from python_archives import Archive, Quiet, serve
from support import CheckFailed, own_interpreter, require, require_equal

ROUNDS = 5

SETUP = "from setuptools import Extension, setup\nsetup(name='vp-ext', version='1', ext_modules=[Extension('vp_ext', ['vp.c'])])\n"
SOURCE = """#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "vp_ext", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_vp_ext(void) {
    PyObject *made = PyModule_Create(&module);
    PyModule_AddIntConstant(made, "answer", 42);
    return made;
}
"""


def check(place):
    """Installs with both, compares, builds, and asks a server for its certificate."""
    folder = place.path("served")
    folder.mkdir()
    archive = Archive(folder)
    url = serve(folder)
    (folder / "index.json").write_text(json.dumps(archive.index(url)))
    table = place.path("uv.json")
    table.write_text(json.dumps(uv_table(archive, url)))
    place.run([own_interpreter(), "-m", "venv", place.path("tools")])
    place.run([place.path("tools") / "bin" / "pip", "install", "--quiet", "uv"])
    place.environment["VIRTPY_PYTHON_INDEX_URL"] = url + "index.json"
    ours, theirs = [], []
    for number in range(ROUNDS):
        ours.append(with_virtpy(place, archive, number))
        theirs.append(with_uv(place, archive, table, number))
    ratio = statistics.median(ours) / statistics.median(theirs)
    yield "an archive of %d MB: virtpy %.2f s, uv %.2f s, ratio %.2f" % (
        archive.path.stat().st_size / 1e6,
        statistics.median(ours),
        statistics.median(theirs),
        ratio,
    )
    compare(place, archive)
    yield "the trees are the same after patching"
    extension(place, archive)
    yield "a C extension builds and is imported"
    for done in certificates(place, archive):
        yield done


def uv_table(archive, url):
    """The archive as uv's own table has it."""
    major, minor, patch = (int(number) for number in archive.version.split("."))
    machine = platform.machine()
    name = "cpython-%s-linux-%s-gnu" % (archive.version, machine)
    build = {
        "name": "cpython",
        "arch": {"family": machine, "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": url + archive.name,
        "sha256": archive.sha256,
        "variant": None,
        "build": "20261021",
    }
    return {name: build}


def with_virtpy(place, archive, number):
    """Installs into a new home. Returns the seconds."""
    home = place.path("s" if number == 0 else "s%d" % number)
    start = time.monotonic()
    place.virtpy("python", "install", archive.version, environment=dict(place.environment, VIRTPY_HOME=str(home)))
    seconds = time.monotonic() - start
    if number:
        shutil.rmtree(str(home))
    return seconds


def with_uv(place, archive, table, number):
    """Installs into a new folder. Returns the seconds."""
    root = place.path("uv%d" % number)
    environment = dict(
        place.environment,
        UV_PYTHON_INSTALL_DIR=str(root / "python"),
        UV_PYTHON_INSTALL_BIN="0",
        UV_CACHE_DIR=str(root / "cache"),
        UV_PYTHON_DOWNLOADS_JSON_URL=str(table),
    )
    command = [place.path("tools") / "bin" / "uv", "--no-config", "python", "install", archive.version]
    start = time.monotonic()
    place.run(command, environment=environment)
    seconds = time.monotonic() - start
    if number:
        shutil.rmtree(str(root))
    return seconds


def compare(place, archive):
    """The two trees, with each one's own place replaced."""
    ours = place.path("s") / "pythons" / archive.version
    found = [path for path in (place.path("uv0") / "python").iterdir() if not path.is_symlink()]
    theirs = next(path for path in found if path.name.startswith("cpython-" + archive.version))
    left, right = tree(ours), tree(theirs)
    require(left.pop("virtpy.json", None) is not None, "there is no record")
    require_equal(left, right, "the tree of virtpy against that of uv")


def tree(root):
    """Path to what is there. uv leaves the old prefix where it follows a flag; virtpy does not."""
    content = {}
    for folder, folders, files in os.walk(str(root)):
        for name in folders + files:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, str(root))
            if os.path.islink(path):
                content[relative] = "link to " + os.readlink(path)
            elif os.path.isdir(path):
                content[relative] = "folder"
            else:
                content[relative] = (os.stat(path).st_mode & 0o111 != 0, file(path, str(root)))
    return content


def file(path, root):
    """What is in a file, as far as it should be the same."""
    name = os.path.basename(path)
    if name == "EXTERNALLY-MANAGED":
        return "present"  # Each names itself.
    if name.startswith("_sysconfigdata_"):
        values = runpy.run_path(path)["build_time_vars"]
        return {key: normal(value, root) for key, value in values.items() if key != "CONFIG_ARGS"}
    with open(path, "rb") as content:
        data = content.read()
    if name.endswith(".pc") or name == "Makefile" or data.startswith(b"#!"):
        return normal(data.decode(), root)
    return hashlib.sha256(data).hexdigest()


def normal(value, root):
    """A text without the place, and with single blanks."""
    if not isinstance(value, str):
        return value
    moved = re.sub(r"(?<![\w./])((?:-[IL])?)/install(?![\w.-])", r"\1" + root, value)
    return " ".join(moved.replace(root, "[ROOT]").split())


def extension(place, archive):
    """A package with a C extension, built in a venv of what was installed."""
    project = place.path("ext")
    project.mkdir()
    (project / "setup.py").write_text(SETUP)
    (project / "vp.c").write_text(SOURCE)
    place.virtpy("new", "v", "-p", archive.short)
    home = place.path("s") / "pythons" / archive.short / "bin"
    require("home = %s\n" % home in (place.path("v") / "pyvenv.cfg").read_text(), "the venv is of another Python")
    place.virtpy("add", "--venv", "v", str(project))
    require_equal(place.python("v", "import vp_ext; print(vp_ext.answer)"), "42", "the extension's answer")


def certificates(place, archive):
    """A server whose authority only SSL_CERT_FILE knows."""
    paths = place.python("v", "import ssl; p = ssl.get_default_verify_paths(); print(p.cafile, p.capath)")
    yield "by default, certificates are looked for at %s" % paths
    if shutil.which("openssl") is None:
        yield "skipped: no openssl to make certificates with"
        return
    key, certificate = place.path("key.pem"), place.path("certificate.pem")
    place.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    )
    server = HTTPServer(("127.0.0.1", 0), Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate), str(key))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = "import urllib.request as r; print(r.urlopen('https://127.0.0.1:%d/').status)" % server.server_address[1]
    trusting = dict(place.environment, SSL_CERT_FILE=str(certificate))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        trusting.pop(name, None)
    require_equal(place.python("v", code, environment=trusting), "200", "the answer of a server that is trusted")
    try:
        trusting.pop("SSL_CERT_FILE")
        place.python("v", code, environment=trusting)
    except CheckFailed as failed:
        require("CERTIFICATE_VERIFY_FAILED" in str(failed), "another failure than expected: %s" % failed)
    else:
        require(False, "a server is trusted whose authority nobody knows")
    yield "ssl trusts whom it should"


if __name__ == "__main__":
    sys.exit("run it with tests/online/run.py python-side-by-side")
