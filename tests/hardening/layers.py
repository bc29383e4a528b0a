"""Read-only stores below the user's own: nothing is written into them, by crowds or by attackers with another user's rights,
and what they have works from a read-only mount as well."""

import contextlib
import os
import shutil
import subprocess
import sys

import fuse
from support import Account, Place, can_mount, is_root, ordinary_user, require
from wheels import make_wheels

# What is in the lower store.
PACKAGES = ("hd-plain==1.0", "hd-alpha==1.0", "hd-share-one==1.0", "hd-cover-one==1.0")

# What is imported, and has to say the same whatever others do.
QUESTION = "import hd_plain; print(hd_plain.version)"

# What somebody with other rights may try, in the lower store (S), in an entry of it (E) and in the project (P). Each is a
# line of sh, which may fail.
ATTACKS = {
    "bytecode": "for f in $(find $E -name __pycache__); do cp /dev/null $f/x.pyc; chmod 777 $f; done",
    "a module": "for f in $(find $E -name '*.py'); do echo 'version = 666' >> $f; rm -f $f; done",
    "an entry of its own": "mkdir $S/w/0123456789abcdef; mv $E $S/w/aside; ln -s /tmp $S/w/fedcba9876543210",
    "locks": "for f in $S/locks/*; do echo > $f; rm -f $f; done; mkdir $S/locks/store; touch $S/locks/entry-x",
    "temporary files": "mkdir -p $S/tmp/x; echo 1 > $S/tmp/x/y; ln -s /etc $S/tmp/z",
    "notes": "echo x > $S/digests; echo x > $S/durable; echo x > $S/sealed; rm -f $S/digests $S/sealed",
    "roots": "echo '{\"id\": \"0123456789abcdef\", \"path\": \"/etc\"}' > $S/roots/0123456789abcdef; rm -f $S/roots/*",
    "second names": "mkdir -p $H; for f in $(find $E -name '*.py'); do ln $f $H/x && chmod 666 $H/x && echo 'version = 666' > $H/x; done",
    "the way to it": "mv $S $S.aside; chmod 777 $S $S/w; touch $S/x",
    "links of the project": "chmod -R u+w $P; chown -R $(id -u) $P; find -L $P -name '*.py' -exec sh -c 'echo version=666 >> $0' {} ';'",
}


def facts(root):
    """What would tell that somebody wrote below a folder, by path: also changes of modes and of the number of names."""
    found = {}
    for folder, folders, files in os.walk(str(root)):
        for name in folders + files + ["."]:
            path = os.path.normpath(os.path.join(folder, name))
            one = os.lstat(path)
            found[path] = (one.st_mode, one.st_uid, one.st_size, one.st_nlink, one.st_ctime_ns)
    return found


def changes(before, after):
    """The paths at which that differs, a few of them."""
    return [path for path in sorted(set(before) | set(after)) if before.get(path) != after.get(path)][:6]


def used_bytes(root):
    """What a folder takes on the disk."""
    blocks = 0
    for folder, folders, files in os.walk(str(root)):
        for name in folders + files:
            blocks += os.lstat(os.path.join(folder, name)).st_blocks
    return blocks * 512


class Scene:
    """A lower store of whoever runs this, and users above it."""

    def __init__(self, place):
        self.place = place
        self.lower = place.root / "lower"
        place.environment["VIRTPY_PIP_SHIM"] = "1"
        # The umask of whoever runs this may keep others out.
        place.root.chmod(0o755)
        names = place.root / "requirements.txt"
        names.write_text("\n".join(PACKAGES) + "\n")
        owner = dict(place.environment, VIRTPY_HOME=str(self.lower))
        for command in (["fill", names, "--python", sys.executable] + place.index, ["seal"]):
            done = place.attempt([place.program, "store"] + command, owner)
            require(done.code == 0, str(done))

    def user(self, name, account):
        """A user with a home, a store and a project of their own; returns the folder and the environment."""
        folder = self.place.root / name
        folder.mkdir()
        for inner in ("home", "store", "project"):
            (folder / inner).mkdir()
        if is_root():
            subprocess.run(["chown", "-R", str(account.number), str(folder)], check=True)
        environment = dict(self.place.environment, HOME=str(folder / "home"), VIRTPY_HOME=str(folder / "store"))
        environment["VIRTPY_STORES"] = str(self.lower)
        return folder, environment

    def fill(self, folder, environment, account):
        """Makes a venv of everything in the lower store, as that user."""
        for command in (["new", folder / "project" / ".venv", "-p", account.python],
                        ["add", "--venv", folder / "project" / ".venv"] + list(PACKAGES) + self.place.index):
            done = self.place.attempt([self.place.program] + command, environment, account=account, folder=folder)
            require(done.code == 0, str(done))
        return done

    def answer(self, folder, environment, account):
        """What the venv imports says."""
        command = [folder / "project" / ".venv" / "bin" / "python", "-c", QUESTION]
        done = self.place.attempt(command, environment, account=account, folder=folder)
        require(done.code == 0, str(done))
        return done.out.strip()


