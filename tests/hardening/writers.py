"""Whoever writes where they should not: programs that keep caches beside their code, editors, owners that change, and
disks that are full while bytecode is written. What one venv does is seen in no other, or found and mended."""

import os
import random
import subprocess
import sys
import time

from disks import SmallDisk
from support import Account, NOBODY, Place, can_mount, differences, is_root, ordinary_user, require, snapshot
from wheels import write_contents

# Says what it is, and keeps for the next time what it computed by way of another distribution: as compilers of machine
# code and of macros do, beside itself if that can be written, and valid as long as it is unchanged itself.
CACHING = """
import os
import hw_other

folder = os.path.join(os.path.dirname(__file__), "__pycache__")
path = os.path.join(folder, "%s.cache" % os.path.basename(__file__))
try:
    with open(path) as file:
        value = int(file.read())
except OSError:
    value = hw_other.value * 10
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w") as file:
            file.write(str(value))
    except OSError:
        pass
"""

# Bytecode that fits the source by its time and size, but is of other code.
FORGE = """
import importlib.util, marshal, os, struct, sys
import hw_plain
source = os.path.realpath(hw_plain.__file__)
facts = os.stat(source)
path = importlib.util.cache_from_source(source)
if len(sys.argv) > 1:
    os.chmod(os.path.dirname(path), 0o755)
head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(facts.st_mtime), facts.st_size)
code = marshal.dumps(compile("value = 666", hw_plain.__file__, "exec"))
with open(path + ".new", "wb") as file:
    file.write(head + code)
os.rename(path + ".new", path)
"""

PLAIN, SHARED = "import hw_plain; print(hw_plain.value)", "import hw_space.one as m; print(m.value)"


def make_wheels(folder):
    """Makes the wheels of this suite."""
    folder.mkdir()
    large = "values = [%s]\nvalue = 1\n" % ", ".join("'%d'" % number for number in range(60000))
    one = {"hw_plain/__init__.py": "value = 1\n", "hw_space/one.py": "value = 1\n", "hw_single.py": "value = 1\n"}
    write_contents(folder, "hw-one", "1.0", one)
    write_contents(folder, "hw-two", "1.0", {"hw_space/two.py": "value = 1\n", "hw_two/__init__.py": ""})
    for version in ("1.0", "2.0"):
        write_contents(folder, "hw-other", version, {"hw_other/__init__.py": "value = %s\n" % version[0]})
    write_contents(folder, "hw-caching", "1.0", {"hw_caching/__init__.py": CACHING, "hw_space/cached.py": CACHING})
    large_files = {"hw_large/__init__.py": "", "hw_large/data.py": large}
    write_contents(folder, "hw-large", "1.0", large_files)


def bytecode(place, mode):
    """An environment in which Python writes bytecode where it can, and virtpy compiles as `mode` says."""
    environment = dict(place.environment, VIRTPY_BYTECODE=mode)
    del environment["PYTHONDONTWRITEBYTECODE"]
    return environment


def venvs(place, names, *wanted, **options):
    """Makes venvs that have the same packages."""
    link_mode = options.pop("link_mode", None)
    for name in names:
        place.new(place.project / name, *(["--link-mode", link_mode] if link_mode else []))
        place.add(*wanted, venv=place.project / name, **options)
    return [place.project / name for name in names]


def content(place):
    """Everything in the entries of the store, with modes."""
    return snapshot(place.home / "w")


def edited_in_place(place, modes):
    """Rights and content of a venv's own files are changed: the store and other venvs stay as they are."""
    for mode in modes:
        place.begin()
        mine, other = venvs(place, ["mine", "other"], "hw-one", "hw-two", link_mode=mode)
        before = content(place)
        edit = (
            "chmod -R u+w mine && find mine -type f -name '*.py' -exec sh -c 'echo value = 666 >> \"$1\"' - {} \\; &&"
            " find mine -type f -path '*dist-info*' -exec sh -c 'echo >> \"$1\"' - {} \\; && touch -ch mine/lib/*/*/*"
        )
        done = place.attempt(["sh", "-c", edit], folder=place.project)
        require(done.code == 0, str(done))
        require_untouched(place, before, other)
        if is_privileged(place):
            continue
        # Writes that take no right first, through whatever the names lead to.
        for path in sorted(mine.glob("lib/*/site-packages/hw_*/*.py")):
            place.attempt(["sh", "-c", 'printf "value = 6\\n" 1<> "$1"', "-", path])
        require_untouched(place, before, other)
    return "%s: changed rights and files in place, in venvs of %s" % (place.account, " and ".join(modes))


def require_untouched(place, before, other):
    """The store is as it was, and so is what another venv imports."""
    lines = differences(content(place), before)
    require(not lines, "the store has changed:\n%s" % lines)
    for code in (PLAIN, SHARED):
        found = place.evaluate(code, other)
        require(found == "1", "another venv imports what was written: %s" % found)
    place.virtpy("store", "verify")
    place.virtpy("check", "--venv", other)


