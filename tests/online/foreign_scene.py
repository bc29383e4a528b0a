"""Where a foreign installer acts: a venv of virtpy with its own store, as root or as an ordinary user."""

import csv
import hashlib
import json
import os
import stat
import subprocess

from foreign_installers import SETTINGS
from foreign_wheels import DATA, FILES, LIBRARIES, SCRIPTS, VERSIONS, modules
from support import CheckFailed, require, require_equal

# What importing each module gives, and what importlib.metadata says.
PROBE = """
import importlib, json, sys
from importlib.metadata import distributions
found = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        facts = [str(getattr(module, key)) for key in ("version", "number") if hasattr(module, key)]
        found[name] = " ".join(facts) if getattr(module, "__file__", None) else "a folder without code"
    except ModuleNotFoundError as problem:
        found[name] = "absent" if name.startswith(problem.name) else repr(problem)
    except Exception as problem:
        found[name] = type(problem).__name__
versions, missing = [], []
for distribution in distributions():
    versions.append([distribution.metadata["Name"], distribution.version])
    missing += [str(path) for path in distribution.files or [] if not path.locate().exists()]
print(json.dumps({"modules": found, "versions": sorted(versions), "missing": missing}))
"""


class Account:
    """Who runs the commands: the user of this process, or another one by its number."""

    def __init__(self, name, uid=None):
        self.name = name
        self.uid = uid
        self.is_root = uid is None and os.geteuid() == 0

    def command(self, arguments):
        """The command that runs these arguments as the account."""
        if self.uid is None:
            return list(arguments)
        user, group = "--reuid=%d" % self.uid, "--regid=%d" % self.uid
        # setpriv itself may still read what root may; what env starts may not.
        return ["setpriv", user, group, "--clear-groups", "--", "env"] + list(arguments)

    def make_folder(self, path):
        """Makes a folder that belongs to the account."""
        os.makedirs(str(path))
        if self.uid is not None:
            os.chown(str(path), self.uid, self.uid)


def expected_modules(pins):
    """What importing each module of every wheel has to give where these versions are installed."""
    present = {module for name, version in pins.items() for module in modules(name, version)}
    expected = {}
    for name in list(FILES) + list(LIBRARIES):
        for version in VERSIONS:
            for module in modules(name, version):
                if pins.get(name) == version:
                    expected[module] = expected_value(pins, name, module)
                elif module not in present:
                    inside = any(other.startswith(module + ".") for other in present)
                    expected[module] = "a folder without code" if inside else "absent"
    return expected


def expected_value(pins, name, module):
    """What importing a module of an installed distribution has to give."""
    version = pins[name]
    if name not in LIBRARIES or module.endswith(".pure"):
        if name in LIBRARIES and LIBRARIES[name] and "vp-elf-lib" not in pins:
            return "OSError"
        return version
    number = VERSIONS.index(version) + 1
    if LIBRARIES[name]:
        if "vp-elf-lib" not in pins:
            return "OSError"
        number = 10 * number + VERSIONS.index(pins["vp-elf-lib"]) + 1
    return "%s %d" % (version, number)