def used(scene, account):
    """One user installs everything from the lower store, which is not written to."""
    before = facts(scene.lower)
    folder, environment = scene.user("one", account)
    done = scene.fill(folder, environment, account)
    require("0 downloaded" in done.err, str(done))
    require(scene.answer(folder, environment, account) == "1.0", "another package is imported")
    after = facts(scene.lower)
    require(after == before, "the lower store was written to: %s" % changes(before, after))
    entries = folder / "store" / "w"
    require(not entries.exists() or not os.listdir(str(entries)), "packages came into the user's own store")
    taken = used_bytes(folder / "store")
    require(taken < 1 << 20, "the user's own store takes %d bytes" % taken)
    return "%s installed %d packages of a lower store: 0 bytes there, %d KiB of their own" % (
        account, len(PACKAGES) + 1, taken >> 10)


def attacked(scene, victim, attacker):
    """Somebody with another user's rights tries everything: what the venv of a third imports stays the same."""
    folder, environment = scene.user("victim", victim)
    scene.fill(folder, environment, victim)
    link = next((folder / "project" / ".venv" / "lib").glob("python*/site-packages/hd_plain"))
    entry = os.path.dirname(os.path.dirname(os.readlink(str(link))))
    home = scene.place.root / "attacker"
    home.mkdir()
    os.chown(str(home), attacker.number, -1)
    values = {"S": str(scene.lower), "E": entry, "P": str(folder / "project"), "H": str(home / "names")}
    before = facts(scene.lower)
    for name, script in ATTACKS.items():
        scene.place.attempt(["sh", "-c", script], dict(environment, **values), account=attacker, folder=home)
        after = facts(scene.lower)
        require(after == before, "%s: the lower store is another: %s" % (name, changes(before, after)))
        require(scene.answer(folder, environment, victim) == "1.0", "%s: another package is imported" % name)
        done = scene.place.attempt([scene.place.program, "check", "--venv", folder / "project" / ".venv"],
                                   environment, account=victim, folder=folder)
        require(done.code == 0, "%s: %s" % (name, done))
    return "%d attacks with another user's rights changed nothing that a venv imports" % len(ATTACKS)


def collected(scene, victim, attacker):
    """Users register in a lower store that lets them; its owner's collection keeps what they use, and believes nothing else."""
    place, lower = scene.place, scene.lower
    owner = dict(place.environment, VIRTPY_HOME=str(lower))
    done = place.attempt([place.program, "store", "seal", "--roots"], owner)
    require(done.code == 0, str(done))
    folder, environment = scene.user("registered", victim)
    scene.fill(folder, environment, victim)
    script = (
        "cd $S/roots; ln -s /dev/zero 0000000000000001; mkfifo 0000000000000002; truncate -s 1T 0000000000000003;"
        "echo '{' > 0000000000000004; ln -s ../digests 0000000000000005; mkdir 0000000000000006;"
        "echo '{\"id\": \"0000000000000007\", \"path\": \"/proc/self/root\", \"uses\": [\"../../x\"]}' > 0000000000000007;"
        "echo '{\"id\": \"0000000000000008\", \"path\": \"/etc\", \"uses\": []}' > 0000000000000008;"
        "for f in *; do rm -f $f.x; mv $f $f.x; done 2>/dev/null; ls"
    )
    done = place.attempt(["sh", "-c", script], dict(environment, S=str(lower)), account=attacker, folder=lower / "roots")
    before = sorted(os.listdir(str(lower / "w")))
    for command in (["seal", "--undo"], ["gc", "--remove", "--grace", "0s"], ["stats"], ["verify"]):
        done = place.attempt([place.program, "store"] + command, owner, timeout=30)
        require(done.code == 0, "%s: %s" % (command, done))
    require(scene.answer(folder, environment, victim) == "1.0", "the collection broke a user's venv")
    done = place.attempt([place.program, "check", "--venv", folder / "project" / ".venv"], environment, account=victim,
                         folder=folder)
    require(done.code == 0, str(done))
    after = sorted(os.listdir(str(lower / "w")))
    require(len(after) >= len(PACKAGES), "what a user registered is gone: %s" % (set(before) - set(after)))
    return "an owner's collection kept what users registered, beside links, pipes and endless files"


