"""The wheels that the foreign installers act on, made here in two versions each, with a loopback index.

Every file tells its version in the same number of bytes, so that a file which was written over keeps its
size, and the wheels carry one fixed time, as reproducible builds do.
"""

import base64
import hashlib
import html
import http.server
import os
import re
import subprocess
import sys
import sysconfig
import threading
import zipfile
from pathlib import Path

VERSIONS = ("1.0", "2.0")

# What an ordinary wheel has: package files, of which {0} is the version with an underscore. Each name
# stands for a shape: folded (plain), unfolded with an __init__.py (share), PEP 420 (space), deep (deep);
# *-new come later.
FILES = {
    "vp-plain": [
        "vp_plain/__init__.py",
        "vp_plain/part.py",
        "vp_plain/sub/deeper.py",
        "vp_plain/only_{0}.py",
        "vp_plain_single.py",
    ],
    "vp-share-base": ["vp_share/__init__.py", "vp_share/base.py", "vp_share/base_only_{0}.py"],
    "vp-share-extra": ["vp_share/extra.py", "vp_share/more/__init__.py", "vp_share/extra_only_{0}.py"],
    "vp-share-new": ["vp_share/new.py", "vp_share/newer/__init__.py"],
    "vp-space-one": ["vp_space/one/__init__.py", "vp_space/one/only_{0}.py"],
    "vp-space-two": ["vp_space/two/__init__.py", "vp_space/two/only_{0}.py"],
    "vp-space-new": ["vp_space/new/__init__.py"],
    "vp-deep-left": ["vp_deep/__init__.py", "vp_deep/a/b/left/__init__.py", "vp_deep/a/b/left_{0}.py"],
    "vp-deep-right": ["vp_deep/a/b/right/__init__.py", "vp_deep/a/b/right_{0}.py", "vp_deep/a/beside.py"],
    "vp-deep-new": ["vp_deep/a/b/new/__init__.py", "vp_deep/a/b/new_module.py"],
    "vp-new": ["vp_new/__init__.py", "vp_new/part.py", "vp_new_single.py"],
    "vp-data-new": ["vp_data_new/__init__.py"],
    "vp-aside": ["vp_aside/__init__.py", "vp_aside/part.py"],
}

# Those with a script, and those with a file in share/.
SCRIPTS = ("vp-plain", "vp-new")
DATA = ("vp-plain", "vp-data-new")

# Distributions with a shared library, and the library of another wheel that it needs.
LIBRARIES = {"vp-elf-lib": None, "vp-elf-user": "libvp_elf_lib.so", "vp-elf-new": "libvp_elf_lib.so"}

PROVIDER_SOURCE = "int vp_elf_lib(void) { return %d; }\n"
USER_SOURCE = "int vp_elf_lib(void);\nint %s(void) { return %d + vp_elf_lib(); }\n"

# The module of a distribution with a library: it loads the library by the path at which it was imported.
LOADER = """import ctypes, os
version = %r
library = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "lib", %r))
number = library.%s()
"""


def top(name):
    """The import name of a distribution that has a folder of its own."""
    return name.replace("-", "_")


def modules(name, version):
    """The modules that a version of a distribution has."""
    if name in LIBRARIES:
        return [top(name), top(name) + ".pure"]
    paths = [path.format(version.replace(".", "_")) for path in FILES[name]]
    return [re.sub(r"(/__init__)?\.py$", "", path).replace("/", ".") for path in paths]


