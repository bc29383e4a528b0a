#!/usr/bin/env python3
"""What everyday commands do to the store when root runs them in a venv, and whether virtpy notices and mends it.

    python3 tests/hardening/everyday.py [--virtpy target/release/virtpy] [--only TEXT] [--list]
        [--bytecode eager|off] [--immutable] [--link-mode MODE]

Modes keep nobody out who is root, as most people are in containers. Each command runs in a new venv of one store; what
changed in the store's packages is looked for before and after. Needs root on Linux, an index of packages (as pip is
configured), and a few hundred MB. No part of `run.py`, since it needs a network.
"""

import argparse
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # Nothing may be left in the source tree.

from support import Place, is_root  # noqa: E402
from wheels import write_contents  # noqa: E402

PACKAGES = (
    "autopep8 black certifi click coverage cython django flask hy ipykernel ipython isort jinja2 mypy nbconvert numba numpy "
    "pip-tools pylint pytest requests ruff setuptools six sphinx twisted wheel yapf"
).split()

# Tools with environments of their own.
TOOLS = ("uv", "poetry", "virtualenv", "pip")

# A package with a function that numba compiles and keeps, and a Django application without its migrations.
OWN = {
    "hd_numba/__init__.py": "import numba\n\n@numba.njit(cache=True)\ndef double(value):\n    return 2 * value\n",
    "hd_django/__init__.py": "",
    "hd_django/models.py": "from django.db import models\n\nclass Thing(models.Model):\n    name = models.TextField()\n",
    "hd_django/locale/de/LC_MESSAGES/django.po": 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n',
}

# The project in which they run.
PROJECT = {
    "prog.py": "import click\n\n\ndef double(value):\n    return 2*value\n\nif __name__ == '__main__':\n    print(double(2))\n",
    "test_prog.py": "import prog, flask, requests\n\ndef test_double():\n    assert prog.double(1) == 2\n",
    "manage.py": "import django\nfrom django.conf import settings\nsettings.configure(INSTALLED_APPS=['hd_django', "
    "'django.contrib.staticfiles'], DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db'}}, "
    "STATIC_URL='/s/', STATIC_ROOT='static')\ndjango.setup()\nimport sys\nfrom django.core.management import execute_from_command_line\n"
    "execute_from_command_line(sys.argv)\n",
    "index.rst": "Title\n=====\n",
    "conf.py": "",
    "book.ipynb": '{"cells": [{"cell_type": "code", "source": "1 + 1", "metadata": {}, "outputs": [], "execution_count": null}],'
    ' "metadata": {"kernelspec": {"name": "python3", "display_name": "x"}}, "nbformat": 4, "nbformat_minor": 2}',
    "fast.pyx": "def double(int value):\n    return 2 * value\n",
    "pyproject.toml": "[project]\nname = 'everyday'\nversion = '1'\nrequires-python = '>=3.9'\n\n[build-system]\n"
    "requires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n\n[tool.setuptools]\npy-modules = ['prog']\n",
    "requirements.in": "click\n",
    "requirements.txt": "click\n",
}