def given_away(scene, victim):
    """Root gives a project to a user, who then writes through everything in it."""
    folder, environment = scene.user("given", scene.place.account)
    scene.fill(folder, environment, scene.place.account)
    before = facts(scene.lower)
    subprocess.run(["chown", "-R", str(victim.number), str(folder / "project")], check=True)
    script = "chmod -R u+w .; find -L . -name '*.py' -exec sh -c 'echo version=666 >> $0' {} ';'"
    scene.place.attempt(["sh", "-c", script], account=victim, folder=folder / "project")
    after = facts(scene.lower)
    require(after == before, "the lower store was written to: %s" % changes(before, after))
    return "a project that root gave away is no way into the lower store"


def planted(scene, victim, attacker):
    """A store of somebody who is not named is refused, and so is one that everybody may replace."""
    folder, environment = scene.user("careful", victim)
    theirs = scene.place.root / "theirs"
    subprocess.run(["cp", "-a", str(scene.lower), str(theirs)], check=True)
    subprocess.run(["chown", "-hR", str(attacker.number), str(theirs)], check=True)
    open_folder = scene.place.root / "open"
    open_folder.mkdir()
    subprocess.run(["cp", "-a", str(scene.lower), str(open_folder / "store")], check=True)
    open_folder.chmod(0o777)
    venv = folder / "project" / ".venv"
    # Without a pip, which would come from the store that is named.
    bare = dict(environment, VIRTPY_PIP_SHIM="0")
    command = [scene.place.program, "new", venv, "-p", victim.python]
    scene.place.attempt(command, bare, account=victim, folder=folder)
    command = [scene.place.program, "add", "--venv", venv, "hd-plain==1.0"] + scene.place.index
    for store in (theirs, open_folder / "store"):
        chosen = dict(environment, VIRTPY_STORES=str(store))
        done = scene.place.attempt(command, chosen, account=victim, folder=folder)
        require(done.code == 1 and "is not trusted" in done.err, str(done))
    named = dict(environment, VIRTPY_STORES=str(theirs), VIRTPY_STORE_OWNERS=str(attacker.number))
    done = scene.place.attempt(command, named, account=victim, folder=folder)
    require(done.code == 0, str(done))
    return "stores of strangers were refused, and taken from an owner who was named"


def crowd(scene, account, count):
    """Many users install from one lower store at once."""
    before = facts(scene.lower)
    running = []
    for number in range(count):
        folder, environment = scene.user("crowd-%d" % number, account)
        script = '"$0" new .venv -p "$1" && "$0" add --venv .venv %s %s && .venv/bin/python -c "%s"' % (
            " ".join(PACKAGES), " ".join(scene.place.index), QUESTION)
        command = ["sh", "-c", script, scene.place.program, account.python]
        running.append(scene.place.start(command, environment, account, folder / "project"))
    for process in running:
        out, err = process.communicate(timeout=300)
        require(process.returncode == 0 and out.strip().endswith("1.0"), "%s%s" % (out, err))
    after = facts(scene.lower)
    require(after == before, "the lower store was written to: %s" % changes(before, after))
    return "%d processes with a home each installed from one lower store at once" % count


@contextlib.contextmanager
def mounted(arguments, target):
    """Something is mounted at a folder."""
    subprocess.run(["mount"] + arguments + [str(target)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(target)], check=True)


def read_only(scene, account, name, mount):
    """The lower store is mounted read-only at the same path, as in a container."""
    folder, environment = scene.user("mounted-%s" % name, account)
    with mount:
        scene.fill(folder, environment, account)
        require(scene.answer(folder, environment, account) == "1.0", "another package is imported")
        done = scene.place.attempt([scene.place.program, "check", "--venv", folder / "project" / ".venv"],
                                   environment, account=account, folder=folder)
        require(done.code == 0, str(done))
        require(used_bytes(folder / "store") < 1 << 20, "the user's own store is large")
    return "a lower store that is mounted read-only (%s) serves" % name