def is_privileged(place):
    """Whether what runs the commands may write into read-only files, so that the store can only find it afterwards."""
    return is_root() and not place.account.prefix


def handed_over(place, user):
    """Root installs for a user and hands the project over: what the user writes there, root runs nowhere."""
    place.begin()
    for venv in ("theirs", "mine"):
        folder = place.project if venv == "theirs" else place.folder(place.root / "roots-own")
        place.new(folder / ".venv")
        place.add("hw-one", "hw-two", venv=folder / ".venv")
    own = place.root / "roots-own" / ".venv"
    place.home.chmod(0o700)
    before = content(place)
    subprocess.run(["chown", "-R", "%d" % user.number, str(place.project)], check=True)
    write = "find %s -type f -name '*.py' -exec chmod u+w {} + -exec sh -c 'echo value = 666 >> \"$1\"' - {} \\;"
    done = place.attempt(["sh", "-c", write % place.venv], account=user)
    require(done.code == 0, str(done))
    lines = differences(content(place), before)
    require(not lines, "root's store has changed:\n%s" % lines)
    inodes = {(facts.st_dev, facts.st_ino) for facts in files_below(place.home / "w")}
    shared = [facts for facts in files_below(place.project) if (facts.st_dev, facts.st_ino) in inodes]
    require(not shared, "%d files of the venv are the store's own" % len(shared))
    for code in (PLAIN, SHARED):
        require(place.evaluate(code, own) == "1", "root runs what the user wrote")
    place.virtpy("store", "verify")
    return "a project that root handed over, and whose user wrote into it, changed nothing of root's"


def files_below(folder):
    """The facts of all regular files below a folder."""
    for parent, _, names in os.walk(str(folder)):
        for name in names:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                yield os.lstat(path)


def forced_edit(place):
    """An editor that takes the right to write first changes a module for all venvs: it is found and mended."""
    place.begin()
    mine, other = venvs(place, ["mine", "other"], "hw-one", "hw-two")
    site = next(mine.glob("lib/*/site-packages"))
    for name, keeps_time in (("hw_plain/__init__.py", False), ("hw_single.py", False), ("hw_space/one.py", True)):
        path = os.path.realpath(str(site / name))
        if keeps_time:
            edit = 'touch -r "$1" time && chmod u+w "$1" && echo "value = 6" > "$1" && touch -r time "$1" && chmod u-w "$1"'
        else:
            edit = 'chmod u+w "$1" && echo "value = 6" > "$1" && touch -d "+1 minute" "$1"'
        done = place.attempt(["sh", "-c", edit, "-", path], folder=place.project)
        require(done.code == 0, str(done))
        commands = [["store", "verify"]] + ([] if keeps_time else [["check", "--venv", other]])
        for command in commands:
            done = place.attempt([place.program] + command)
            require(done.code == 1 and name in done.out, "%s: not found: %s" % (name, done))
        place.virtpy("store", "repair", *place.index)
        place.virtpy("store", "verify")
        place.virtpy("check", "--venv", other)
        module = name.replace("/__init__", "").replace("/", ".")[:-3]
        found = place.evaluate("import %s as m; print(m.value)" % module, other)
        require(found == "1", "%s is not mended: %s" % (name, found))
    return "%s: three forced writes through links were found by verify and check, and mended" % place.account


def caches_of_code(place, environment, is_kept_out):
    """What a package keeps beside its code is not what another venv, with other packages, computes with."""
    place.begin()
    codes = ["import hw_caching as m; print(m.value)", "import hw_space.cached as m; print(m.value)"]
    for version in ("1.0", "2.0"):
        venv = place.project / version
        place.new(venv)
        done = place.add("hw-other==" + version, "hw-caching", "hw-one", venv=venv, environment=environment)
        for _ in range(2):
            for code in codes:
                done = place.evaluate(code, venv, environment=environment)
                if is_kept_out:
                    require(done == version[0] + "0", "with version %s: %s" % (version, done))
    if not is_kept_out:
        done = place.attempt([place.program, "store", "verify"], environment)
        require(done.code == 1 and ".cache" in done.out, "what root's Python left is not found: %s" % done)
        place.virtpy("store", "repair", environment=environment)
        found = place.evaluate(codes[0], place.project / "2.0", environment=environment)
        require(found == "20", "after repair: %s" % found)
        place.virtpy("store", "repair", environment=environment)
    place.virtpy("store", "verify", environment=environment)
    how = "keep what they compute out of other venvs" if is_kept_out else "are found and mended where root's Python ran"
    return "%s: caches beside code %s" % (place.account, how)


