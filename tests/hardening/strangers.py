"""Venvs that somebody else made: planted above a folder, shipped with a repository, or blocking whoever reads them. Nothing
of them is run, nothing outside is touched, and nobody waits."""

import ctypes
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import tracing
from support import Place, can_mount, differences, is_root, ordinary_user, remove_tree, require, snapshot
from wheels import make_wheels

# Commands that look for a venv, and what each is given here.
LOOKING = (
    "list", "check", "freeze", "tree", "show hd-plain", "pip list", "pip check", "pip download hd-plain --no-index",
    "add --dry-run --no-index hd-plain", "add --no-index hd-plain", "remove hd-plain", "relink", "sync --dry-run",
    "run --offline python -c 1", "python list", "python find", "detach hd-plain", "list-all", "new other",
)

# Commands that change a venv, or what they find in its place.
CHANGING = (
    "add INDEX hd-alpha", "add INDEX hd-data-one", "remove hd-plain", "relink INDEX", "detach hd-plain",
    "sync INDEX requirements.txt", "list", "check", "pip list", "pip download hd-plain INDEX", "new --clear .venv",
    "export exported", "store gc --grace 0s --remove", "store repair INDEX",
)

# What becomes of a program that reads without measure.
LIMITED = ["sh", "-c", 'ulimit -v 3000000; exec "$@"', "-"]


def words(place, command):
    """A command line of virtpy."""
    known = {"INDEX": place.index}
    found = [place.program]
    for word in command.split():
        found += known.get(word, [word])
    return found


def planted(place, user):
    """A user plants a `.venv` above the folder in which somebody works: its programs are not run."""
    place.begin()
    shared = place.folder(place.root / "shared")
    (shared / "work" / "deep").mkdir(parents=True)
    shared.chmod(0o1777)
    ran = shared / "ran"
    script = (
        "mkdir -p .venv/bin .venv/lib/python3.11/site-packages\n"
        "printf '#!/bin/sh\\ntouch %s\\nexec %s \"$@\"\\n' > .venv/bin/python\n"
        "cp .venv/bin/python .venv/bin/pip; chmod 755 .venv/bin/*\n"
        "echo 'import os; open(\"%s\", \"w\")' > .venv/lib/python3.11/site-packages/a.pth\n"
        "printf 'home = %s\\nversion = 3.11.2\\nvirtpy-id = 0123456789abcdef\\nvirtpy-library = python3.11\\n'"
        " > .venv/pyvenv.cfg"
    ) % (ran, user.python, ran, os.path.dirname(user.python))
    done = place.attempt(["sh", "-c", script], account=user, folder=shared)
    require(done.code == 0, str(done))
    # Otherwise this shows nothing.
    place.attempt([shared / ".venv" / "bin" / "python", "-c", "1"])
    require(ran.exists(), "the planted program does not tell that it ran")
    for command in LOOKING:
        if ran.exists():
            ran.unlink()
        done = place.attempt(words(place, command), folder=shared / "work" / "deep")
        require(not ran.exists(), "runs the planted program: %s" % done)
        require(done.code in (0, 1, 2) and "panicked" not in done.err, str(done))
    remove_tree(shared)
    return "%d commands of root below another user's `.venv` ran nothing of it" % len(LOOKING)


def obstacles(user, config):
    """What may stand where a `pyvenv.cfg` is read, by name: the command that makes it."""
    yield "a FIFO", ["mkfifo", config]
    yield "a link to an endless device", ["ln", "-s", "/dev/zero", config]
    yield "a file of a tebibyte", ["truncate", "-s", "1T", config]


