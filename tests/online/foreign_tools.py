"""No foreign installer damages the store through a venv of virtpy, and each does what it says.

Real pip (the newest and 23), uv and Poetry (2 with both ways of uninstalling, and 1.8) install, upgrade,
reinstall and uninstall distributions of every shape, as root and as an ordinary user. After every step the
store, the venv and virtpy's own next commands are looked at. Writers that do not uninstall first must fail
for an ordinary user; as root they get through, and virtpy has to notice before a new venv gets the damage.
"""

import functools
import os
import shutil
import subprocess
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed

from foreign_installers import Overwriter, Pip, Poetry, Uv, install_tools, installers, overwriters
from foreign_scene import Account, Scene, expected_modules
from foreign_wheels import Index, make_wheels
from support import CheckFailed, interpreters, own_interpreter, require, require_equal

# What every venv has at first, by virtpy.
BASE = [
    "vp-plain",
    "vp-share-base",
    "vp-share-extra",
    "vp-space-one",
    "vp-space-two",
    "vp-deep-left",
    "vp-deep-right",
    "vp-elf-lib",
    "vp-elf-user",
]

# What the tools install beside it, into folders that are real already or new.
NEWCOMERS = ["vp-new", "vp-share-new", "vp-space-new", "vp-deep-new", "vp-elf-new"]

# What the tools act on: of each pair that shares a folder first the one, then the other.
TARGETS = {
    "later": ["vp-plain", "vp-share-extra", "vp-space-two", "vp-deep-right", "vp-elf-user"],
    "earlier": ["vp-plain", "vp-share-base", "vp-space-one", "vp-deep-left", "vp-elf-lib"],
}

# A distribution that joins the folder of another, which is alone so far and therefore folded.
JOINERS = {
    "vp-space-one": "vp-space-two",
    "vp-share-base": "vp-share-extra",
    "vp-deep-left": "vp-deep-right",
    "vp-plain": "vp-data-new",  # In the venv's share/.
}

# No account of the machine; a user needs none.
ORDINARY_USER = 54321


def at(version, names):
    """The names, all at one version."""
    return {name: version for name in names}


def pinned(pins):
    """Pins as requirements."""
    return ["%s==%s" % item for item in pins.items()]


class Stage:
    """What all scenes share: the program, the wheels, their index, the interpreter."""

    def __init__(self, place):
        self.place = place
        os.chmod(str(place.root), 0o755)
        self.program = place.path("virtpy")
        shutil.copy2(place.program, str(self.program))
        os.chmod(str(self.program), 0o755)
        self.accounts = [Account("user")]
        if os.geteuid() == 0:
            self.accounts = [Account("root"), Account("user", ORDINARY_USER)]
        self.interpreter = self.find_interpreter()
        self.can_verify = self.has("store", "verify")
        self.wheels = place.path("wheels")
        make_wheels(self.wheels, place.path("build"))
        self.index = Index(self.wheels)

    def find_interpreter(self):
        """An interpreter, 3.10 or newer, that every account can run."""
        found = [own_interpreter()] + [path for _, path in sorted(interpreters().items(), reverse=True)]
        found += ["/usr/bin/python3.%d" % minor for minor in range(13, 9, -1)]
        code = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"
        for path in found:
            commands = [account.command([path, "-I", "-c", code]) for account in self.accounts]
            if os.path.exists(path) and all(succeeds(command) for command in commands):
                return path
        raise CheckFailed("no interpreter from 3.10 on that an ordinary user can run")

    def has(self, *command):
        """Whether the program has a command."""
        return succeeds([str(self.program)] + list(command) + ["--help"])


def succeeds(command):
    """Whether a command ends with 0."""
    nothing = subprocess.DEVNULL
    done = subprocess.run(command, stdin=nothing, stdout=nothing, stderr=nothing)
    return done.returncode == 0


