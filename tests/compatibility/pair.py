"""Two venvs with the same distributions: `ours`, made by virtpy, and `real`, of real files, made by pip."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from support import CheckFailed, interpreters, own_interpreter, require

from differences import inherent

VENVS = ("ours", "real")

# The Python versions for which nearly every distribution has wheels.
VERSIONS = ("3.11", "3.12")

# Two programs at a time: more would mostly wait for each other, and run into their limits.
AT_ONCE = 2

# So many pips fill the venv of real files together.
PIPS = 4


class Skipped(Exception):
    """Something cannot be compared on this machine; the message says why."""


def suitable_interpreter():
    """The interpreter that runs this script, or another one, of a version that the groups are made for."""
    own = own_interpreter()
    if any(own.endswith("python" + version) for version in VERSIONS):
        return own
    found = interpreters()
    for version in VERSIONS:
        if version in found:
            return found[version]
    raise CheckFailed("the machine has no Python " + " or ".join(VERSIONS))


def normal(text, pair, venv, wrapped=False):
    """The text without what differs from run to run: the venv's folders, addresses, times.

    `wrapped` if lines may be broken in the middle of a path: then white space does not count.
    """
    text = re.sub(r"0x[0-9a-fA-F]+", "0x", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?", "TIME", text)
    text = re.sub(r"\b[\d.]+ ?(s|ms|seconds)\b", "DURATION", text)
    if wrapped:
        text = "".join(text.split())
    store = re.escape(str(pair.place.path("s"))) + r"/w/[0-9a-f]{16}"
    text = re.sub(store + "/site", "VENV/" + pair.library, text)
    text = re.sub(store + "/(data|scripts)", "VENV", text)
    text = text.replace(str(pair.place.path(venv)), "VENV").replace("../%s/" % venv, "../VENV/")
    text = text.replace(str(pair.place.path("home-" + venv)), "HOME").replace(str(pair.place.root), "PLACE")
    return re.sub(r"/tmp/[\w.-]+", "/tmp/SOMETHING", text)


def normal_facts(facts, pair, venv):
    """What a program found out, without the venv's folders; lists of paths in the order of what remains."""
    facts = json.loads(normal(json.dumps(facts), pair, venv))
    return {key: sorted(fact) if key in ("mapped", "libraries") else fact for key, fact in facts.items()}


def parts(pins):
    """The pins in as many parts as pips run at a time: pip mostly waits for the index.

    Names with the same first letter stay together: distributions that share a file mostly begin alike.
    """
    letters = {}
    for pin in pins:
        letters.setdefault(pin[0].lower(), []).append(pin)
    found = [[] for _ in range(PIPS)]
    for group in sorted(letters.values(), key=len, reverse=True):
        min(found, key=len).extend(group)
    return [part for part in found if part]