def blocked(place, user):
    """Something that never ends stands beside a venv that is gone: collections end, and nobody waits for them."""
    place.begin()
    place.new()
    place.add("hd-plain==1.0")
    shared = place.folder(place.root / "shared")
    shared.chmod(0o1777)
    config = shared / "theirs" / ".venv" / "pyvenv.cfg"
    done = place.attempt(["mkdir", "-p", config.parent], account=user)
    require(done.code == 0, str(done))
    commands = ["add INDEX hd-alpha", "remove hd-alpha", "list", "pip list", "check", "list-all", "store stats",
                "store why hd-plain", "python list", "store gc --grace 0s --remove"]
    count = 0
    for what, make in obstacles(user, config):
        gone = shared / "gone"
        place.folder(gone)
        place.new(gone / ".venv")
        place.add("hd-plain==2.0", venv=gone / ".venv")
        remove_tree(gone)
        done = place.attempt(make, account=user)
        require(done.code == 0, str(done))
        collector = place.start(LIMITED + words(place, "store gc --grace 0s --remove"))
        for number, command in enumerate(commands):
            environment = dict(place.environment, VIRTPY_STORE_MAX_AGE="1s") if number % 2 else None
            begin = time.monotonic()
            line = LIMITED + words(place, command)
            done = place.attempt(line, environment, timeout=20, folder=place.project)
            took = time.monotonic() - begin
            require(done.code == 0 and took < 10, "beside %s, %.1f s: %s" % (what, took, done))
            count += 1
        out, err = collector.communicate(timeout=20)
        require(collector.returncode == 0, "beside %s the collection: %s%s" % (what, out, err))
        config.unlink()
        require(place.evaluate("import hd_plain; print(hd_plain.version)") == "1.0", "what is used is gone")
    remove_tree(shared)
    return "%d commands ended beside FIFOs, devices and endless files, collections too" % count