class Collected:
    """The steps of one scene: a failed one is kept, and the next begins again."""

    def __init__(self, scene):
        self.scene = scene
        self.passed = 0
        self.failures = []

    def step(self, what, action):
        """Carries a step out and returns whether it passed."""
        problems, self.scene.complaints = [], []
        try:
            action()
        except CheckFailed as problem:
            problems = [str(problem)]
        except Exception:  # An accident in one scene must not hide the others.
            problems = [traceback.format_exc()]
        complaints = sorted(set(self.scene.complaints))
        self.failures += ["%s: %s: %s" % (self.scene.label, what, text) for text in complaints + problems]
        self.passed += not complaints and not problems
        return not problems

    def step_in_a_fresh_venv(self, what, pins, action):
        """Carries a step out in a new venv with these versions, and a new store."""

        def both():
            """Makes the venv and acts on it."""
            self.scene.fresh(pins)
            action()

        return self.step(what, both)


def aside(scene, before, foreign, installer):
    """virtpy adds and removes a package that has nothing to do with the foreign tool's."""
    scene.add({"vp-aside": "1.0"})
    scene.verify(dict(before, **{"vp-aside": "1.0"}), foreign, installer)
    scene.remove(["vp-aside"])
    scene.verify(before, foreign, installer)


def installing(scene, tool, layout):
    """The tool installs what is new; virtpy removes it."""
    tool.install(scene, pinned(at("1.0", NEWCOMERS)))
    scene.require_store_unchanged("install")
    pins = at("1.0", BASE + NEWCOMERS)
    scene.verify(pins, NEWCOMERS, tool.installer)
    aside(scene, pins, NEWCOMERS, tool.installer)
    scene.remove(NEWCOMERS)
    scene.verify(at("1.0", BASE))
    require_equal(scene.layout(), layout, "the venv after virtpy removed what was new")


def upgrading(scene, tool, layout, targets):
    """The tool upgrades; virtpy brings the first version back."""
    tool.upgrade(scene, pinned(at("2.0", targets)))
    scene.require_store_unchanged("upgrade")
    pins = dict(at("1.0", BASE), **at("2.0", targets))
    scene.verify(pins, targets, tool.installer)
    aside(scene, pins, targets, tool.installer)
    scene.add(at("1.0", targets))
    scene.verify(at("1.0", BASE))
    require_equal(scene.layout(), layout, "the venv after virtpy brought the first version back")


def reinstalling(scene, tool, layout, targets):
    """The tool reinstalls; virtpy removes what it installed and adds it itself."""
    tool.reinstall(scene, pinned(at("1.0", targets)))
    scene.require_store_unchanged("reinstall")
    pins = at("1.0", BASE)
    scene.verify(pins, targets, tool.installer)
    aside(scene, pins, targets, tool.installer)
    scene.remove(targets)
    scene.verify(at("1.0", [name for name in BASE if name not in targets]))
    scene.add(at("1.0", targets))
    scene.verify(pins)
    require_equal(scene.layout(), layout, "the venv after virtpy removed and added them")


def uninstalling(scene, tool, layout, targets):
    """The tool uninstalls; virtpy adds it again."""
    tool.uninstall(scene, targets)
    scene.require_store_unchanged("uninstall")
    pins = at("1.0", [name for name in BASE if name not in targets])
    scene.verify(pins, leavings=True)
    aside(scene, pins, (), tool.installer)
    scene.add(at("1.0", targets))
    scene.verify(at("1.0", BASE))
    require_equal(scene.layout(), layout, "the venv after virtpy added them again")


def play_installer(stage, account, tool):
    """Everything that a tool does that uninstalls before it writes."""
    scene = Scene(stage, account, tool.name)
    collected = Collected(scene)
    steps = [("install", installing, ())]
    for which, targets in TARGETS.items():
        if not tool.starts_pip_for_each or which == "later":
            steps.append(("upgrade of the " + which, upgrading, (targets,)))
        if tool.reinstalls:
            steps.append(("reinstall of the " + which, reinstalling, (targets,)))
        if not tool.starts_pip_for_each or which == "earlier":
            steps.append(("uninstall of the " + which, uninstalling, (targets,)))
    if not tool.starts_pip_for_each:  # A pip in a zip file, once for each distribution, takes its time.
        steps.append(("uninstall of everything", uninstalling, (BASE,)))
    layout = None
    for what, action, arguments in steps:
        if layout is None:
            if not collected.step("virtpy's own venv", lambda: scene.fresh(at("1.0", BASE))):
                break
            layout = scene.layout()
        if not collected.step(what, lambda: action(scene, tool, layout, *arguments)):
            layout = None
    return collected


