"""The foreign installers: real pip, uv, Poetry and the library `installer`, each in a venv of its own.

How Poetry uninstalls: in a venv without a pip, Poetry 1.8 and, with `installer.builtin-uninstall` off,
Poetry 2 run the pip wheel that their virtualenv embeds, with the venv's interpreter. With the setting on,
Poetry 2 deletes the files in its own process. All of them write wheels in their own process, through the
library `installer`.
"""

import re
from concurrent.futures import ThreadPoolExecutor

from foreign_wheels import find_wheel
from support import require

# What is installed into which venv of a tool.
TOOLS = {
    "pip-newest": "pip",
    "pip-23": "pip>=23,<24",
    "uv": "uv",
    "poetry-2": "poetry>=2.5,<3",
    "poetry-1.8": "poetry>=1.8,<1.9",
    "installer": "installer",
}

# What every version must begin with, so that the check never runs against something else.
EXPECTED = {
    "pip-newest": r"2[6-9]\.|[3-9]\d\.",
    "pip-23": r"23\.",
    "poetry-2": r"2\.",
    "poetry-1.8": r"1\.8\.",
}

# Settings of the machine that must not reach the tools when they work on a venv.
SETTINGS = re.compile(r"^(PIP|UV|POETRY|VIRTUAL_ENV|CONDA)(_|$)|^(HTTPS?|ALL|NO)_PROXY$", re.IGNORECASE)

# Writes wheels with the library `installer` over whatever is there.
OVERWRITE = """
import sys, sysconfig
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
venv, wheels = sys.argv[1], sys.argv[2:]
paths = sysconfig.get_paths("posix_prefix", vars={"base": venv, "platbase": venv})
for wheel in wheels:
    schemes = {key: paths[key] for key in ("purelib", "platlib", "scripts", "data")}
    schemes["headers"] = paths["include"]
    destination = SchemeDictionaryDestination(
        schemes, interpreter=venv + "/bin/python", script_kind="posix", overwrite_existing=True
    )
    with WheelFile.open(wheel) as source:
        install(source=source, destination=destination, additional_metadata={"INSTALLER": b"installer"})
"""

PROJECT = """[tool.poetry]
name = "project"
version = "1.0"
package-mode = false

[[tool.poetry.source]]
name = "loopback"
url = "%s"
priority = "primary"

[tool.poetry.dependencies]
python = ">=3.8"
"""



def install_tools(place, interpreter, accounts):
    """Installs every tool into a venv of its own, at place/tools, and returns their versions by name.

    They run as every account, which is tried: that one cannot start must not pass for a refusal.
    """
    folder = place.path("tools")
    folder.mkdir()
    first = folder / "pip-newest"
    place.run([interpreter, "-m", "venv", first])
    place.run([first / "bin/python", "-m", "pip", "install", "--quiet", "--upgrade", "pip"])

    def install(name):
        """Installs one tool and returns its version."""
        venv = folder / name
        if venv != first:
            place.run([interpreter, "-m", "venv", "--without-pip", venv])
            pip = [first / "bin/python", "-m", "pip", "--python", venv / "bin/python"]
            place.run(pip + ["install", "--quiet", TOOLS[name]])
        code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
        distribution = re.match(r"[a-z]+", name).group()
        command = [venv / "bin/python", "-c", code, distribution]
        versions = {place.run(account.command(command))[0].strip() for account in accounts}
        return ", ".join(sorted(versions))

    with ThreadPoolExecutor(max_workers=2) as pool:
        versions = dict(zip(TOOLS, pool.map(install, TOOLS)))
    for name, pattern in EXPECTED.items():
        require(re.match(pattern, versions[name]), "%s is %s" % (name, versions[name]))
    return versions


class Pip:
    """A real pip that works on the venv from outside, with `--python`."""

    installer = "pip"
    reinstalls = True
    starts_pip_for_each = False

    def __init__(self, tools, name):
        self.name = name
        self.command = [tools / name / "bin/python", "-m", "pip"]

    def run(self, scene, *arguments, **options):
        """Runs pip on the scene's venv and returns its outputs."""
        return scene.run(self.command + ["--python", scene.venv / "bin/python"] + list(arguments), **options)

    def install(self, scene, pins):
        """Installs what is not there yet."""
        self.run(scene, "install", *pins)

    def upgrade(self, scene, pins):
        """Replaces what is there by another version."""
        self.run(scene, "install", "--upgrade", *pins)

    def reinstall(self, scene, pins):
        """Installs again what is there."""
        self.run(scene, "install", "--force-reinstall", *pins)

    def overwrite(self, scene, pins, **options):
        """Writes over what is there, without uninstalling it, and returns the tool's outputs."""
        return self.run(scene, "install", "--ignore-installed", *pins, **options)

    def uninstall(self, scene, names):
        """Removes distributions."""
        self.run(scene, "uninstall", "--yes", *names)


