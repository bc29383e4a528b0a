"""Archives in the form of standalone builds, made from an interpreter of this machine, and a server for them."""

import functools
import hashlib
import http.server
import io
import os
import subprocess
import tarfile
import threading

from support import interpreters, require

# Where an interpreter was built for, and where its standard library is.
FACTS = (
    "import os, sys, sysconfig; print(sys.base_prefix); print(sysconfig.get_path('stdlib')); "
    "print('%d.%d.%d' % sys.version_info[:3])"
)

SKIPPED = {"__pycache__", "test", "tests", "site-packages", "dist-packages", "idlelib", "lib2to3", "turtledemo"}


class Archive:
    """A standalone build: its version, its short version, its file and the file's SHA-256."""

    def __init__(self, folder):
        """Makes it of the newest suitable interpreter of this machine."""
        for self.short, executable in sorted(interpreters().items(), key=_number, reverse=True):
            lines = subprocess.run([executable, "-I", "-c", FACTS], stdout=subprocess.PIPE, check=True)
            self.prefix, self.stdlib, self.version = lines.stdout.decode().split("\n")[:3]
            headers = os.path.join(self.prefix, "include", "python" + self.short, "Python.h")
            # One of the system shares its prefix with everything else.
            if os.path.exists(headers) and self.prefix not in ("/usr", "/usr/local"):
                break
        else:
            require(False, "the machine has no interpreter with headers and a prefix of its own")
        self.name = "cpython-%s-install_only.tar.gz" % self.version
        self.path = folder / self.name
        with tarfile.open(str(self.path), "w:gz", compresslevel=6, format=tarfile.USTAR_FORMAT) as tar:
            self._fill(tar)
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()

    def _fill(self, tar):
        name = "python" + self.short
        links = {"python": name, "python3": name, "python3-config": name + "-config"}
        for script in (name, name + "-config", "pip3", "pydoc3"):
            path = os.path.join(self.prefix, "bin", script)
            if os.path.exists(path):
                self._add(tar, path, "bin/" + script)
        for link, target in links.items():
            info = tarfile.TarInfo("python/bin/" + link)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
        folders = ["include", os.path.join("lib", "pkgconfig"), os.path.relpath(self.stdlib, self.prefix)]
        for top in folders:
            for folder, names, files in os.walk(os.path.join(self.prefix, top)):
                names[:] = sorted(set(names) - SKIPPED)
                for file in sorted(files):
                    path = os.path.join(folder, file)
                    if not file.endswith(".a") and os.path.isfile(path):
                        self._add(tar, path, os.path.relpath(path, self.prefix))
        info = tarfile.TarInfo("python/lib/%s/site-packages" % name)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)

    def _add(self, tar, path, name):
        info = tar.gettarinfo(os.path.realpath(path), "python/" + name)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        with open(path, "rb") as content:
            data = content.read()
        if b"\0" not in data[:4096]:
            data = data.replace(self.prefix.encode(), b"/install")
        if "_sysconfigdata_" in name:
            data = data.replace(b"'gcc", b"'clang").replace(b"'g++", b"'clang++")
            data = data.replace(b"'AR': 'ar'", b"'AR': '/tools/llvm/bin/llvm-ar'")
        info.type, info.size = tarfile.REGTYPE, len(data)
        tar.addfile(info, io.BytesIO(data))

    def index(self, url):
        """The archive as an index of virtpy's."""
        build = {"version": self.version, "build": "20261021", "url": url + self.name, "sha256": self.sha256}
        return {"builds": [build]}


def _number(item):
    return [int(part) for part in item[0].split(".")]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Nobody wants to know."""


def serve(folder):
    """Serves a folder on the loopback interface; returns its address, with a slash at the end."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d/" % server.server_address[1]