def require_right_in_a_new_venv(scene, pins):
    """A new venv gets what the wheels hold, whatever happened to the store."""
    venv = scene.folder / "new"
    scene.virtpy("new", venv, "-p", scene.stage.interpreter)
    scene.add(pins, venv=venv)
    require_equal(scene.probe(venv)["modules"], expected_modules(pins), "imports in a new venv")


def refused(scene, write, pins, targets):
    """An ordinary user's writer that goes through links fails, harms nothing, and virtpy can go on."""
    output = "".join(write(fails=True))
    require("ermission denied" in output, "it did not fail for want of permission:\n" + output)
    scene.require_store_unchanged("the refused write")
    scene.virtpy("list", "--venv", scene.venv)
    present = [name for name in targets if name in scene.versions()]
    if present:
        scene.remove(present)
    scene.add_past_leftovers(at("1.0", targets))
    scene.verify(dict(pins, **at("1.0", targets)))
    require_right_in_a_new_venv(scene, pins)


def damage(scene, write):
    """Lets root's writer write, uses what it wrote, and returns the names of the entries that are damaged."""
    write(fails=False)
    scene.probe()
    return sorted({scene.owner(entry) for entry in scene.changes()})


def noticed_by_a_new_venv(scene, write, pins):
    """Damage does not reach a new venv that is made at once."""
    damage(scene, write)
    require_right_in_a_new_venv(scene, pins)


def noticed_by_check(scene, write, pins):
    """`virtpy check` in the venv names what is damaged, and a new venv is right."""
    names = damage(scene, write)
    if names:
        output = "".join(scene.virtpy("check", "--venv", scene.venv))
        require_named(names, output, "check")
    require_right_in_a_new_venv(scene, pins)


def noticed_by_add(scene, write, pins):
    """`virtpy add` in the venv names what is damaged, and a new venv is right."""
    names = damage(scene, write)
    output = "".join(scene.virtpy("add", "--venv", scene.venv, "vp-aside==1.0"))
    require_named(names, output, "add")
    require_right_in_a_new_venv(scene, pins)


def noticed_by_remove(scene, write, pins):
    """`virtpy remove` in the venv names what is damaged, and a new venv is right."""
    names = damage(scene, write)
    output = "".join(scene.virtpy("remove", "--venv", scene.venv, "vp-elf-lib"))
    require_named(names, output, "remove")
    require_right_in_a_new_venv(scene, pins)


def repaired(scene, write, pins):
    """`virtpy store verify` names what is damaged, `virtpy store repair` repairs it, and the venv can go on."""
    require(scene.stage.can_verify, "the program has no `virtpy store verify`")
    before = scene.store()
    names = damage(scene, write)
    if names:
        output = scene.virtpy("store", "verify", fails=True)[0]
        require_named(names, output, "store verify")
        findings = scene.virtpy("store", "verify", "--json", fails=True)[0]
        require_named(names, findings, "store verify --json")
        require_named(names, "".join(scene.virtpy("store", "repair")), "store repair")
    scene.virtpy("store", "verify")

    def content(found):
        """Modes and contents; a manifest also tells when its entry was unpacked."""
        return {path: (facts[0], facts[3]) for path, facts in found.items() if not path.endswith("entry.json")}

    require_equal(content(scene.store()), content(before), "modes and contents of the repaired store")
    require_right_in_a_new_venv(scene, pins)
    names = sorted(scene.versions())
    scene.remove(names)
    scene.add(pins)
    scene.known = scene.store()
    scene.verify(pins)


def require_named(names, output, command):
    """The output of a command has all names in it."""
    absent = [name for name in names if name not in output]
    require(not absent, "%s does not name %s:\n%s" % (command, ", ".join(absent), output))