def snapshot(folder):
    """Every path below a folder with its mode, time and content; of __pycache__ only that it is there."""
    found = {}
    for here, folders, files in os.walk(str(folder)):
        relative = os.path.relpath(here, str(folder))
        for name in folders + files:
            path = os.path.join(here, name)
            facts = os.lstat(path)
            content, time = None, facts.st_mtime_ns
            if stat.S_ISLNK(facts.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(facts.st_mode):
                with open(path, "rb") as stream:
                    content = hashlib.sha256(stream.read()).hexdigest()
            elif name == "__pycache__":
                time = None
            key = os.path.normpath(os.path.join(relative, name))
            found[key] = (oct(facts.st_mode), facts.st_uid, time, content)
        folders[:] = [name for name in folders if name != "__pycache__"]
    return found


class Scene:
    """A folder with a venv at `.venv`, a store and a home, for one account and one tool."""

    def __init__(self, stage, account, label):
        self.stage = stage
        self.account = account
        self.label = "%s as %s" % (label, account.name)
        self.base = stage.place.path("%s-%s" % (account.name, label.replace(" ", "-")))
        self.attempt = 0
        self.folder = None
        self.known = {}
        self.complaints = []

    @property
    def venv(self):
        """The venv."""
        return self.folder / ".venv"

    @property
    def index_url(self):
        """The index of the wheels."""
        return self.stage.index.url

    @property
    def wheels(self):
        """The folder of the wheels."""
        return self.stage.wheels

    @property
    def site_packages(self):
        """The venv's site-packages."""
        return next((self.venv / "lib").glob("python*/site-packages"))

    def fresh(self, pins):
        """Begins again: an empty store, and a venv with these versions, which work."""
        self.attempt += 1
        self.folder = self.base / str(self.attempt)
        for path in (self.folder, self.folder / "h"):
            self.account.make_folder(path)
        self.known = {}
        self.virtpy("new", self.venv, "-p", self.stage.interpreter)
        self.add(pins)
        self.verify(pins)

    def environment(self, settings):
        """The environment of a command: the loopback index, a home of its own, no settings of the machine."""
        machine = self.stage.place.environment
        environment = {key: value for key, value in machine.items() if not SETTINGS.match(key)}
        environment.update(
            HOME=str(self.folder / "h"),
            VIRTPY_HOME=str(self.folder / "s"),
            PIP_INDEX_URL=self.index_url,
            PIP_CONFIG_FILE=os.devnull,
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            UV_DEFAULT_INDEX=self.index_url,
            UV_NO_CONFIG="1",
            UV_PYTHON_DOWNLOADS="never",
            NO_PROXY="127.0.0.1",
        )
        environment.update(settings or {})
        return environment

    def run(self, command, fails=False, settings=None):
        """Runs a command as the account and returns its two outputs."""
        environment = self.environment(settings)
        arguments = self.account.command(command)
        return self.stage.place.run(arguments, fails=fails, environment=environment, cwd=self.folder)

    def virtpy(self, *arguments, **options):
        """Runs the program under test."""
        return self.run([self.stage.program] + list(arguments), **options)

    def write(self, name, text):
        """Writes a file that belongs to the account."""
        path = self.folder / name
        path.write_text(text)
        if self.account.uid is not None:
            os.chown(str(path), self.account.uid, self.account.uid)

    def delete(self, name):
        """Deletes a file, if it is there."""
        if (self.folder / name).exists():
            (self.folder / name).unlink()

    def add(self, pins, venv=None):
        """Lets virtpy install these versions."""
        pins = ["%s==%s" % item for item in pins.items()]
        self.virtpy("add", "--quiet", "--venv", venv or self.venv, *pins)

    def add_past_leftovers(self, pins):
        """Lets virtpy install, and does what its hint says about paths that a failed tool left behind."""
        leftovers = self.orphans()
        for _ in range(len(leftovers) + 1):
            try:
                self.add(pins)
                return
            except CheckFailed as problem:
                require_equal(self.orphans(), leftovers, "another tool's files after a refused add")
                named = [path for path in leftovers if "/%s` is in the way" % path in str(problem)]
                if not named:
                    raise
                (self.site_packages / named[0]).rename(self.folder / "h" / named[0].replace(os.sep, "-"))
                leftovers = self.orphans()

    def remove(self, names):
        """Lets virtpy remove distributions."""
        self.virtpy("remove", "--quiet", "--venv", self.venv, *names)

    def versions(self):
        """What virtpy lists, as a dict from names to versions."""
        listed = json.loads(self.virtpy("list", "--json", "--venv", self.venv)[0])
        return {row["name"]: row["version"] for row in listed}

    def store(self):
        """A snapshot of the store's entries."""
        return snapshot(self.folder / "s" / "w")

    def changes(self):
        """The entries of the store that are not as virtpy made them: what happened, by entry."""
        now, found = self.store(), {}
        for path in sorted(set(now) | set(self.known)):
            before, after = self.known.get(path), now.get(path)
            if before != after:
                word = "added" if before is None else "gone" if after is None else "changed"
                line = "%s %s (%s, %s)" % (path, word, before, after)
                found.setdefault(path.split(os.sep)[0], []).append(line)
        return found

    def owner(self, entry):
        """The name of the distribution that an entry of the store holds."""
        return json.loads((self.folder / "s" / "w" / entry / "entry.json").read_text())["name"]

    def require_store_unchanged(self, what):
        """The store is as virtpy left it, and says so itself."""
        lines = [line for lines in self.changes().values() for line in lines]
        if lines:
            text = "\n  ".join(lines[:12])
            raise CheckFailed("the store after %s: %d changes\n  %s" % (what, len(lines), text))
        if self.stage.can_verify:
            self.virtpy("store", "verify")

    def accept_new_entries(self):
        """After a command of virtpy: the known entries are unchanged, those that came are known now."""
        entries = {path.split(os.sep)[0] for path in self.known}
        lines = [line for entry, lines in self.changes().items() if entry in entries for line in lines]
        require(not lines, "virtpy changed its store\n  " + "\n  ".join(lines[:12]))
        self.known = self.store()

    def probe(self, venv=None):
        """What the interpreter of a venv finds."""
        names = sorted(expected_modules({}))
        return json.loads(self.run([(venv or self.venv) / "bin/python", "-I", "-c", PROBE] + names)[0])

    def verify(self, pins, foreign=None, installer=None, leavings=False):
        """These versions and nothing else are installed, for Python and virtpy; some are another tool's.

        Folders without code may be left where `leavings` says so: real pip leaves some in other venvs too.
        """
        found = self.probe()
        if leavings:
            expected = expected_modules(pins)
            for module, value in found["modules"].items():
                if value == "a folder without code" and expected[module] == "absent":
                    found["modules"][module] = "absent"
        require_equal(found["versions"], sorted(map(list, pins.items())), "metadata")
        require_equal(found["modules"], expected_modules(pins), "imports")
        require_equal(found["missing"], [], "files of RECORD that are not there")
        require_equal(self.versions(), pins, "virtpy list")
        self.verify_other_files(pins)
        orphans = self.orphans()
        if leavings:
            orphans = [path for path in orphans if not (self.site_packages / path).is_dir()]
        require_equal(orphans, [], "paths that belong to no distribution")
        output = self.check_venv()
        for name in pins:
            sentence = "%s %s was installed by" % (name, pins[name])
            if name in (foreign or ()):
                sentence += " " + installer
                require(sentence in output, "check does not say %r:\n%s" % (sentence, output))
            else:
                require(sentence not in output, "check takes %s for foreign:\n%s" % (name, output))
        if not foreign:
            self.accept_new_entries()

    def check_venv(self):
        """What `virtpy check` prints; that it finds something wrong is a complaint, and the scene goes on."""
        command = self.account.command([str(self.stage.program), "check", "--venv", str(self.venv)])
        done = subprocess.run(
            command,
            cwd=str(self.folder),
            env=self.environment(None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        if done.returncode != 0:
            notes = ("was installed by", "was removed or replaced by another installer")
            lines = [line for line in done.stdout.splitlines() if not any(note in line for note in notes)]
            self.complaints.append("virtpy check ends with %d\n  %s" % (done.returncode, "\n  ".join(lines)))
        return done.stdout

    def verify_other_files(self, pins):
        """The scripts and data files are those of the versions."""
        for name in SCRIPTS:
            script = self.venv / "bin" / (name + "-tool")
            if name in pins:
                require_equal(self.run([script])[0].strip(), pins[name], "what %s-tool prints" % name)
            require_equal(os.path.lexists(str(script)), name in pins, "whether there is " + script.name)
        for name in DATA:
            data = self.venv / "share" / name / "data.txt"
            if name in pins:
                require_equal(data.read_text(), pins[name], "the data file of " + name)
            require_equal(os.path.lexists(str(data)), name in pins, "whether there is a data file of " + name)

    def orphans(self):
        """The paths in site-packages that no RECORD names, beside bytecode and virtpy's markers."""
        site_packages = str(self.site_packages)
        owned = set()
        for record in self.site_packages.glob("vp_*.dist-info/RECORD"):
            with open(str(record), newline="") as stream:
                for row in csv.reader(stream):
                    path = row[0]
                    while path and path not in owned:
                        owned.add(path)
                        path = os.path.dirname(path)
        found = []
        for here, folders, files in os.walk(site_packages):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in folders + files:
                path = os.path.relpath(os.path.join(here, name), site_packages)
                if path.startswith("vp_") and name != ".virtpy" and path not in owned:
                    found.append(path)
        return sorted(found)

    def layout(self):
        """What stands in the venv: the kind, mode and target of every path, without bytecode."""
        found = {}
        for top_folder in (self.site_packages, self.venv / "bin", self.venv / "share"):
            for here, folders, files in os.walk(str(top_folder)):
                folders[:] = [name for name in folders if name != "__pycache__"]
                for name in folders + files:
                    path = os.path.join(here, name)
                    target = os.readlink(path) if os.path.islink(path) else None
                    found[os.path.relpath(path, str(self.venv))] = (oct(os.lstat(path).st_mode), target)
        return found
