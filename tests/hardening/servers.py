"""Indexes that lie, stall, flood and send elsewhere, requirements without measure, and where a password ends up: each
command ends in time, with one clear error or without harm, and nothing of it is kept."""

import base64
import hashlib
import http.server
import os
import re
import subprocess
import threading
import time
import zlib

from support import CheckFailed, Place, remove_tree, require, snapshot
from wheels import Server, write_contents

PAGE, WHEEL_PATH = "/simple/hv-one/", "/files/hv_one-1.0-py3-none-any.whl"

# How long a server may keep a command, and how much memory that may take: more than is needed, and far less than what is sent.
SECONDS, KIBIBYTES = 60, 3000000

# How long a server that sends slowly or for ever goes on.
PATIENCE = 45

PASSWORD = "pass-that-nobody-may-see"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the functions say that are given for paths, and keeps what was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answers, whatever the client makes of it."""
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        answer = self.server.answers.get(self.path.split("?")[0])
        self.connection.settimeout(PATIENCE)
        try:
            if answer is None:
                self.give(b"", code=404)
            else:
                answer(self)
        except OSError:
            self.close_connection = True

    do_HEAD = do_GET

    def give(self, body, code=200, **headers):
        """Answers with a body and headers, whose names have `_` for `-`."""
        self.send_response(code)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Content-Type", "text/html")
        if "Transfer-Encoding" not in headers:
            headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, length):
        """Begins an answer of some length."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


class Liar:
    """A server on this machine that answers as it is told."""

    def __init__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.answers, self.server.asked = {}, []
        self.answers, self.asked = self.server.answers, self.server.asked
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        """Its address."""
        return "http://127.0.0.1:%d" % self.server.server_address[1]

    def with_password(self):
        """The same with a user and a password."""
        return self.url.replace("http://", "http://user:%s@" % PASSWORD)

    def stop(self):
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()