REACTIONS = {
    "a new venv at once": noticed_by_a_new_venv,
    "check": noticed_by_check,
    "add": noticed_by_add,
    "remove": noticed_by_remove,
    "store verify and repair": repaired,
}


def play_overwriter(stage, account, tool):
    """A tool that writes without uninstalling, over what is folded, unfolded and hardlinked."""
    scene = Scene(stage, account, tool.name + " overwriting")
    collected = Collected(scene)
    pins = at("1.0", BASE)
    if account.is_root:
        write = functools.partial(tool.overwrite, scene, pinned(at("2.0", TARGETS["later"])))
        for what, reaction in REACTIONS.items():
            collected.step_in_a_fresh_venv(what, pins, functools.partial(reaction, scene, write, pins))
    else:
        for target in TARGETS["later"]:
            write = functools.partial(tool.overwrite, scene, [target + "==2.0"])
            action = functools.partial(refused, scene, write, pins, [target])
            collected.step_in_a_fresh_venv("over " + target, pins, action)
    return collected


def join(scene, tool, pins, joiners):
    """Installs distributions that join folded folders; if the store is not touched, they have to work."""
    tool.install(scene, pinned(at("1.0", joiners)))
    if not scene.changes():
        scene.verify(dict(pins, **at("1.0", joiners)), joiners, tool.installer)


def join_or_be_refused(scene, tool, pins, joiner):
    """An ordinary user's installer either does what it says or fails; in both cases it harms nothing."""
    try:
        tool.install(scene, [joiner + "==1.0"])
    except CheckFailed as problem:
        output = str(problem)
        refused(scene, lambda fails: output, pins, [joiner])
        return
    scene.require_store_unchanged("install")
    scene.verify(dict(pins, **{joiner: "1.0"}), [joiner], tool.installer)
    scene.remove([joiner])
    scene.verify(pins)


def play_joiner(stage, account, tool):
    """A tool installs distributions into folders that are folded, because one distribution had them alone."""
    scene = Scene(stage, account, tool.name + " joining")
    collected = Collected(scene)
    steps = []
    pins = at("1.0", list(JOINERS) + ["vp-elf-lib"])
    if account.is_root:
        write = lambda fails: join(scene, tool, pins, list(JOINERS.values()))
        for what, reaction in REACTIONS.items():
            steps.append((what, pins, functools.partial(reaction, scene, write, pins)))
    else:
        for owner, joiner in JOINERS.items():
            pins = at("1.0", [owner, "vp-elf-lib"])
            action = functools.partial(join_or_be_refused, scene, tool, pins, joiner)
            steps.append(("%s beside %s" % (joiner, owner), pins, action))
    for what, pins, action in steps:
        collected.step_in_a_fresh_venv(what, pins, action)
    return collected


def plays(stage, tools, every):
    """Everything that is to be done, as calls."""
    newest = (Pip(tools, "pip-newest"), Uv(tools), Poetry(tools, "poetry-2", True))
    for account in stage.accounts:
        for tool in installers(tools) if every else newest:
            yield play_installer, account, tool
        for tool in overwriters(tools) if every else newest[:1]:
            yield play_overwriter, account, tool
        for tool in newest if every else newest[:1]:
            yield play_joiner, account, tool


def check(place):
    """Lets the newest tools act as every account."""
    return act(place, False)


def check_all(place):
    """Lets every tool act as every account."""
    return act(place, True)


def act(place, every):
    """Lets tools act."""
    stage = Stage(place)
    try:
        versions = install_tools(place, stage.interpreter, stage.accounts)
        yield "tools: " + ", ".join("%s %s" % item for item in sorted(versions.items()))
        failures = []
        with ThreadPoolExecutor(max_workers=2) as pool:
            tools = place.path("tools")
            futures = [pool.submit(play, stage, *roles) for play, *roles in plays(stage, tools, every)]
            for future in as_completed(futures):
                collected = future.result()
                failures += collected.failures
                if not collected.failures:
                    yield "%s: %d steps" % (collected.scene.label, collected.passed)
        require(not failures, "%d steps failed\n%s" % (len(failures), "\n".join(failures)))
    finally:
        stage.index.stop()
