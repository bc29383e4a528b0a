"""What a collection takes for unused: venvs that were copied, moved, mounted elsewhere or made again by another tool keep
what they use, whatever virtpy was told meanwhile."""

import os
import random
import subprocess
import time

from support import Place, can_mount, remove_tree, require
from wheels import make_wheels

VERSION = "import hd_plain; print(hd_plain.version)"


class Scene:
    """A project whose venv uses a package, and one that no venv uses."""

    def __init__(self, place):
        self.place = place
        place.begin()
        place.new()
        place.add("hd-plain==1.0")
        self.elsewhere = place.folder(place.project.parent / "elsewhere")

    def copy(self, target):
        """Copies the project. Returns the copy's venv."""
        subprocess.run(["cp", "-a", str(self.place.project), str(target)], check=True)
        return target / ".venv"

    def seen(self, venv):
        """Has virtpy see a venv."""
        self.place.virtpy("list", "--venv", venv)

    def collect(self):
        """Collects all that is unused, however new it is."""
        self.place.virtpy("store", "gc", "--grace", "0s", "--remove")

    def end(self, venvs, what):
        """Collects; after that the venvs must work, and so must a change of them: several become venvs of their own first."""
        self.collect()
        for venv in venvs:
            done = self.place.attempt([venv / "bin" / "python", "-c", VERSION])
            require(done.code == 0 and done.out.strip() == "1.0", "%s: what %s uses is gone: %s" % (what, venv, done))
            # What another tool made of pyvenv.cfg is put back by the next command.
            self.place.virtpy("list", "--venv", venv)
            if len(venvs) > 1:
                self.place.virtpy("relink", "--venv", venv, *self.place.index)
            self.place.add("hd-alpha==1.0", venv=venv)
            self.place.virtpy("check", "--venv", venv)
        self.collect()
        for venv in venvs:
            require(self.place.evaluate(VERSION, venv) == "1.0", "%s: what %s uses is gone later" % (what, venv))
        remove_tree(self.elsewhere)


def unused(place):
    """What nothing uses goes: otherwise this suite shows nothing."""
    scene = Scene(place)
    place.add("hd-plain==2.0")
    count = len(os.listdir(str(place.home / "w")))
    scene.collect()
    left = len(os.listdir(str(place.home / "w")))
    require(left == count - 1, "%d entries are left of %d, of which one is unused" % (left, count))
    remove_tree(scene.elsewhere)
    return "what no venv uses was collected"


def copies(place, count):
    """A job copies the venv, again and again; some copies stay, the rest and the original go."""
    scene = Scene(place)
    venvs = [scene.copy(scene.elsewhere / str(number)) for number in range(count)]
    for venv in venvs:
        scene.seen(venv)
    remove_tree(place.project)
    for venv in venvs[4:]:
        remove_tree(venv.parent)
    scene.end(venvs[:4], "%d copies" % count)
    place.folder(place.project)
    return "four of %d copies of a venv went on when the original and the others were gone" % count


def mounts(place, count, hides_home):
    """The project is mounted elsewhere, as containers do, and its own place may not be there meanwhile."""
    scene = Scene(place)
    for number in range(count):
        target = place.folder(scene.elsewhere / str(number))
        empty = place.folder(scene.elsewhere / ("empty-%d" % number))
        # In a mount namespace of their own: nothing is left mounted.
        steps = ["mount --bind '%s' '%s'" % (place.project, target)]
        if hides_home:
            steps.append("mount --bind '%s' '%s'" % (empty, place.project))
        steps.append("exec '%s' list --venv '%s/.venv'" % (place.program, target))
        done = place.attempt(["unshare", "-m", "sh", "-c", " && ".join(steps)])
        require(done.code == 0 and "hd-plain" in done.out, str(done))
        target.rmdir()
    scene.end([place.venv], "%d mounts" % count)
    how = " by somebody who does not see its home" if hides_home else ""
    return "a venv that was seen at %d places%s works at home" % (count, how)


def clones(place, count):
    """Repositories ship a venv with this one's id and nothing in it, and packages come and go in them."""
    scene = Scene(place)
    for number in range(count):
        venv = scene.copy(scene.elsewhere / str(number))
        for path in list(venv.glob("lib/*/site-packages/hd_plain*")):
            if path.is_symlink():
                path.unlink()
            else:
                remove_tree(path)
        remove_tree(venv / ".virtpy")
        for command in (["list"], ["add"] + ["hd-plain==1.0"] + place.index, ["remove", "hd-plain"]):
            # It may well refuse what is nobody's.
            done = place.attempt([place.program, command[0], "--venv", venv] + command[1:])
            require(done.code in (0, 1), str(done))
    scene.end([place.venv], "%d clones" % count)
    return "%d clones of a venv's id took nothing from it" % count