def forged_bytecode(place):
    """Bytecode of other code among the store's: no program can put it there; what is forced is found and mended."""
    for mode in ("off", "eager"):
        environment = bytecode(place, mode)
        place.begin()
        mine, other = venvs(place, ["mine", "other"], "hw-one", environment=environment)
        done = place.attempt([mine / "bin" / "python", "-c", FORGE], environment)
        if not is_privileged(place):
            require(done.code != 0 and "PermissionError" in done.err, "could be written: %s" % done)
            found = place.evaluate(PLAIN, other, environment=environment)
            require(found == "1", "another venv runs it: %s" % found)
            place.virtpy("store", "verify", environment=environment)
        done = place.attempt([mine / "bin" / "python", "-c", FORGE, "force"], environment)
        require(done.code == 0, str(done))
        # Otherwise this shows nothing.
        found = place.evaluate(PLAIN, other, environment=environment)
        require(found == "666", "the forged bytecode is not what runs: %s" % found)
        done = place.attempt([place.program, "store", "verify"], environment)
        require(done.code == 1 and "hw_plain" in done.out, "not found: %s" % done)
        place.virtpy("store", "repair", environment=environment)
        found = place.evaluate(PLAIN, other, environment=environment)
        require(found == "1", "not mended: %s" % found)
        if is_privileged(place):  # Its Python may have written again.
            place.virtpy("store", "repair", environment=environment)
        place.virtpy("store", "verify", environment=environment)
    return "%s: forged bytecode was kept out or found, and mended" % place.account


class Compilation:
    """Two venvs with a module whose bytecode is large, and what may come of its compilation."""

    def __init__(self, place):
        self.place, self.environment = place, bytecode(place, "off")
        self.venvs = venvs(place, ["one", "two"], "hw-large", environment=self.environment)
        self.count = 0

    def require_sound(self, what, was_killed=False):
        """Every venv imports the module, and nothing is wrong in the store.

        Who was killed while a folder could be written leaves it so, and the next pass closes it.
        """
        for venv in self.venvs:
            done = self.place.attempt([venv / "bin" / "python", "-B", "-c", "import hw_large.data as m; print(m.value)"])
            require(done.code == 0 and done.out.strip() == "1", "%s: %s" % (what, done))
        if was_killed:
            done = self.place.attempt([self.place.program, "store", "verify"], self.environment)
            found = [line for line in (done.out + done.err).splitlines() if line.startswith("hw-large ")]
            require(all(line.endswith("can be written") for line in found), "%s: %s" % (what, done))
            if found:
                self.compile()
        self.place.virtpy("store", "verify", environment=self.environment)
        self.count += 1

    def compile(self, prefix=()):
        """Compiles, whatever comes of it."""
        done = self.place.attempt(list(prefix) + [self.place.program, "store", "compile"], self.environment)
        require("panicked" not in done.err, str(done))
        return done

    def forget(self):
        """Has no bytecode, as after the next installation."""
        code = "import hw_large.data as m, os; print(os.path.realpath(m.__file__))"
        path = self.place.evaluate("import sys; sys.dont_write_bytecode = True; " + code, self.venvs[0])
        folder = os.path.join(os.path.dirname(path), "__pycache__")
        os.chmod(folder, 0o755)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.chmod(folder, 0o555)
        self.place.virtpy("store", "repair", environment=self.environment)


def imports(place, venv, environment, prefix=()):
    """A program that imports the module and would keep its bytecode, whatever comes of it."""
    return list(prefix) + [venv / "bin" / "python", "-c", "import hw_large.data"], environment


def short_files(place):
    """No file may become as large as the bytecode: neither what Python writes nor what virtpy compiles is left broken."""
    place.begin()
    compilation = Compilation(place)
    limit = ["sh", "-c", 'ulimit -f 100; exec "$@"', "-"]
    if not is_privileged(place):
        place.attempt(*imports(place, compilation.venvs[0], compilation.environment, limit))
        compilation.require_sound("after an import with a limit of file sizes")
    compilation.compile(limit)
    compilation.require_sound("compiled with a limit of file sizes")
    compilation.forget()
    add = ["add", "--venv", compilation.venvs[1], "hw-one"] + place.index
    done = place.attempt(limit + [place.program] + add, bytecode(place, "eager"))
    require(done.code in (0, 1) and "panicked" not in done.err, str(done))
    compilation.require_sound("an eager installation with a limit of file sizes")
    compilation.compile()
    compilation.require_sound("compiled")
    return "%s: %d times bytecode larger than a file may be: no venv got half of it" % (place.account, compilation.count)


