"""The wheels of the hardening suite, made here, and a loopback index that counts what is fetched from it.

The wheels are tiny, and each stands for a way in which distributions meet in a venv: a folder of one's own,
folders that several share, files that two of them have, scripts, data.
"""

import base64
import collections
import hashlib
import http.server
import io
import sys
import threading
import zipfile

VERSIONS = ("1.0", "2.0")

WHEEL = b"Wheel-Version: 1.0\nGenerator: hardening\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

SCRIPT = b"#!python\nprint('hello')\n"

# Paths of the files by the name of the distribution. {0} is the version with an underscore: such a file
# goes and another comes with an upgrade.
FILES = {
    # A folder of its own, a module, a command, data.
    "hd-alpha": [
        "hd_alpha/__init__.py",
        "hd_alpha/part_{0}.py",
        "hd_alpha/deep/er/__init__.py",
        "hd_alpha_single.py",
        "data:share/hd-alpha/data.txt",
    ],
    # Nothing but a package.
    "hd-plain": ["hd_plain/__init__.py", "hd_plain/part_{0}.py"],
    # One package in the wheels of two.
    "hd-share-one": ["hd_share/__init__.py", "hd_share/one/__init__.py", "hd_share/one_{0}.py"],
    "hd-share-two": ["hd_share/two/__init__.py", "hd_share/two_{0}.py"],
    # A namespace (PEP 420).
    "hd-space-one": ["hd_space/one/__init__.py", "hd_space/one/part_{0}.py"],
    "hd-space-two": ["hd_space/two/__init__.py", "hd_space/two/part_{0}.py"],
    # Two that have a file in common: the later one's is used.
    "hd-cover-one": ["hd_cover/__init__.py", "hd_cover/common.py", "hd_cover/one.py", "hd_common.py"],
    "hd-cover-two": ["hd_cover/common.py", "hd_cover/two.py", "hd_common.py"],
    # Data in common folders, and a script that is a file of the wheel.
    "hd-data-one": ["hd_data_one.py", "data:share/man/man1/hd-one.1", "scripts:hd-script-one"],
    "hd-data-two": ["hd_data_two.py", "data:share/man/man1/hd-two.1", "scripts:hd-script-two"],
}

# Those with an entry point.
COMMANDS = ("hd-alpha", "hd-share-one")


def import_name(name):
    """The name of a distribution as its wheel's file name has it."""
    return name.replace("-", "_")


def content_of(path, name, version):
    """The bytes of a file; every version of every distribution has others."""
    if path.startswith("scripts:"):
        return SCRIPT
    return ("name, version = %r, %r\n\n\ndef main():\n    print(version)\n" % (name, version)).encode()


def wheel_bytes(name, version, files, padding=0):
    """The bytes of a wheel. `files` are paths as in FILES, `padding` makes it so many bytes larger."""
    top = import_name(name)
    info, data = "%s-%s.dist-info/" % (top, version), "%s-%s.data/" % (top, version)
    members = {}
    for path in files:
        path = path.format(version.replace(".", "_"))
        place = data + path.replace(":", "/") if ":" in path else path
        members[place] = content_of(path, name, version)
    if padding:
        # Not to be compressed, and the same each time.
        block = hashlib.sha256((name + version).encode()).digest()
        members[top + "_padding.bin"] = (block * (padding // len(block) + 1))[:padding]
    members[info + "METADATA"] = ("Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)).encode()
    members[info + "WHEEL"] = WHEEL
    if name in COMMANDS:
        command = "[console_scripts]\n%s = %s:main\n" % (name, files[0].split("/")[0])
        members[info + "entry_points.txt"] = command.encode()
    return packed(members, info)


def packed(members, info):
    """The bytes of a wheel that has these members, and a RECORD of them in its metadata folder."""
    rows = []
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d\n" % (path, digest, len(content)))
    members = dict(members)
    members[info + "RECORD"] = ("".join(rows) + info + "RECORD,,\n").encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in members.items():
            entry = zipfile.ZipInfo(path, (2020, 2, 2, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def write_wheel(folder, name, version, files, padding=0):
    """Puts a wheel into a folder and returns its path."""
    path = folder / ("%s-%s-py3-none-any.whl" % (import_name(name), version))
    path.write_bytes(wheel_bytes(name, version, files, padding))
    return path


def write_contents(folder, name, version, contents, requires=()):
    """Puts a wheel of files with given texts into a folder and returns its path."""
    info = "%s-%s.dist-info/" % (import_name(name), version)
    lines = ["Metadata-Version: 2.1", "Name: " + name, "Version: " + version]
    lines += ["Requires-Dist: " + line for line in requires]
    members = {path: text.encode() for path, text in contents.items()}
    members[info + "METADATA"] = ("\n".join(lines) + "\n").encode()
    members[info + "WHEEL"] = WHEEL
    path = folder / ("%s-%s-py3-none-any.whl" % (import_name(name), version))
    path.write_bytes(packed(members, info))
    return path


def make_wheels(folder):
    """Makes every wheel in both versions."""
    folder.mkdir()
    for version in VERSIONS:
        for name, files in FILES.items():
            write_wheel(folder, name, version, files)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves wheels as an index (PEP 503) and counts the downloads of each."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answers with the page of a project, or with a wheel."""
        parts = [part for part in self.path.split("?")[0].split("/") if part]
        body, kind = None, "text/html"
        if parts[:1] == ["simple"] and len(parts) == 2:
            body = self.server.pages.get(parts[1])
        elif parts[:1] == ["files"] and len(parts) == 2 and parts[1] in self.server.metadata:
            body, kind = self.server.metadata[parts[1]], "text/plain"
        elif parts[:1] == ["files"] and len(parts) == 2:
            body, kind = self.server.wheels.get(parts[1]), "application/octet-stream"
            if body is not None and self.command == "GET":
                with self.server.lock:
                    self.server.downloads[parts[1]] += 1
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Serves each connection in a thread, and does not mind when a client hangs up."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """Tells of an accident, unless it is the client's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Index:
    """A loopback index of the wheels in a folder, in a thread of its own."""

    def __init__(self, folder):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.wheels = {path.name: path.read_bytes() for path in sorted(folder.glob("*.whl"))}
        rows = collections.defaultdict(str)
        for name, content in self.server.wheels.items():
            digest = hashlib.sha256(content).hexdigest()
            project = name.split("-")[0].replace("_", "-")
            # With the metadata beside it (PEP 658), as the registries have it: to resolve takes no wheel.
            link = '<a href="/files/%s#sha256=%s" data-core-metadata="true">%s</a><br>\n'
            rows[project] += link % (name, digest, name)
        page = "<!DOCTYPE html><html><body>\n%s</body></html>\n"
        self.server.pages = {project: (page % text).encode() for project, text in rows.items()}
        self.server.metadata = {}
        for name, content in self.server.wheels.items():
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                inner = "-".join(name.split("-")[:2]) + ".dist-info/METADATA"
                self.server.metadata[name + ".metadata"] = archive.read(inner)
        self.server.lock = threading.Lock()
        self.server.downloads = collections.Counter()
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        """The address that pip calls the index URL."""
        return "http://127.0.0.1:%d/simple/" % self.server.server_address[1]

    @property
    def downloads(self):
        """How often each wheel was fetched."""
        with self.server.lock:
            return dict(self.server.downloads)

    def stop(self):
        """Ends the thread."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