def renamed(place):
    """A folder above the project is renamed or becomes a link, and virtpy is not called until the collection."""
    scene = Scene(place)
    deep = place.folder(scene.elsewhere / "a") / "b"
    deep.mkdir()
    place.new(deep / ".venv")
    place.add("hd-plain==1.0", venv=deep / ".venv")
    remove_tree(place.project)
    (scene.elsewhere / "a").rename(scene.elsewhere / "z")
    scene.end([scene.elsewhere / "z" / "b" / ".venv"], "renamed above")
    place.folder(place.project)
    scene = Scene(place)
    real = scene.elsewhere / "real"
    place.project.rename(real)
    place.project.symlink_to(real)
    scene.collect()
    require(place.evaluate(VERSION) == "1.0", "what a project behind a link uses is gone")
    place.project.unlink()
    remove_tree(scene.elsewhere)
    place.folder(place.project)
    return "projects below renamed folders and behind links kept what they use"


def rewritten(place):
    """Other tools write pyvenv.cfg again, or leave it empty; then everybody collects, by command and by setting."""
    config = "pyvenv.cfg"
    python = place.account.python

    def run(*arguments):
        done = place.attempt([python, "-m", "venv", "--without-pip"] + list(arguments) + [place.venv])
        require(done.code == 0, str(done))

    def text(change):
        path = place.venv / config
        path.write_bytes(change(path.read_bytes()))

    ways = {
        "`python -m venv` once more": lambda: run(),
        "`python -m venv --upgrade`": lambda: run("--upgrade"),
        "an emptied pyvenv.cfg": lambda: text(lambda content: b""),
        "a pyvenv.cfg without virtpy's keys": lambda: text(
            lambda content: b"".join(line + b"\n" for line in content.splitlines() if b"virtpy" not in line)),
        "a pyvenv.cfg with a byte order mark": lambda: text(lambda content: b"\xef\xbb\xbf" + content),
        "a pyvenv.cfg that is not UTF-8": lambda: text(lambda content: content + b"x = \xff\n"),
        "no pyvenv.cfg": lambda: (place.venv / config).unlink(),
    }
    for what, change in ways.items():
        for automatic in (False, True):
            scene = Scene(place)
            change()
            if automatic:
                other = scene.elsewhere / "other"
                place.new(other)
                environment = dict(place.environment, VIRTPY_STORE_MAX_AGE="1s", VIRTPY_STORE_GRACE="0s")
                place.add("hd-alpha==1.0", venv=other, environment=environment)
            scene.collect()
            require(entries_of(place), "%s: the packages are gone" % what)
            if what != "no pyvenv.cfg":
                done = place.attempt([place.venv / "bin" / "python", "-c", VERSION])
                require(done.code == 0 or "hd_plain" not in done.err, "%s: %s" % (what, done))
            remove_tree(scene.elsewhere)
    return "%d ways to write pyvenv.cfg again cost no package" % len(ways)


def removed(place, count):
    """`rm -rf` of a store just after a change: what works in the background is not in its way. `rm` reads a folder before it
    empties it, so this can't be had every time: it failed in two of five before anybody looked."""
    chance, failures = random.Random(1), []
    environment = {name: value for name, value in place.environment.items() if name != "VIRTPY_BYTECODE"}
    for _ in range(count):
        place.begin()
        place.new()
        place.add("hd-plain==1.0", environment=environment)
        time.sleep(chance.random() / 10)
        subprocess.run(["chmod", "-R", "u+w", str(place.home)], stderr=subprocess.DEVNULL)
        done = subprocess.run(["rm", "-rf", str(place.home)], stderr=subprocess.PIPE, universal_newlines=True)
        time.sleep(0.05)
        if done.returncode != 0 or place.home.exists():
            failures.append(done.stderr.strip() or "it is there again")
    require(len(failures) <= count // 20, "removing the store failed %d times: %s" % (len(failures), failures[:3]))
    return "a store was removed %d times just after a change, %d times in vain" % (count, len(failures))


def entries_of(place):
    """Whether everything that a venv links to is there."""
    links = list(place.venv.glob("lib/*/site-packages/hd_plain/__init__.py"))
    return bool(links) and all(os.path.exists(str(path)) for path in links)


def check(arguments):
    """Runs the collections. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    count = 10 if arguments.quick else 40
    try:
        make_wheels(place.wheels)
        yield unused(place)
        yield copies(place, count)
        yield clones(place, count)
        yield renamed(place)
        yield rewritten(place)
        yield removed(place, 20 if arguments.quick else 100)
        if can_mount():
            yield mounts(place, count, False)
            yield mounts(place, count, True)
        else:
            yield "skipped: venvs that are mounted elsewhere, for want of root"
    finally:
        if not arguments.keep:
            place.remove()