def obstructed_projects(place):
    """A repository ships links to an endless device in place of what virtpy reads: every command ends."""
    place.begin()
    count = 0
    names = {
        ".venv/pyvenv.cfg": "list", "pyproject.toml": "sync", "requirements.txt": "sync requirements.txt",
        "pylock.toml": "sync pylock.toml", "uv.lock": "sync uv.lock", "poetry.lock": "poetry-install",
        ".python-version": "new", ".venv/.virtpy/state.json": "check", ".venv/.virtpy/journal.json": "list",
    }
    for name, command in names.items():
        folder = place.folder(place.project / str(count))
        (folder / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n[tool.poetry]\nname = 'x'\n")
        if name != ".python-version":
            place.new(folder / ".venv")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.unlink()
        path.symlink_to("/dev/zero")
        done = place.attempt(LIMITED + words(place, command), timeout=20, folder=folder)
        require(done.code in (0, 1, 2) and "panicked" not in done.err, "%s is endless: %s" % (name, done))
        count += 1
    return "%d commands ended that were to read an endless device" % count


class Repository:
    """A project with a venv, and a folder outside of which everything is precious."""

    def __init__(self, place):
        self.place, self.venv = place, place.venv
        self.outside = place.project / "outside"
        place.begin()
        place.new()
        place.add("hd-plain==1.0", "hd-share-one==1.0", "hd-share-two==1.0")
        (place.project / "requirements.txt").write_text("hd-alpha==1.0\n")
        self.site = next(self.venv.glob("lib/*/site-packages"))
        for name in ("trash/deep/f", "trash/0", "state.json", "journal.json", "unfinished", "f.txt", "bin/activate",
                     "bin/python", "bin/hd-alpha", "hd_share/two_1_0.py", "site/hd_plain/__init__.py",
                     "python3/site-packages/x", "__pycache__/x.pyc"):
            path = self.outside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("precious\n")
        (self.outside / "empty").mkdir()
        place.keep("repository")

    def link(self, name, target):
        """Has a link in place of something in the venv."""
        path = self.venv / name
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        elif os.path.lexists(str(path)):
            path.unlink()
        path.symlink_to(target)

    def moved(self, name):
        """Moves a folder of the venv outside, and has a link in its place."""
        shutil.move(str(self.venv / name), str(self.outside / "moved"))
        self.link(name, self.outside / "moved")

    def journal(self, created, removed):
        """Has the journal of a change that was not finished."""
        trash = self.venv / ".virtpy" / "trash"
        trash.mkdir(exist_ok=True)
        for slot in "01":
            (trash / slot).write_text("evil\n")
        text = json.dumps({"change": "ffffffffffffffff", "created": created, "removed": removed})
        (self.venv / ".virtpy" / "journal.json").write_text(text)

    def journal_to(self, prefix):
        """Has a journal that names what lies outside."""
        created = [prefix + name for name in ("/f.txt", "/empty", "/__pycache__")]
        links = [{"link": [prefix + "/new", "/etc"]}, {"folder": prefix + "/newer"}]
        self.journal(created, [{"file": [prefix + "/f.txt", 0]}] + links)

    def through_a_link(self):
        """Has a journal that names what lies behind a link of the venv."""
        self.link("out", self.outside)
        self.journal_to("out")

    def key(self, name, value):
        """Changes a key of pyvenv.cfg."""
        path = self.venv / "pyvenv.cfg"
        lines = [line for line in path.read_text().splitlines() if not line.startswith(name + " =")]
        path.write_text("\n".join(lines + ["%s = %s" % (name, value)]) + "\n")

    def metadata_outside(self):
        """Has a state that names a metadata folder outside."""
        path = self.venv / ".virtpy" / "state.json"
        state = json.loads(path.read_text())
        for one in state["distributions"]:
            one["dist_info"] = os.path.relpath(str(self.outside / "trash"), str(self.site))
        path.write_text(json.dumps(state))

    def cases(self):
        """What a repository may ship, by name."""
        outside, site = self.outside, os.path.relpath(str(self.site), str(self.venv))
        share = site + "/hd_share"
        return {
            "`.virtpy` is a link": lambda: self.link(".virtpy", outside),
            "the trash is a link": lambda: (self.journal([], []), self.link(".virtpy/trash", outside / "trash")),
            "the state is a link": lambda: self.link(".virtpy/state.json", outside / "f.txt"),
            "the journal is a link": lambda: self.link(".virtpy/journal.json", outside / "f.txt"),
            "`bin` is a link": lambda: self.link("bin", outside / "bin"),
            "`lib` is a link": lambda: self.link("lib", outside),
            "`include` is a link": lambda: self.link("include", outside),
            "site-packages is a link": lambda: self.link(site, outside / "site"),
            "site-packages was moved outside": lambda: self.moved(site),
            "a shared folder is a link": lambda: self.link(share, outside / "hd_share"),
            "a shared folder was moved outside": lambda: self.moved(share),
            "the whole venv is a link": lambda: (remove_tree(self.venv), self.venv.symlink_to(outside)),
            "the venv is a link to the store": lambda: (remove_tree(self.venv), self.venv.symlink_to(self.place.home)),
            "a journal climbs": lambda: self.journal_to(os.path.relpath(str(outside), str(self.venv))),
            "a journal has absolute paths": lambda: self.journal_to(str(outside)),
            "a journal goes through a link": self.through_a_link,
            "a journal makes the link first": lambda: self.journal(
                ["a/f.txt"], [{"file": ["a/f.txt", 0]}, {"link": ["a", str(outside)]}]),
            "the state names metadata outside": self.metadata_outside,
            "the store is named": lambda: self.key("virtpy-store", outside),
            "the store is named by a relative path": lambda: self.key("virtpy-store", "../outside"),
            "the id climbs": lambda: self.key("virtpy-id", "../../p/outside/f"),
            "the library climbs": lambda: self.key("virtpy-library", "../../outside"),
        }


def shipped(place, commands):
    """A repository ships a venv that was made by hand: nothing outside it changes, and other venvs go on."""
    repository = Repository(place)
    other = place.root / "other"
    place.new(other)
    place.add("hd-plain==1.0", venv=other)
    remove_tree(place.root / "scenes")
    place.keep("repository")
    count, cases = 0, repository.cases()
    for name, make in cases.items():
        for command in commands:
            place.restore("repository")
            make()
            # What was moved there belongs to what is precious too.
            expected = snapshot(repository.outside)
            done = place.attempt(words(place, command), timeout=60, folder=place.project)
            require(done.code in (0, 1, 2) and "panicked" not in done.err, "%s: %s" % (name, done))
            lines = differences(snapshot(repository.outside), expected)
            require(not lines, "%s: what is outside was changed:\n%s\n%s" % (name, lines, done))
            count += 1
        place.virtpy("store", "verify")
        require(place.evaluate("import hd_plain; print(hd_plain.version)", other) == "1.0", "%s: %s" % (name, done))
    return "%d commands on %d venvs made by hand touched nothing outside" % (count, len(cases))


class Swapper(threading.Thread):
    """Somebody who exchanges a folder of a venv and a link, as fast as he can."""

    def __init__(self, real, link):
        super().__init__()
        self.names, self.swaps, self.ended = (os.fsencode(str(real)), os.fsencode(str(link))), 0, False
        self.libc = ctypes.CDLL(None, use_errno=True)

    def run(self):
        while not self.ended:
            # AT_FDCWD, RENAME_EXCHANGE. The venv itself may not be there for a moment.
            self.swaps += self.libc.renameat2(-100, self.names[0], -100, self.names[1], 2) == 0

    def end(self):
        """Lets it come to its end, and returns how often it exchanged them."""
        self.ended = True
        self.join()
        return self.swaps


def swapped(place, rounds):
    """Folders of a venv become links and folders again while commands work in it: nothing outside changes. So it is too
    where openat2 is refused, as old kernels and old containers do."""
    if (place.root / "scenes").exists():
        remove_tree(place.root / "scenes")
    repository = Repository(place)
    site = os.path.relpath(str(repository.site), str(repository.venv))
    folders = [".virtpy", "bin", "lib", site, site + "/hd_share", ""]
    for folder in folders[1:]:
        for path in sorted((repository.venv / folder).rglob("*")):
            target = repository.outside / path.relative_to(repository.venv)
            if path.is_dir() and not path.is_symlink():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text('{"precious": true}\n')
    for name in ("trash/0", "state.json", "journal.json", "unfinished"):
        path = repository.outside / ".virtpy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"precious": true}\n')
    place.keep("swapped")
    ways = [[]]
    if tracing.available():
        ways.append(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat2",
                     "-e", "inject=openat2:error=EPERM"])
    count, swaps, done_whole = 0, 0, 0
    for number, command in itertools.product(range(rounds), CHANGING):
        for folder, way in itertools.product(folders, ways):
            place.restore("swapped")
            link = place.project / "link"
            link.symlink_to(repository.outside / folder)
            expected = snapshot(repository.outside)
            swapper = Swapper(os.path.normpath(str(repository.venv / folder)), link)
            swapper.start()
            done = place.attempt(way + words(place, command), timeout=120, folder=place.project)
            swaps += swapper.end()
            require(done.code in (0, 1) and "panicked" not in done.err, "%s: %s" % (folder, done))
            lines = differences(snapshot(repository.outside), expected)
            require(not lines, "`%s` was swapped: what is outside was changed:\n%s\n%s" % (folder, lines, done))
            count += 1
            done_whole += done.code == 0
    require(swaps > count and done_whole > count // 20, "%d swaps, %d of %d commands" % (swaps, done_whole, count))
    return "%d commands (%d succeeded) with %d swaps of folders and links touched nothing outside" % (
        count, done_whole, swaps)


def mounted(place):
    """A disk that is mounted in a venv or in the store is not emptied with what is around it."""
    place.begin()
    place.new()
    place.add("hd-plain==1.0")
    outside = place.folder(place.project / "outside")
    (outside / "precious").write_text("x")
    for inner in ("lib", ".virtpy", "share"):
        target = place.venv / inner / "mounted"
        target.mkdir(parents=True)
        subprocess.run(["mount", "--bind", str(outside), str(target)], check=True)
        try:
            for command in ("new --clear .venv", "add INDEX hd-alpha", "remove hd-alpha", "relink INDEX"):
                done = place.attempt(words(place, command), folder=place.project)
                require(done.code in (0, 1) and "panicked" not in done.err, str(done))
                require(os.listdir(str(outside)) == ["precious"], "%s emptied what is mounted: %s" % (command, done))
        finally:
            subprocess.run(["umount", str(target)], check=True)
        target.rmdir()
    for inner in ("tmp/.tmpleft", "tmp/removed-0123456789abcdef/deep", "cache/resolver", "compiling/staged/deep"):
        target = place.home / inner
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(outside), str(target)], check=True)
        try:
            for command in ("store gc --remove", "cache clean", "store compile"):
                done = place.attempt(words(place, command), folder=place.project)
                require(done.code in (0, 1) and "panicked" not in done.err, str(done))
                require(os.listdir(str(outside)) == ["precious"], "%s emptied what is mounted: %s" % (command, done))
        finally:
            subprocess.run(["umount", str(target)], check=True)
    return "what is mounted in a venv and in the store stayed"


def check(arguments):
    """Runs the strangers. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    user = ordinary_user()
    try:
        make_wheels(place.wheels)
        place.environment["VIRTPY_PIP_SHIM"] = "1"
        yield shipped(place, CHANGING[:3] + ("new --clear .venv",) if arguments.quick else CHANGING)
        yield obstructed_projects(place)
        if sys.platform == "linux":
            yield swapped(place, 1 if arguments.quick else 5)
        else:
            yield "skipped: swapped folders, for want of renameat2"
        if is_root() and user is not None:
            place.root.chmod(0o755)
            yield blocked(place, user)
            yield planted(place, user)
        else:
            yield blocked(place, place.account)
            yield "skipped: venvs of another user, for want of root, setpriv or an interpreter for everybody"
        yield mounted(place) if can_mount() else "skipped: what is mounted in a venv, for want of root"
    finally:
        if not arguments.keep:
            place.remove()