def compile_library(folder, name, version):
    """Compiles the shared library of a version and returns its bytes."""
    target = folder / ("lib%s.so" % top(name))
    source = folder / (top(name) + ".c")
    number = VERSIONS.index(version) + 1
    command = ["cc", "-shared", "-fPIC", "-o", str(target), str(source), "-Wl,-soname," + target.name]
    if LIBRARIES[name] is None:
        source.write_text(PROVIDER_SOURCE % number)
    else:
        source.write_text(USER_SOURCE % (top(name), 10 * number))
        command += ["-L" + str(folder), "-l:" + LIBRARIES[name], "-Wl,-rpath,$ORIGIN/../../vp_elf_lib/lib"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return target.read_bytes()


def contents(folder, name, version):
    """What a wheel has beside its dist-info: bytes by path."""
    statement = ("version = %r\n" % version).encode()
    if name in LIBRARIES:
        library = "lib%s.so" % top(name)
        return {
            top(name) + "/__init__.py": (LOADER % (version, library, top(name))).encode(),
            top(name) + "/pure/__init__.py": statement,
            top(name) + "/lib/" + library: compile_library(folder, name, version),
        }
    files = {path.format(version.replace(".", "_")): statement for path in FILES[name]}
    if name in SCRIPTS:
        files[top(name) + "/part.py"] = statement + b"\n\ndef main():\n    print(version)\n"
    if name in DATA:
        files["%s-%s.data/data/share/%s/data.txt" % (top(name), version, name)] = version.encode()
    return files


def write_wheel(folder, build, name, version):
    """Makes a wheel."""
    info = "%s-%s.dist-info/" % (top(name), version)
    tag = "py3-none-any"
    if name in LIBRARIES:
        tag = "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())
    files = contents(build, name, version)
    metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nRequires-Python: >=3.8\n" % (name, version)
    files[info + "METADATA"] = metadata.encode()
    purity = "false" if name in LIBRARIES else "true"
    wheel = "Wheel-Version: 1.0\nGenerator: foreign_wheels\nRoot-Is-Purelib: %s\nTag: %s\n" % (purity, tag)
    files[info + "WHEEL"] = wheel.encode()
    if name in SCRIPTS:
        script = "[console_scripts]\n%s-tool = %s.part:main\n" % (name, top(name))
        files[info + "entry_points.txt"] = script.encode()
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d\n" % (path, digest, len(content)))
    files[info + "RECORD"] = ("".join(rows) + info + "RECORD,,\n").encode()
    with zipfile.ZipFile(str(folder / ("%s-%s-%s.whl" % (top(name), version, tag))), "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2020, 2, 2, 0, 0, 0))
            entry.external_attr = (0o755 if path.endswith(".so") else 0o644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def make_wheels(folder, build):
    """Makes every wheel in both versions; `build` is a folder for what is compiled."""
    folder.mkdir()
    build.mkdir()
    for version in VERSIONS:
        for name in list(FILES) + list(LIBRARIES):
            write_wheel(folder, build, name, version)


def find_wheel(folder, name, version):
    """The path of a wheel."""
    return next(Path(folder).glob("%s-%s-*.whl" % (top(name), version)))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a folder of wheels as an index (PEP 503)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answers with the page of a project, or with a file."""
        parts = [part for part in self.path.split("?")[0].split("/") if part]
        body, kind = None, "text/html"
        if parts[:1] == ["simple"] and len(parts) == 2:
            body = self.page(parts[1])
        elif parts[:1] == ["files"] and len(parts) == 2 and parts[1] in os.listdir(str(self.server.folder)):
            body, kind = (self.server.folder / parts[1]).read_bytes(), "application/octet-stream"
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body or b"")

    do_HEAD = do_GET

    def page(self, project):
        """The page of a project, or None if there is none."""
        rows = []
        for path in sorted(self.server.folder.glob(top(project) + "-*.whl")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            link = '<a href="/files/%s#sha256=%s" data-requires-python="%s">%s</a><br>\n'
            rows.append(link % (path.name, digest, html.escape(">=3.8"), path.name))
        return ("<!DOCTYPE html><html><body>\n%s</body></html>\n" % "".join(rows)).encode() if rows else None

    def log_message(self, *_):
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Serves each connection in a thread, and does not mind when a client hangs up."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        """Tells of an accident, unless it is the client's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Index:
    """A loopback index of the wheels in a folder, in a thread of its own."""

    def __init__(self, folder):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.folder = folder
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        """The address that pip calls the index URL."""
        return "http://127.0.0.1:%d/simple/" % self.server.server_address[1]

    def stop(self):
        """Ends the thread."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