def mounts(scene, account):
    """Read-only mounts of the lower store, in the namespace of mounts that this runs in."""
    bind = ["--bind", "-o", "ro", str(scene.lower)]
    yield read_only(scene, account, "bind", mounted(bind, scene.lower))
    yield from user_space(scene, account)
    if shutil.which("mksquashfs") is None:
        yield "skipped: squashfs, for want of mksquashfs"
        return
    image = scene.place.root / "image"
    command = ["mksquashfs", str(scene.lower), str(image), "-quiet", "-no-progress"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    probe = scene.place.root / "probe"
    probe.mkdir()
    kind = ["-t", "squashfs", "-o", "ro,loop", str(image)]
    if subprocess.run(["mount"] + kind + [str(probe)], stderr=subprocess.DEVNULL).returncode != 0:
        yield "skipped: squashfs cannot be mounted here"
        return
    subprocess.run(["umount", str(probe)], check=True)
    yield read_only(scene, account, "squashfs", mounted(kind, scene.lower))


def user_space(scene, account):
    """File systems in user space, one without locks as some network file systems are: for the lower store, and for one's own."""
    trial = scene.place.root / "trial"
    trial.mkdir()
    if not fuse.is_possible(trial):
        yield "skipped: file systems in user space, for want of /dev/fuse"
        return
    without = fuse.mounted(scene.lower, scene.lower, has_locks=False, is_read_only=True)
    yield read_only(scene, account, "in user space, without locks", without)
    yield own_store(scene)


def own_store(scene):
    """The user's own store is on a file system whose locks don't work, and then on one whose locks do. A lower store stays what it
    is, and so does what was there."""
    place = scene.place
    folder, environment = scene.user("in-user-space", place.account)
    disk, store, venv = folder / "disk", folder / "store", folder / "project" / ".venv"
    disk.mkdir()
    bare = dict(environment, VIRTPY_STORES="")
    commands = [["new", venv, "-p", place.account.python], ["add", "--venv", venv, "hd-plain==1.0"] + place.index]
    with fuse.mounted(disk, store, has_locks=False):
        for command in commands[:1]:
            done = place.attempt([place.program] + command, bare, account=place.account, folder=folder)
            require(done.code == 1 and "no locks that work" in done.err and "`stores`" in done.err, str(done))
        require(not venv.exists(), "half a venv was made")
        require(not (store / "w").exists() or not os.listdir(str(store / "w")), "a package came into the store")
    with fuse.mounted(disk, store):
        for command in commands + [["check", "--venv", venv], ["store", "verify"]]:
            done = place.attempt([place.program] + command, bare, account=place.account, folder=folder)
            require(done.code == 0, str(done))
        require(scene.answer(folder, bare, place.account) == "1.0", "another package is imported")
        before = facts(disk / "w")
    # The same store, whose locks are gone: what is there is used, and nothing is changed.
    with fuse.mounted(disk, store, has_locks=False):
        require(scene.answer(folder, bare, place.account) == "1.0", "another package is imported")
        command = [place.program, "add", "--venv", venv, "hd-alpha==1.0"] + place.index
        done = place.attempt(command, bare, account=place.account, folder=folder)
        require(done.code == 1 and "no locks that work" in done.err, str(done))
        # The way out: a store on this machine's disk, with the shared one below.
        apart = dict(environment, VIRTPY_HOME=str(folder / "local"), VIRTPY_STORES=str(store))
        other = folder / "project" / "other"
        for command in (["new", other, "-p", place.account.python], ["add", "--venv", other, "hd-plain==1.0"] + place.index):
            done = place.attempt([place.program] + command, apart, account=place.account, folder=folder)
            require(done.code == 0, str(done))
        require("0 downloaded" in done.err, str(done))
    after = facts(disk / "w")
    require(after == before, "packages were changed: %s" % changes(before, after))
    return "a store on a file system without locks is refused for writing, and read as a lower one"


def check(arguments):
    """Runs the lower stores. Yields what was shown."""
    place = Place(arguments.virtpy, arguments.folder)
    user = ordinary_user()
    try:
        make_wheels(place.wheels)
        place.begin()
        scene = Scene(place)
        account = user or place.account
        yield used(scene, account)
        yield crowd(scene, account, 8)
        if is_root() and user is not None:
            number = user.number - 1
            prefix = [word.replace(str(user.number), str(number)) for word in user.prefix]
            attacker = Account("another user", prefix, user.python, number)
            yield attacked(scene, user, attacker)
            yield given_away(scene, user)
            yield planted(scene, user, attacker)
        else:
            yield "skipped: attacks of another user, for want of root, setpriv or an interpreter for everybody"
        if can_mount():
            yield from mounts(scene, account)
        else:
            yield "skipped: read-only mounts, for want of root"
        if is_root() and user is not None:
            # The last: what is planted stays.
            yield collected(scene, user, attacker)
    finally:
        if not arguments.keep:
            place.remove()