def killed_compilers(place, count, generator):
    """Whoever writes bytecode is killed at random times: no venv gets half of it."""
    place.begin()
    compilation = Compilation(place)
    begin = time.monotonic()
    compilation.compile()
    duration = time.monotonic() - begin
    for number in range(count):
        compilation.forget()
        command = [place.program, "store", "compile"]
        if number % 3 == 0 and not is_privileged(place):
            command, _ = imports(place, compilation.venvs[0], None)
        process = place.start(command, compilation.environment)
        time.sleep(duration * generator.uniform(0.05, 1.0))
        process.kill()
        process.communicate()
        # What a killed compiler had started ends by itself.
        compilation.require_sound("killed while it compiled", was_killed=True)
    compilation.compile()
    compilation.require_sound("compiled")
    return "%s: %d kills while bytecode was written: no venv got half of it" % (place.account, count)


def full_disk(place, free):
    """The store's disk is full while bytecode is written."""
    disk, usual = SmallDisk(place.root / "disk"), place.home
    try:
        os.chown(str(disk.path), place.account.number, -1)
        place.move(disk.path / "s")
        for pages in free:
            place.begin()
            compilation = Compilation(place)
            disk.fill(pages)
            if not is_privileged(place):
                place.attempt(*imports(place, compilation.venvs[0], compilation.environment))
            compilation.compile()
            eager = ["add", "--venv", compilation.venvs[1], "--reinstall", "hw-large"] + place.index
            place.attempt([place.program] + eager, bytecode(place, "eager"))
            disk.free()
            compilation.require_sound("%d pages were free" % pages)
            compilation.compile()
            compilation.require_sound("compiled with space again")
        place.clear()
    finally:
        place.move(usual)
        disk.unmount()
        disk.path.rmdir()
    return "%s: bytecode on a disk with %s pages: no venv got half of it" % (place.account, ", ".join(map(str, free)))


def removed_store(place, count, generator):
    """The store is removed while bytecode is compiled in the background: it does not come back."""
    for _ in range(count):
        place.begin()
        Compilation(place)
        place.virtpy("add", "--venv", place.project / "one", "hw-one", *place.index, environment=bytecode(place, "background"))
        time.sleep(generator.uniform(0, 0.3))
        for _ in range(20):
            # A file that comes meanwhile may stop it, once.
            subprocess.run(["chmod", "-R", "u+w", str(place.home)], stderr=subprocess.DEVNULL)
            subprocess.run(["rm", "-rf", str(place.home)], stderr=subprocess.DEVNULL)
            if not place.home.exists():
                break
        time.sleep(0.5)
        require(not place.home.exists(), "the store came back with %s" % sorted(place.home.glob("*/*")))
    return "%s: %d stores that were removed while bytecode was compiled stayed away" % (place.account, count)


def can_protect(place):
    """Whether the immutable flag can be set here."""
    path = place.root / "flag"
    path.write_text("")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return not any(subprocess.run(["chattr", option, str(path)], **silent).returncode for option in ("+i", "-i"))
    except OSError:
        return False


def protected(place):
    """With the setting `immutable` root's own programs are kept out too."""
    environment = dict(bytecode(place, "off"), VIRTPY_IMMUTABLE="1")
    try:
        return caches_of_code(place, environment, True) + ", with the setting immutable"
    finally:
        place.attempt([place.program, "store", "protect", "--undo"])


def as_somebody(place, quick, generator):
    """What holds whoever runs it."""
    yield edited_in_place(place, ["auto"] if quick else ["auto", "symlink", "copy"])
    yield forced_edit(place)
    yield caches_of_code(place, bytecode(place, "off"), not is_privileged(place))
    yield forged_bytecode(place)
    yield short_files(place)
    yield killed_compilers(place, 4 if quick else 60, generator)
    yield removed_store(place, 3 if quick else 40, generator)
    if can_mount():
        yield full_disk(place, [5, 60] if quick else [0, 1, 2, 5, 10, 20, 40, 60, 80, 120, 160, 200])
    else:
        yield "skipped: only root can mount a small disk"


def check(arguments):
    """Runs the writers, as an ordinary user and as root where that can be. Yields what was shown."""
    user = ordinary_user()
    accounts = [user] if user else []
    if is_root():
        accounts.append(Account("root", [], sys.executable))
    if user is None:
        yield "skipped: an ordinary user, for want of setpriv or of an interpreter that everybody may run"
    for account in accounts:
        place = Place(arguments.virtpy, arguments.folder)
        try:
            make_wheels(place.wheels)
            place.act_as(account)
            yield from as_somebody(place, arguments.quick, random.Random(arguments.seed))
            if not is_privileged(place):
                continue
            if user is not None and user.number == NOBODY:
                yield handed_over(place, user)
            if can_protect(place):
                yield protected(place)
            else:
                yield "skipped: the immutable flag cannot be set here"
        finally:
            if not arguments.keep:
                place.remove()
    if not is_root():
        yield "skipped: what root does to its own store, for want of root"
