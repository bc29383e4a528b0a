"""What the classic applications are asked to do by `tools.py`, beyond telling their version.

Each function gets a `Runner` and raises CheckFailed if the application does not do its work.
"""

from support import require, require_equal


class Runner:
    """Runs the exposed commands of applications, each in a folder of its own, with a home folder of the check's."""

    def __init__(self, place, commands, home):
        self.place, self.commands = place, commands
        self.environment = dict(place.environment, HOME=str(home), CONAN_HOME=str(home / "conan"))
        for name in [name for name in self.environment if name.startswith("XDG_")]:
            del self.environment[name]
        self.work = home

    def folder(self, name):
        """A new folder to work in."""
        self.work = self.place.path("work") / name
        self.work.mkdir(parents=True)
        return self.work

    def __call__(self, command, *arguments, fails=False):
        """Runs a command and returns all that it said."""
        words = [self.commands / command] + list(arguments)
        out, err = self.place.run(words, fails=fails, environment=self.environment, cwd=self.work)
        return out + err


def black(run):
    """Formats a file."""
    file = run.folder("black") / "example.py"
    file.write_text("x = { 'a':1 }\n")
    run("black", "--quiet", file)
    require_equal(file.read_text(), 'x = {"a": 1}\n', "what black made of the file")


def ruff(run):
    """Finds an import that nobody uses."""
    file = run.folder("ruff") / "example.py"
    file.write_text("import os\n")
    require("F401" in run("ruff", "check", "--isolated", "--no-cache", file, fails=True), "ruff found nothing")


def poetry(run):
    """Makes a project."""
    folder = run.folder("poetry")
    run("poetry", "new", "--no-interaction", "example")
    require((folder / "example/pyproject.toml").exists(), "poetry made no project")


def tox(run):
    """Runs a session in a venv that it makes."""
    folder = run.folder("tox")
    session = "[tox]\nskipsdist = true\n[testenv]\nskip_install = true\ncommands = python -c \"print('in', 'tox')\"\n"
    (folder / "tox.ini").write_text(session)
    require("in tox" in run("tox", "run", "-e", "py"), "tox ran no session")


def nox(run):
    """Runs a session in a venv that it makes."""
    folder = run.folder("nox")
    session = "import nox\n\n@nox.session\ndef example(session):\n    session.run('python', '-c', \"print('in', 'nox')\")\n"
    (folder / "noxfile.py").write_text(session)
    require("in nox" in run("nox", "--session", "example"), "nox ran no session")


def httpie(run):
    """Shows the request that it would send."""
    run.folder("httpie")
    said = run("http", "--offline", "--ignore-stdin", "POST", "http://127.0.0.1/x", "a=b")
    require("POST /x HTTP/1.1" in said and '"a": "b"' in said, "httpie made no request:\n" + said)


def ansible(run):
    """Runs a module on this machine, by way of an interpreter that it finds."""
    run.folder("ansible")
    require("pong" in run("ansible", "localhost", "-m", "ping"), "ansible had no answer")


def cookiecutter(run):
    """Makes a project from a template on the disk."""
    folder = run.folder("cookiecutter")
    template = folder / "template"
    (template / "{{cookiecutter.name}}").mkdir(parents=True)
    (template / "cookiecutter.json").write_text('{"name": "example"}')
    (template / "{{cookiecutter.name}}/README").write_text("about {{cookiecutter.name}}")
    run("cookiecutter", "--no-input", template)
    require_equal((folder / "example/README").read_text(), "about example", "what cookiecutter made")


def pylint(run):
    """Finds a name that is not defined."""
    file = run.folder("pylint") / "example.py"
    file.write_text('"""Example."""\nprint(nothing)\n')
    require("E0602" in run("pylint", "--persistent=n", file, fails=True), "pylint found nothing")


def mypy(run):
    """Finds a wrong type."""
    file = run.folder("mypy") / "example.py"
    file.write_text("number: int = 'text'\n")
    require("Incompatible types" in run("mypy", file, fails=True), "mypy found nothing")


def vulture(run):
    """Finds a function that nobody calls."""
    file = run.folder("vulture") / "example.py"
    file.write_text("def lonely():\n    pass\n")
    require("unused function 'lonely'" in run("vulture", file, fails=True), "vulture found nothing")


def conan(run):
    """Describes this machine's compiler, as far as there is one."""
    run.folder("conan")
    run("conan", "profile", "detect")
    require("[settings]" in run("conan", "profile", "show"), "conan made no profile")


def pipdeptree(run):
    """Shows itself."""
    run.folder("pipdeptree")
    require("pipdeptree==" in run("pipdeptree", "--packages", "pipdeptree"), "pipdeptree does not see itself")


def ipython(run):
    """Runs code."""
    run.folder("ipython")
    require("forty-two 42" in run("ipython", "-c", "print('forty-two', 6 * 7)"), "ipython ran nothing")


def pre_commit(run):
    """Writes a configuration."""
    run.folder("pre-commit")
    require("repos:" in run("pre-commit", "sample-config"), "pre-commit wrote nothing")


USES = {
    "black": black,
    "ruff": ruff,
    "poetry": poetry,
    "tox": tox,
    "nox": nox,
    "pre-commit": pre_commit,
    "httpie": httpie,
    "ansible-core": ansible,
    "cookiecutter": cookiecutter,
    "pylint": pylint,
    "mypy": mypy,
    "vulture": vulture,
    "conan": conan,
    "pipdeptree": pipdeptree,
    "ipython": ipython,
}