class Goods:
    """The wheels that are offered, and pages that list them."""

    def __init__(self, folder):
        folder.mkdir()
        self.path = write_contents(folder, "hv-one", "1.0", {"hv_one/__init__.py": "value = 1\n"})
        self.one = self.path.read_bytes()
        self.other = write_contents(folder, "hv-other", "1.0", {"hv_other/__init__.py": ""}).read_bytes()
        self.sha256 = hashlib.sha256(self.one).hexdigest()
        # 4 GiB of nothing, in a few MiB: a block that is complete in itself, again and again.
        packer, block = zlib.compressobj(9, zlib.DEFLATED, 31), b" " * (1 << 24)
        first, again = (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
        self.bomb = first + again * 255

    def page(self, link=None, attributes="", fragment=None):
        """A page that lists the wheel."""
        fragment = "#sha256=" + self.sha256 if fragment is None else fragment
        link = (link or WHEEL_PATH) + fragment
        return ('<a href="%s"%s>%s</a>' % (link, attributes, os.path.basename(WHEEL_PATH))).encode()

    def serve(self, liar, page=None, wheel=None, metadata=None, **link):
        """Has a server offer the wheel, with these answers in place of the true ones."""
        if metadata is not None:
            link.setdefault("attributes", ' data-core-metadata="true"')
        body = self.page(**link)
        liar.answers[PAGE] = page or (lambda handler: handler.give(body))
        liar.answers[WHEEL_PATH] = wheel or (lambda handler: handler.give(self.one))
        if metadata is not None:
            liar.answers[WHEEL_PATH + ".metadata"] = metadata


def stalls(body, total):
    """Sends the beginning, and then nothing."""

    def answer(handler):
        handler.begin(total)
        handler.wfile.write(body)
        handler.wfile.flush()
        time.sleep(PATIENCE)

    return answer


def drips(body):
    """Sends a byte now and then."""

    def answer(handler):
        handler.begin(len(body))
        end = time.monotonic() + PATIENCE
        for number in range(len(body)):
            if time.monotonic() > end:
                break
            handler.wfile.write(body[number:number + 1])
            handler.wfile.flush()
            time.sleep(0.5)

    return answer


def floods(handler):
    """Sends without end."""
    handler.begin(None)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        handler.wfile.write(b"<!-- " + b"x" * 65536 + b" -->")


def endless_headers(handler):
    """Sends headers without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000000):
        handler.wfile.write(b"X-%d: y\r\n" % number)


def gives(body, **headers):
    """Sends a body with headers."""
    return lambda handler: (handler.give(body, **headers), setattr(handler, "close_connection", True))


def metadata_of(text=""):
    """Sends metadata."""
    return gives(("Metadata-Version: 2.1\nName: hv-one\nVersion: 1.0\n%s" % text).encode(), Content_Type="text/plain")


def redirects(address):
    """Sends elsewhere."""
    return gives(b"", code=302, Location=address)


def slow_lies(goods):
    """Answers that do not come, or not whole; what a command makes of each within its time limit is an error."""
    return {
        "a wheel that stops": dict(wheel=stalls(goods.one[:100], len(goods.one))),
        "a page that stops": dict(page=stalls(b"<a", 1000)),
        "no answer": dict(page=lambda handler: time.sleep(PATIENCE)),
        "a page byte by byte": dict(page=drips(goods.page())),
        "a wheel byte by byte": dict(wheel=drips(goods.one)),
        "an endless page": dict(page=floods),
        "endless headers": dict(page=endless_headers),
        "a page of 4 GiB": dict(page=gives(goods.bomb, Content_Encoding="gzip")),
        "metadata of 4 GiB": dict(metadata=gives(goods.bomb, Content_Encoding="gzip")),
        "a wheel of 4 GiB": dict(wheel=gives(goods.bomb, Content_Encoding="gzip")),
    }


def lies(goods):
    """Answers that are refused."""
    wrong, length = "0" * 64, len(goods.one)
    local = "file://%s" % goods.path
    json_type = {"Content_Type": "application/vnd.pypi.simple.v1+json"}
    json_page = '{"meta":{"api-version":"1.0"},"name":"hv-one","files":[{"filename":"%s","url":"%s","hashes":{}}]}'
    name = os.path.basename(WHEEL_PATH)
    parts = b"%x\r\n" % 60 + goods.one[:60] + b"\r\n0\r\n\r\n"
    return {
        "a wheel that is cut": dict(wheel=gives(goods.one, Content_Length=str(length + 50))),
        "a wheel with less than it has": dict(wheel=gives(goods.one, Content_Length=str(length - 50))),
        "a length of exabytes": dict(wheel=gives(goods.one, Content_Length="9999999999999999999")),
        "chunks that are none": dict(wheel=gives(b"zz\r\nhello", Transfer_Encoding="chunked")),
        "chunks that end early, no hash": dict(wheel=gives(parts, Transfer_Encoding="chunked"), fragment=""),
        "a part of another wheel": dict(wheel=gives(goods.other, code=206, Content_Range="bytes 0-9/10")),
        "nothing new, of a wheel": dict(wheel=gives(b"", code=304)),
        "nothing new, of a page": dict(page=gives(b"", code=304)),
        "a page to log in instead of a wheel": dict(wheel=gives(b"<html>who are you?</html>")),
        "another wheel": dict(wheel=gives(goods.other)),
        "another wheel, no hash": dict(wheel=gives(goods.other), fragment=""),
        "a wrong hash": dict(fragment="#sha256=" + wrong),
        "a wrong hash of another kind": dict(fragment="#sha512=" + wrong * 2),
        "metadata with a wrong hash": dict(
            metadata=metadata_of("Requires-Dist: hv-other\n"), attributes=' data-core-metadata="sha256=%s"' % wrong),
        "a link to a file of this machine": dict(link=local),
        "a link to such a file, no hash": dict(link=local, fragment=""),
        "such a base of links": dict(
            page=gives(('<base href="file://%s/"><a href="%s">x</a>' % (goods.path.parent, name)).encode())),
        "such a link in JSON": dict(page=gives((json_page % (name, local)).encode(), **json_type)),
        "a redirect to such a file": dict(wheel=redirects(local)),
        "a redirect to another protocol": dict(wheel=redirects("gopher://127.0.0.1:1/x")),
        "a link that is a script": dict(link="javascript:alert(1)//" + name),
        "JSON without end": dict(page=gives(b'{"meta":' + b"[" * 1000000, **json_type)),
        "JSON of another age": dict(
            page=gives(b'{"meta":{"api-version":"2.0"},"name":"hv-one","files":[]}', **json_type)),
        "a page of another project": dict(
            page=gives(b'<a href="/files/hv_other-1.0-py3-none-any.whl">hv_other-1.0-py3-none-any.whl</a>')),
    }


def limited(place, arguments, environment=None, seconds=SECONDS):
    """Runs virtpy with little memory and time."""
    environment = dict(environment or place.environment, UV_HTTP_TIMEOUT="3", UV_HTTP_RETRIES="1")
    shell = ["sh", "-c", 'ulimit -v %d; exec "$@"' % KIBIBYTES, "-"]
    return place.attempt(shell + [place.program] + list(arguments), environment, timeout=seconds)


def require_nothing_kept(place, done, store):
    """A command that failed left nothing in the venv, in the store and among the temporary files."""
    require(done.code == 1, "not exit code 1: %s" % done)
    require(len(re.findall("(?m)^error: ", done.err)) == 1, "not one error: %s" % done)
    require("panicked" not in done.err, str(done))
    require(snapshot(place.home / "w") == store, "something is left in the store: %s" % done)
    left = os.listdir(str(place.home / "tmp")) if (place.home / "tmp").exists() else []
    require(not left, "left in tmp: %s" % left)
    require(not list(place.venv.glob("lib/*/site-packages/hv_*")), "something is left in the venv: %s" % done)


def refused(place, goods, cases):
    """Whatever an index answers, the command ends, says so once, and keeps nothing."""
    place.begin()
    place.new()
    store, slowest = snapshot(place.home / "w"), 0
    for what, answers in cases.items():
        liar = Liar()
        try:
            goods.serve(liar, **answers)
            begin = time.monotonic()
            done = limited(place, ["add", "--venv", place.venv, "--index-url", liar.url + "/simple/", "hv-one"])
            slowest = max(slowest, time.monotonic() - begin)
            require_nothing_kept(place, done, store)
        except CheckFailed as problem:
            raise CheckFailed("%s: %s" % (what, problem))
        finally:
            liar.stop()
    # And one that tells the truth is believed: otherwise this shows nothing.
    liar = Liar()
    goods.serve(liar, metadata=metadata_of())
    done = limited(place, ["add", "--venv", place.venv, "--index-url", liar.url + "/simple/", "hv-one"])
    liar.stop()
    require(done.code == 0 and place.evaluate("import hv_one; print(hv_one.value)") == "1", str(done))
    return "%d answers of an index were refused, the slowest after %.1f s" % (len(cases), slowest)


def metadata_that_differs(place, goods):
    """Metadata beside a wheel asks for what the wheel does not: not installed without a word, nor kept in the store."""
    place.begin()
    place.new()
    before = sorted(os.listdir(str(place.home / "w")))
    liar = Liar()
    try:
        goods.serve(liar, metadata=metadata_of("Requires-Dist: hv-other\n"))
        liar.answers["/simple/hv-other/"] = gives(b'<a href="/o/hv_other-1.0-py3-none-any.whl">x</a>')
        liar.answers["/o/hv_other-1.0-py3-none-any.whl"] = gives(goods.other)
        done = limited(place, ["add", "--venv", place.venv, "--index-url", liar.url + "/simple/", "hv-one"])
    finally:
        liar.stop()
    other = list(place.venv.glob("lib/*/site-packages/hv_other"))
    require(done.code == 1 or not other, "what the wheel does not ask for was installed: %s" % done)
    after = sorted(os.listdir(str(place.home / "w")))
    require(done.code == 0 or after == before, "a lie brought something into the store: %s" % done)
    return "metadata that differs from the wheel's brings nothing in"


def other_index(place, goods):
    """While the first index is not to be had, its names are not taken from the next one."""
    for code in (401, 403, 429, 500, 502, 503):
        place.begin()
        place.new()
        first, second = Liar(), Liar()
        try:
            first.answers[PAGE] = gives(b"no", code=code)
            goods.serve(second)
            indexes = ["--index-url", second.url + "/simple/", "--extra-index-url", first.url + "/simple/"]
            done = limited(place, ["add", "--venv", place.venv] + indexes + ["hv-one"])
            require(done.code == 1, "the other index was taken while the first said %d: %s" % (code, done))
        finally:
            first.stop()
            second.stop()
    return "no name was taken from another index while the first could not be had"


def elsewhere(place, goods):
    """An index with a password sends to another host: the password does not go there."""
    address = "http://127.0.0.1:%d"
    ways = {
        "a link": lambda mine, other: goods.serve(mine, link=other.url + WHEEL_PATH),
        "a link without protocol": lambda mine, other: goods.serve(mine, link=other.url[5:] + WHEEL_PATH),
        "a wheel": lambda mine, other: goods.serve(mine, wheel=redirects(other.url + WHEEL_PATH)),
        "a page": lambda mine, other: goods.serve(mine, page=redirects(other.url + PAGE)),
        "metadata": lambda mine, other: goods.serve(mine, metadata=redirects(other.url + WHEEL_PATH + ".metadata")),
        "a user that looks like a host": lambda mine, other: goods.serve(
            mine, link=other.url.replace("//", "//%s@" % (address % mine.server.server_address[1])[7:]) + WHEEL_PATH),
    }
    asked = 0
    for what, make in ways.items():
        place.begin()
        place.new()
        mine, other = Liar(), Liar()
        try:
            make(mine, other)
            goods.serve(other, metadata=metadata_of())
            environment = dict(place.environment, PIP_INDEX_URL=mine.with_password() + "/simple/")
            limited(place, ["add", "--venv", place.venv, "hv-one"], environment)
            require(any(given for _, given in mine.asked), "%s: the index did not get its password" % what)
            basic = base64.b64encode(("user:" + PASSWORD).encode()).decode()
            leaks = [one for one in other.asked if basic in str(one[1]) or PASSWORD in str(one)]
            require(not leaks, "%s: the password went elsewhere: %s" % (what, leaks))
            asked += bool(other.asked)
        finally:
            mine.stop()
            other.stop()
    require(asked >= 4, "only %d of the ways led elsewhere" % asked)
    return "%d ways elsewhere, and the password took none" % len(ways)


class CommandLines(threading.Thread):
    """Looks for the password in the command lines of all processes but those that were given it."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.over, self.found = place, threading.Event(), set()

    def run(self):
        """Looks until it is told to end."""
        while not self.over.is_set():
            for name in os.listdir("/proc"):
                try:
                    with open("/proc/%s/cmdline" % name, "rb") as file:
                        line = file.read().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                # git has no other way to be told.
                program = os.path.basename(line.split(" ")[0])
                if PASSWORD in line and not line.startswith(self.place.program) and not program.startswith("git"):
                    self.found.add(line)
            time.sleep(0.005)


def password(place, goods):
    """A password in addresses, files and variables is in no output, no file but the user's own, and no command line."""
    wheel = os.path.basename(WHEEL_PATH)
    commands = [
        ["-v", "add", "hv-one"], ["freeze"], ["-v", "list", "--json"], ["show", "hv-one"],
        ["-v", "add", "--reinstall", "hv-one @ URL/files/%s?sig=%s" % (wheel, PASSWORD)], ["freeze"], ["pip", "inspect"],
        ["-v", "lock", "hv-one", "--index-url", "URL/simple/"], ["store", "why", "hv-one", "--json"],
        ["-v", "add", "--reinstall", "--index-url", "URL/broken/", "hv-one"],
        ["-v", "add", "hv-absent @ git+URL/git/x.git"], ["-v", "add", "git+http://%s@127.0.0.1:1/x/y.git@v1" % PASSWORD],
        ["-v", "run", "--index-url", "URL/simple/", "--with", "hv-one", "python", "-c", "1"], ["-v", "run", "URL/absent.py"],
        ["install", "hv-one @ URL/files/" + wheel], ["tool", "list", "--json"], ["relink"], ["store", "verify"],
    ]
    place.begin()
    place.new()
    liar, lines = Liar(), CommandLines(place)
    if os.path.isdir("/proc/self"):
        lines.start()
    basic = "Basic " + base64.b64encode(("user:" + PASSWORD).encode()).decode()
    try:
        goods.serve(liar)

        def guarded(answer):
            unknown = gives(b"who are you?", code=401, WWW_Authenticate='Basic realm="x"')
            return lambda handler: (answer if handler.headers.get("Authorization") == basic else unknown)(handler)

        for path, answer in list(liar.answers.items()):
            liar.answers[path] = guarded(answer)
        environment = dict(place.environment, PIP_INDEX_URL=liar.with_password() + "/simple/", VIRTPY_PIP_SHIM="1")
        environment["GIT_TERMINAL_PROMPT"] = "0"
        succeeded = 0
        for command in commands:
            words = [word.replace("URL", liar.with_password()) for word in command]
            done = place.attempt([place.program] + words, environment, folder=place.project)
            require(PASSWORD not in done.out + done.err, "printed: %s" % done)
            require("panicked" not in done.err, str(done))
            succeeded += done.code == 0
    finally:
        lines.over.set()
        liar.stop()
    require(succeeded >= 10, "only %d of %d commands went through" % (succeeded, len(commands)))
    if lines.is_alive():
        lines.join()
    require(not lines.found, "on the command line of another program: %s" % lines.found)
    # Of addresses with a query the resolver's cache keeps the whole, for the user alone.
    cache = place.home / "cache" / "resolver"
    require(cache.stat().st_mode & 0o077 == 0, "others may read the resolver's cache")
    remove_tree(cache)
    done = subprocess.run(["grep", "-rla", PASSWORD, str(place.root)], stdout=subprocess.PIPE)
    require(not done.stdout, "in files: %s" % done.stdout.decode())
    return "%d commands with a password left it nowhere" % len(commands)


def without_measure(place):
    """Requirements that are nested without measure, by an index and by files that include one another."""
    place.begin()
    place.new()
    place.wheels.mkdir(exist_ok=True)
    count = 0
    for depth in (200, 1000, 5000, 15000):
        nested = "x; " + "(" * depth + "os_name == 'x'" + ")" * depth
        path = write_contents(place.wheels, "hv-deep", "1.0", {"hv_deep.py": ""}, [nested])
        store = snapshot(place.home / "w")
        done = limited(place, ["add", "--venv", place.venv] + place.index + [path])
        require_nothing_kept(place, done, store)
        for words in (["list"], ["check"], ["tree"], ["pip", "check"]):
            place.virtpy(words[0], "--venv", place.venv, *words[1:])
            count += 1
    folder = place.folder(place.root / "chain")
    for number in range(20000):
        (folder / str(number)).write_text("-r %d\n" % (number + 1))
    (folder / "20000").write_text("hv-one\n")
    for command in (["add", "--no-index", "-r", folder / "0"], ["sync", "--no-index", folder / "0"], ["lock", "-r", folder / "0"]):
        option = [] if command[0] == "lock" else ["--venv", place.venv]
        done = limited(place, command[:1] + option + command[1:])
        require(done.code in (1, 2) and "panicked" not in done.err, str(done))
        count += 1
    return "requirements nested and chained without measure: %d commands ended with words" % count


def check(arguments):
    """Runs the servers. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    try:
        goods = Goods(place.root / "goods")
        yield refused(place, goods, lies(goods))
        slow = slow_lies(goods)
        if arguments.quick:
            slow = {what: slow[what] for what in ("a wheel that stops", "a page that stops", "a page of 4 GiB", "metadata of 4 GiB")}
        yield refused(place, goods, slow)
        yield metadata_that_differs(place, goods)
        yield other_index(place, goods)
        yield elsewhere(place, goods)
        yield password(place, goods)
        yield without_measure(place)
    finally:
        if not arguments.keep:
            place.remove()