# The commands by what they are for. `$SITE` is the venv's folder of packages, `$PY` its base interpreter.
COMMANDS = {
    "running": """
        python -c 'import numpy, flask, django, requests, twisted, IPython'
        python -O -c 'import flask, jinja2'
        python -OO -m pytest -q test_prog.py
        python -m compileall -q .venv/lib
        python -m compileall -q -f $SITE/flask
        python -m compileall -q -o 1 -o 2 $SITE/click
        python -m cProfile -o profile prog.py
        python -X importtime -c 'import sphinx'
        python -c 'import hd_numba; hd_numba.double(2)'
        hy -c '(import click)'
        trial --help
        python -c 'from twisted.plugin import IPlugin, getPlugins; list(getPlugins(IPlugin))'
        ipython -c '1 + 1'
        python -m ipykernel install --sys-prefix
        jupyter nbconvert --to html book.ipynb
        jupyter nbconvert --to notebook --execute book.ipynb
        python manage.py makemigrations hd_django
        python manage.py migrate
        python manage.py collectstatic --noinput
        cd $SITE/hd_django && python ../../../../../manage.py compilemessages
        flask --app prog --help
        sphinx-build -q -C . out
    """,
    "testing and formatting": """
        pytest -q
        pytest -q --pyargs click iniconfig
        coverage run -m pytest -q && coverage html
        mypy prog.py
        mypy -p flask
        pylint --exit-zero prog.py
        black prog.py
        black -q .venv/lib/*/site-packages/click
        isort -q $SITE/flask
        ruff check --fix --exit-zero --no-respect-gitignore $SITE/requests
        ruff format --no-respect-gitignore $SITE/requests
        autopep8 -i -r $SITE/jinja2
        yapf -i $SITE/six.py
        yapf -i $SITE/flask/app.py
        cythonize -i fast.pyx
        cythonize -i $SITE/click/_utils.py
    """,
    "installing": """
        pip install --upgrade click
        pip install --force-reinstall --no-deps click
        pip install --ignore-installed --no-deps click
        pip install --no-deps -t $SITE --upgrade click
        pip install -e . --no-build-isolation
        pip uninstall -y click
        python -m ensurepip --upgrade
        pip-sync requirements.txt
        pip-compile -q requirements.in
        real-pip --python .venv/bin/python install --upgrade --no-deps click
        real-pip --python .venv/bin/python install --upgrade --no-deps click==8.1.7
        real-pip --python .venv/bin/python install --force-reinstall --no-deps click
        real-pip --python .venv/bin/python install --ignore-installed --no-deps click==8.1.7
        real-pip --python .venv/bin/python uninstall -y click
        real-pip install --no-deps --upgrade -t $SITE click==8.1.7
        real-pip install --no-deps --prefix .venv --ignore-installed click==8.1.7
        uv pip install --upgrade --no-deps click==8.1.7
        uv pip install --reinstall --no-deps click
        uv pip install --no-deps --target $SITE click==8.1.7
        uv pip uninstall click
        uv pip sync requirements.txt
        uv sync -q
        poetry run pip install --no-deps --upgrade click
        poetry -q add --no-interaction --lock click
        $PY -m venv .venv
        $PY -m venv --upgrade .venv
        virtualenv -q .venv
    """,
    "files": """
        sed -i 's/import/import/' $SITE/six.py
        sed -i 's/import/import/' $SITE/click/types.py
        perl -pi -e 's/import/import/' $SITE/click/types.py
        echo '# more' >> $SITE/click/types.py
        vim -es -u NONE -c 'normal Oimport os' -c 'wq!' $SITE/click/types.py
        printf '1i\\n# first\\n.\\nw\\nq\\n' | ed -s $SITE/click/types.py
        sed '1i # patched' $SITE/click/types.py | diff -u $SITE/click/types.py - | patch -s $SITE/click/types.py
        cat prog.py >> $(python -m certifi)
        cp prog.py $SITE/click/types.py
        cp prog.py $SITE/click/new.py
        touch $SITE/click/types.py
        touch -h $SITE/*
        chmod -R u+w .venv
        chmod -R go-w .venv
        chmod -R a+rX $SITE/*
        chown -R nobody .venv
        chown -R -L nobody $SITE
        find $SITE -exec chmod u+w {} +
        find -L $SITE -name '*.py' -exec chmod 644 {} +
        find .venv -name '*.pyc' -delete
        find . -name __pycache__ -prune -exec rm -rf {} +
        find -L $SITE/flask -name __pycache__ -prune -exec rm -rf {} +
        find -L $SITE -name '*.so' -exec strip --strip-unneeded {} +
        rm -rf $SITE/click
        rm -rf $SITE/click/*
        rm -rf .venv
        cp -r .venv copy && echo '# more' >> copy/lib/*/site-packages/click/types.py
        cp -rL .venv copy && echo '# more' >> copy/lib/*/site-packages/click/types.py
        tar cf venv.tar .venv && tar xf venv.tar
        tar chf venv.tar .venv && tar xf venv.tar
        rsync -a .venv/ copy/ && rsync -a --inplace copy/ .venv/
        rsync -aL --inplace $SITE/flask/ $SITE/click/
        git init -q && git add -f . && git stash -q && git stash pop -q
        git init -q && git clean -qfdx
    """,
}