class Uv:
    """uv's pip interface."""

    name = installer = "uv"
    reinstalls = True
    starts_pip_for_each = False

    def __init__(self, tools):
        self.program = tools / "uv/bin/uv"

    def run(self, scene, verb, *arguments):
        """Runs uv on the scene's venv."""
        command = [self.program, "pip", verb, "--python", scene.venv / "bin/python"]
        scene.run(command + list(arguments))

    def install(self, scene, pins):
        """Installs what is not there yet."""
        self.run(scene, "install", *pins)

    def upgrade(self, scene, pins):
        """Replaces what is there by another version."""
        self.run(scene, "install", "--upgrade", *pins)

    def reinstall(self, scene, pins):
        """Installs again what is there."""
        self.run(scene, "install", "--reinstall", *pins)

    def uninstall(self, scene, names):
        """Removes distributions."""
        self.run(scene, "uninstall", *names)


class Poetry:
    """Poetry in a project whose `.venv` is the scene's venv."""

    installer = "Poetry"
    reinstalls = False

    def __init__(self, tools, name, builtin_uninstall=None):
        self.command = [tools / name / "bin/python", "-m", "poetry"]
        self.name = name
        self.starts_pip_for_each = not builtin_uninstall
        self.settings = {
            "POETRY_NO_INTERACTION": "1",
            "POETRY_KEYRING_ENABLED": "false",
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        if builtin_uninstall is not None:
            self.settings["POETRY_INSTALLER_BUILTIN_UNINSTALL"] = str(builtin_uninstall).lower()
            self.name += "-builtin-uninstall" if builtin_uninstall else "-pip-uninstall"

    def run(self, scene, *arguments):
        """Runs Poetry in the project, to which this venv must belong."""
        scene.run(self.command + list(arguments), settings=self.settings)

    def project(self, scene, pins):
        """Writes a project that requires these pins, without a lock file."""
        rows = ['%s = {version = "%s", source = "loopback"}\n' % tuple(pin.split("==")) for pin in pins]
        scene.write("pyproject.toml", PROJECT % scene.index_url + "".join(rows))
        scene.delete("poetry.lock")

    def present(self, scene):
        """What the venv has, as pins."""
        return ["%s==%s" % item for item in scene.versions().items()]

    def install(self, scene, pins):
        """Adds requirements to a project that has what is installed."""
        self.project(scene, self.present(scene))
        self.run(scene, "add", "--source", "loopback", *pins)

    def upgrade(self, scene, pins):
        """Installs a project that has other versions than the venv."""
        wanted = dict(pin.split("==") for pin in self.present(scene))
        wanted.update(pin.split("==") for pin in pins)
        self.project(scene, ["%s==%s" % item for item in wanted.items()])
        self.run(scene, "install")

    def uninstall(self, scene, names):
        """Removes requirements from the project."""
        self.project(scene, self.present(scene))
        self.run(scene, "lock")  # Only what is locked is uninstalled.
        self.run(scene, "remove", *names)


class Overwriter:
    """The library `installer` with `overwrite_existing`: a writer that never uninstalls."""

    name = installer = "installer"

    def __init__(self, tools):
        self.python = tools / "installer/bin/python"

    def overwrite(self, scene, pins, **options):
        """Writes wheels over what is there and returns the outputs."""
        wheels = [find_wheel(scene.wheels, *pin.split("==")) for pin in pins]
        return scene.run([self.python, "-c", OVERWRITE, scene.venv] + wheels, **options)


def installers(tools):
    """The tools that uninstall before they write."""
    return [
        Pip(tools, "pip-newest"),
        Pip(tools, "pip-23"),
        Uv(tools),
        Poetry(tools, "poetry-2", builtin_uninstall=False),
        Poetry(tools, "poetry-2", builtin_uninstall=True),
        Poetry(tools, "poetry-1.8"),
    ]


def overwriters(tools):
    """The tools that write without uninstalling."""
    return [Pip(tools, "pip-newest"), Pip(tools, "pip-23"), Overwriter(tools)]