class Pair:
    """The two venvs of a group in a place of their own, and the ways to run something in them."""

    def __init__(self, place, interpreter):
        self.place = place
        self.interpreter = interpreter
        self.pins = []
        self.explained = []
        version = re.search(r"python(3\.\d+)$", interpreter).group(1)
        self.library = "lib/python%s/site-packages" % version

    def build(self, names, cached=True, wheels=()):
        """Resolves and installs with virtpy; has pip install exactly the same into a venv of real files.

        `wheels` are files of wheels that need nothing, and come last.
        """
        self.place.new("ours", self.interpreter)
        self.place.virtpy("add", "--venv", "ours", "--only-binary", ":all:", *names)
        self.pins = self.place.virtpy("freeze", "--venv", "ours")[0].split()
        wrong = [pin for pin in self.pins if not re.match(r"^[\w.-]+==\S+$", pin)]
        require(not wrong, "freeze prints something else than pins: %s" % wrong[:5])
        # pip runs from a venv of its own, so that the one of real files has what is pinned and nothing else.
        self.place.run([self.interpreter, "-m", "venv", "installer"])
        self.place.run([self.interpreter, "-m", "venv", "--without-pip", "real"])
        command = [self.place.path("installer/bin/python"), "-m", "pip", "--python", self.place.path("real")]
        command += ["install", "--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:"]
        command += [] if cached else ["--no-cache-dir"]
        with ThreadPoolExecutor(max_workers=PIPS) as pool:
            list(pool.map(self.place.run, (command + part for part in parts(self.pins))))
        if wheels:
            self.place.virtpy("add", "--venv", "ours", "--no-deps", *wheels)
            self.place.run(command + list(wheels))
        for venv in VENVS:
            self.place.path("home-" + venv).mkdir()

    def pinned(self, name):
        """Whether a distribution is among those installed; virtpy's own pip is none of them."""
        return any(pin.startswith(name + "==") for pin in self.pins)

    def environment(self, venv):
        """The environment in which a venv's programs run: a home of its own, and no screen."""
        environment = dict(self.place.environment)
        for name in list(environment):
            if name.startswith(("XDG_", "PYTEST_", "JUPYTER_")):
                environment.pop(name)
        environment.update(
            HOME=str(self.place.path("home-" + venv)),
            COLUMNS="200",
            PYTHONHASHSEED="0",
            QT_QPA_PLATFORM="offscreen",
            SDL_VIDEODRIVER="dummy",
            SDL_AUDIODRIVER="dummy",
            KIVY_NO_ARGS="1",
            NO_COLOR="1",
        )
        folder = str(self.place.path(venv) / "bin")
        environment["PATH"] = folder + os.pathsep + environment.get("PATH", os.defpath)
        return environment

    def run(self, venv, command, limit, extra=None):
        """Runs a venv's program in a fresh folder: its exit code, None if it took too long, and its text."""
        environment = self.environment(venv)
        environment.update(extra or {})
        folder = tempfile.mkdtemp(prefix="run-", dir=str(self.place.root))
        with tempfile.TemporaryFile(dir=str(self.place.root)) as output:
            process = subprocess.Popen(
                [str(argument) for argument in command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                end_session(process)
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        text = text.replace(folder, "FOLDER")
        shutil.rmtree(folder, ignore_errors=True)
        return code, text

    def python(self, venv, code, *arguments, **options):
        """Runs code with a venv's interpreter and returns what it printed; it must end well."""
        limit = options.pop("limit", 600)
        command = [self.place.path(venv) / "bin" / "python", "-c", code] + list(arguments)
        status, text = self.run(venv, command, limit, **options)
        require(status == 0, "python -c … in %s ended with %s:\n%s" % (venv, status, text))
        return text.strip()

    def compare(self, what, names, look):
        """Looks at each name in both venvs, twice if it differs there; fails unless they are alike.

        `look(venv, name)` returns a dict from kinds of facts to facts.
        """

        def differing(name):
            """The kinds of facts that differ, with both facts."""
            ours, real = look("ours", name), look("real", name)
            kinds = [kind for kind in sorted(set(ours) | set(real)) if ours.get(kind) != real.get(kind)]
            return {kind: (ours.get(kind), real.get(kind)) for kind in kinds}

        def twice(name):
            """What differs both times."""
            first = differing(name)
            again = differing(name) if first else {}
            return {kind: again[kind] for kind in first if kind in again}

        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            results = list(pool.map(twice, names))
        self.judge(what, dict(zip(names, results)))

    def judge(self, what, results):
        """Fails if a difference is not among the inherent ones, which are noted."""
        lines = []
        for name, kinds in results.items():
            for kind, (ours, real) in kinds.items():
                reason = inherent(kind, name)
                if reason:
                    self.explained.append("%s of %s: %s" % (kind, name, reason))
                else:
                    lines.append("    %s of %s: %s" % (kind, name, contrast(ours, real)))
        if lines:
            raise CheckFailed("%s: %d differences\n%s" % (what, len(lines), "\n".join(lines[:40])))


def end_session(process):
    """Ends a process that was started in a session of its own, with all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def contrast(ours, real):
    """Two facts that differ, in so far as they do."""
    if isinstance(ours, list) and isinstance(real, list):
        surplus = [item for item in ours if item not in real]
        lacking = [item for item in real if item not in ours]
        if surplus or lacking:
            return "too much: %s; missing: %s" % (surplus[:8], lacking[:8])
    if isinstance(ours, str) and isinstance(real, str):
        start = len(os.path.commonprefix([ours, real]))
        start = max(0, start - 60)
        ours, real = ours[start : start + 400], real[start : start + 400]
    return "%r instead of %r" % (ours, real)
