"""What one machine built in a long time, another one takes in no time: without a compiler, and with its bytecode.

A source distribution takes its time to build, and needs a compiler that only the first machine has on its `PATH`. It is built
once, whoever installs it.
"""

import io
import os
import tarfile
import time

from remote import Machine, on_engine
from support import own_interpreter, require, require_equal

# How long the build takes besides compiling, in seconds.
BUILD = 20

# How many modules there are besides the compiled one.
MODULES = 40

BACKEND = '''
import base64, hashlib, os, shutil, subprocess, sysconfig, time, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    compiler = shutil.which("team-cc")
    if compiler is None:
        raise RuntimeError("there is no compiler on this machine")
    with open(os.environ["BUILDS"], "a") as builds:
        builds.write("built\\n")
    time.sleep(%(build)d)
    module = "_long" + sysconfig.get_config_var("EXT_SUFFIX")
    built = os.path.join(wheel_directory, module)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", built, os.path.join(HERE, "long.c")], check=True)
    with open(built, "rb") as library:
        files = {"long_build/" + module: library.read()}
    os.remove(built)
    files["long_build/__init__.py"] = b"from . import part_0\\n"
    for number in range(%(modules)d):
        following = "from . import part_%%d\\n" %% (number + 1) if number + 1 < %(modules)d else ""
        files["long_build/part_%%d.py" %% number] = (following + "x = %%d\\n" %% number).encode()
    tag = "cp%%d%%d-none-any" %% __import__("sys").version_info[:2]
    files["long_build-1.0.dist-info/METADATA"] = b"Metadata-Version: 2.2\\nName: long-build\\nVersion: 1.0\\n"
    files["long_build-1.0.dist-info/WHEEL"] = ("Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: %%s\\n" %% tag).encode()
    record, name = "", "long_build-1.0-%%s.whl" %% tag
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += "%%s,sha256=%%s,%%d\\n" %% (path, digest, len(content))
        wheel.writestr("long_build-1.0.dist-info/RECORD", record + "long_build-1.0.dist-info/RECORD,,\\n")
    return name
''' % {"build": BUILD, "modules": MODULES}

PYPROJECT = """
[project]
name = "long-build"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

USE = (
    "import ctypes, glob, os, sys, long_build; "
    "library = glob.glob(os.path.join(os.path.dirname(long_build.__file__), '_long*.so'))[0]; "
    "print(ctypes.CDLL(library).long_answer(), sum(name.startswith('long_build.') for name in sys.modules))"
)


def source_distribution(path):
    """Writes it."""
    files = {
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND,
        "long.c": "int long_answer(void) { return 42; }\n",
        "PKG-INFO": "Metadata-Version: 2.2\nName: long-build\nVersion: 1.0\n",
    }
    with tarfile.open(str(path), "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo("long_build-1.0/" + name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))


def machine(scene, name, builds, compiler=None):
    """A machine that has a compiler on its `PATH` if one is given. No other program there is called so."""
    made = Machine(scene, "%s-%s" % (name, scene.prefix), pushes=compiler is not None)
    made.environment.pop("NO_BUILDS_HERE", None)
    made.environment["BUILDS"] = str(builds)
    if compiler is not None:
        made.environment["PATH"] = "%s:%s" % (compiler, made.environment["PATH"])
    return made


def install(of, archive):
    """Makes a venv with the package, and returns how long adding it took."""
    venv = of.root / "venv"
    of.virtpy("new", venv, "-p", own_interpreter())
    begun = time.monotonic()
    of.virtpy("add", "--venv", venv, "long-build @ " + archive.as_uri())
    return time.monotonic() - begun


def files(of):
    """Every file of a machine's store and venv, with what would change if it were written anew."""
    found = {}
    for top in ("s", "venv"):
        for folder, _, names in os.walk(str(of.root / top)):
            for name in names:
                facts = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
    return found


def built_once(scene):
    """One machine builds, another takes it; a third, without the remote, shows what the second was spared."""
    compiler, builds = scene.place.path("compiler-" + scene.prefix), scene.place.path("builds-" + scene.prefix)
    compiler.mkdir()
    (compiler / "team-cc").symlink_to(scene.place.run(["sh", "-c", "command -v cc"])[0].strip())
    archive = scene.place.path("long_build-1.0-%s.tar.gz" % scene.prefix)
    source_distribution(archive)

    slow = install(machine(scene, "has-compiler", builds, compiler), archive)
    require(slow > BUILD, "nothing was built: %.1f s" % slow)
    second = machine(scene, "has-none", builds)
    fast = install(second, archive)
    require_equal(builds.read_text(), "built\n", "how often it was built")
    require(fast < BUILD, "%.1f s: as long as the build" % fast)

    environment = dict(second.environment)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = files(second)
    compiled = [path for path in before if path.endswith(".pyc")]
    require(len(compiled) > MODULES, "%d modules came compiled" % len(compiled))
    said = scene.place.python(second.root / "venv", USE, environment=environment)
    require_equal(said, "42 %d" % MODULES, "what the package says")
    after = files(second)
    written = sorted(path for path in set(before) | set(after) if before.get(path) != after.get(path))
    require(not written, "the first import wrote %s" % written[:3])

    alone = machine(scene, "alone", builds)
    alone.environment["VIRTPY_REMOTE"] = "off"
    alone.virtpy("new", alone.root / "venv", "-p", own_interpreter())
    refused = alone.virtpy("add", "--venv", alone.root / "venv", "long-build @ " + archive.as_uri(), fails=True)
    require("there is no compiler" in refused[1], refused[1])
    yield "%s: built in %.1f s on one machine, had in %.2f s on another, without a compiler; its first import wrote nothing" % (
        scene.engine.kind, slow, fast)


def changed_key(scene):
    """What the old key signed is signed by a new one; who trusts that one alone builds nothing."""
    builds, path = scene.place.path("builds-" + scene.prefix), scene.place.path("new-%s.key" % scene.prefix)
    public = scene.place.virtpy("remote", "key", path)[0].strip()
    before = builds.read_text()
    signer = machine(scene, "signer", builds)
    signer.environment.update(VIRTPY_REMOTE_KEY_FILE=str(path), VIRTPY_REMOTE_TRUST="%s,%s" % (scene.public_key, public))
    said = signer.virtpy("remote", "push", "--sign-again")[1]
    require("Signed 2 objects" in said, said)
    reader = machine(scene, "reader", builds)
    reader.environment["VIRTPY_REMOTE_TRUST"] = public
    install(reader, scene.place.path("long_build-1.0-%s.tar.gz" % scene.prefix))
    require_equal(builds.read_text(), before, "how often it was built")
    require("0 damaged" in reader.virtpy("remote", "verify")[1], "verify")
    # Whose key no longer counts has nothing there.
    said = signer.virtpy("remote", "gc", "--untrusted", "--remove")[1]
    require("nothing to remove" in said, said)
    old = machine(scene, "old", builds)
    said = old.virtpy("remote", "gc", "--untrusted")[1]
    require("Would remove 2 objects" in said, said)
    yield "%s: the key was changed, and nothing was built again" % scene.engine.kind


def check(place):
    """On both engines."""
    for kind in ("moto", "seaweedfs"):
        yield from on_engine(place, kind, [built_once, changed_key])