def commands():
    """All commands, with what they are for."""
    for purpose, lines in COMMANDS.items():
        for line in lines.strip().splitlines():
            yield purpose, line.strip()


def facts_of(folder):
    """What can be told of every file without reading it, by its path. Of folders only what their content does not tell."""
    said = subprocess.run(
        ["find", str(folder), "-type", "d", "-printf", "%P\\0%y %m %U\\0", "-o", "-printf", "%P\\0%y %m %U %s %T@ %i %l\\0"],
        check=True, stdout=subprocess.PIPE).stdout
    parts = os.fsdecode(said).split("\0")
    return dict(zip(parts[0::2], parts[1::2]))


def content_of(folder, path):
    """What a path holds, without times."""
    full = os.path.join(str(folder), path)
    try:
        facts = os.lstat(full)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(facts.st_mode):
        with open(full, "rb") as file:
            return facts.st_mode, facts.st_uid, hashlib.sha256(file.read()).hexdigest()
    return facts.st_mode, facts.st_uid, os.readlink(full) if stat.S_ISLNK(facts.st_mode) else ""


class Scene:
    """A store with packages, and venvs that are made again for each command."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.place = place = Place(arguments.virtpy, arguments.folder)
        environment = place.environment
        for name in ("VIRTPY_PIP_SHIM", "PYTHONDONTWRITEBYTECODE"):
            del environment[name]
        for name, value in os.environ.items():
            if name.upper().startswith(("PIP_", "UV_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy"):
                environment[name] = value
        environment["VIRTPY_BYTECODE"] = arguments.bytecode
        environment["HOME"] = str(place.folder(place.root / "home"))
        if arguments.immutable:
            environment["VIRTPY_IMMUTABLE"] = "1"
        place.wheels.mkdir()
        self.own = write_contents(place.wheels, "hd-everyday", "1.0", OWN)
        self.tools = place.root / "tools"
        self.entries = place.home / "w"
        # What can be told of each path, and what it holds, when all is in order.
        self.before, self.sound = {}, {}
        base = os.path.realpath(os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2]))
        self.base = base if os.path.exists(base) else sys.executable

    def set_up(self):
        """Installs the tools, and fills the store."""
        place = self.place
        place.begin()
        binaries = self.tools / "bin"
        binaries.mkdir(parents=True)
        for name in TOOLS:
            folder = self.tools / name
            subprocess.run([self.base, "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run(pip + [name], check=True, stdout=subprocess.DEVNULL)
            (binaries / ("real-pip" if name == "pip" else name)).symlink_to(folder / "bin" / name)
        self.venv()
        self.settle()

    def venv(self):
        """Makes the project and its venv again."""
        place = self.place
        shutil.rmtree(str(place.project))
        place.project.mkdir()
        for name, text in PROJECT.items():
            (place.project / name).write_text(text)
        place.virtpy("new", "--link-mode", self.arguments.link_mode, "-p", self.base, place.venv)
        place.virtpy("add", "--venv", place.venv, *PACKAGES, self.own, timeout=900)
        return next(place.venv.glob("lib/*/site-packages"))

    def settle(self):
        """Has all bytecode compiled that is wanted, and notes how everything is."""
        if self.arguments.bytecode != "off":
            self.place.virtpy("store", "compile", "--wait", timeout=900)
        before, self.before = self.before, facts_of(self.entries)
        for path, facts in self.before.items():
            if before.get(path) != facts:
                self.sound[path] = content_of(self.entries, path)

    def run(self, command):
        """Runs a command in a new venv. Returns its exit code."""
        site = self.venv()
        environment = dict(self.place.environment, SITE=str(site), PY=self.base, VIRTUAL_ENV=str(self.place.venv))
        environment["PATH"] = ":".join([str(self.place.venv / "bin"), str(self.tools / "bin"), environment["PATH"]])
        shell = ["sh", "-c", command]
        return self.place.attempt(shell, environment, timeout=300, folder=self.place.project)

    def changed(self):
        """What changed of the packages that were there before. What virtpy adds is its own work."""
        now = facts_of(self.entries)
        known = {path.split(os.sep)[0] for path in self.before}
        paths = [path for path in sorted(set(now) | set(self.before)) if now.get(path) != self.before.get(path)]
        return [path for path in paths if path.split(os.sep)[0] in known]

    def is_mended(self):
        """Whether repairing brings back everything but bytecode, which is compiled again."""
        repaired = self.place.attempt([self.place.program, "store", "repair"], timeout=900)
        verified = self.place.attempt([self.place.program, "store", "verify"], timeout=900)
        # What tells of an entry's bytecode, and when it was unpacked.
        is_compared = lambda path: "__pycache__" not in path and not re.search(r"^\w+/(bytecode\.|entry\.json)", path)
        wrong = [path for path in self.changed() if is_compared(path)
                 and content_of(self.entries, path) != self.sound.get(path)]
        if verified.code != 0 or wrong:
            print("\n".join(str(repaired).splitlines()[-3:] + str(verified).splitlines()[-3:] + wrong[:3]))
        return verified.code == 0 and not wrong

    def end(self):
        """Removes everything."""
        self.place.attempt([self.place.program, "store", "protect", "--undo"])
        if not self.arguments.keep:
            self.place.remove()


def main():
    """Runs the commands, says what each did, and counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "target" / "release" / "virtpy"
    parser.add_argument("--virtpy", type=Path, default=default, help="the program under test")
    parser.add_argument("--only", metavar="TEXT", help="commands that contain this")
    parser.add_argument("--list", action="store_true", help="print the commands")
    parser.add_argument("--bytecode", choices=("eager", "off"), default="eager",
                        help="whether bytecode is there when the command runs (eager), or not yet (off)")
    parser.add_argument("--immutable", action="store_true", help="with the setting `immutable`")
    parser.add_argument("--link-mode", default="auto", help="how venvs are linked")
    parser.add_argument("--folder", help="where to work; by default where temporary files are")
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    arguments = parser.parse_args()
    chosen = [item for item in commands() if not arguments.only or arguments.only in item[1]]
    if arguments.list:
        print("\n".join("%s: %s" % item for item in chosen))
        return 0
    if not is_root():
        sys.exit("only root can do this")
    scene = Scene(arguments)
    counts = dict.fromkeys(("run", "failed", "changed", "noticed by verify", "noticed by check", "mended"), 0)
    try:
        scene.set_up()
        print("%d files in the store" % len(scene.before), flush=True)
        for purpose, command in chosen:
            begin = time.monotonic()
            program = command.split()[0]
            done = scene.run(command)
            if done.code == 127 or "%s: not found" % program in done.err:
                print("skipped   %s" % command, flush=True)
                continue
            counts["run"] += 1
            counts["failed"] += done.code != 0
            paths = scene.changed()
            words = "exit %d" % done.code if done.code else ""
            if paths:
                judge(scene, counts, paths, words, command)
            else:
                print("untouched %s  %s" % (command, words), flush=True)
            if arguments.keep:
                print("          %s, %.1f s" % (purpose, time.monotonic() - begin))
    finally:
        scene.end()
    print(", ".join("%d %s" % (count, what) for what, count in counts.items()))
    return 0


def judge(scene, counts, paths, words, command):
    """Looks whether a change is noticed and mended."""
    place, result = scene.place, {}
    result["noticed by verify"] = place.attempt([place.program, "store", "verify"], timeout=900).code != 0
    done = place.attempt([place.program, "check", "--venv", place.venv], timeout=300)
    # Bytecode that is nobody's is removed at once, and what an installer left a trace of is restored; both are named.
    named = "removed `" in done.err or "in the store, through the venv" in done.err
    result["noticed by check"] = done.code != 0 or named
    result["mended"] = scene.is_mended()
    counts["changed"] += 1
    for what, holds in result.items():
        counts[what] += holds
    print("CHANGED   %s  %s" % (command, words))
    print("          %d paths, such as %s" % (len(paths), paths[0]))
    print("          %s" % ", ".join(what if holds else "NOT " + what for what, holds in result.items()), flush=True)
    scene.settle()


if __name__ == "__main__":
    sys.exit(main())
