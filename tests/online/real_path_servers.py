"""Web frameworks serve the static files of packages in site-packages."""

import re

from real_path_demo import FIRST
from real_path_pair import VENVS, free_port, get
from support import CheckFailed, require, require_equal

FIND = "from django.contrib.staticfiles import finders; print(finders.find('admin/css/base.css'))"

FLASK = """
from flask import Flask
from demo_blueprint import pages
app = Flask(__name__)
app.register_blueprint(pages)
"""

STARLETTE = """
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
packages = ["%s"]
app = Starlette(routes=[Mount("/static", StaticFiles(packages=[(name, "static") for name in packages]))])
"""

STARLETTE_FOLDER = """
import os, %(package)s
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
folder = os.path.join(list(%(package)s.__path__)[0], "static")
app = Starlette(routes=[Mount("/static", StaticFiles(directory=folder))])
"""

TORNADO = """
import asyncio, os, sys, %(package)s
import tornado.web
folder = os.path.join(list(%(package)s.__path__)[0], "static")


async def main():
    routes = [(r"/static/(.*)", tornado.web.StaticFileHandler, {"path": folder})]
    tornado.web.Application(routes).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
"""

AIOHTTP = """
import os, sys, %(package)s
from aiohttp import web
folder = os.path.join(list(%(package)s.__path__)[0], "static")
app = web.Application()
app.router.add_static("/static", folder)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def answers(pair, command, folder, paths):
    """What a server of each venv answers: the same as with real files, and for all paths the status 200."""

    def serve(venv):
        """Status and body by path."""
        port = free_port()
        arguments = [str(part).replace("PORT", str(port)) for part in command]
        with pair.serving(venv, arguments, folder / venv, port):
            return {path: get(port, path) for path in paths}

    return pair.same(" ".join(command[:3]), serve)


def require_demo(found, prefix):
    """The demo package's files are served whole, and nothing outside its folder is."""
    for path in ("demo.css", "deep/demo.js"):
        expected = (200, FIRST["demo_blueprint/static/" + path].encode())
        require_equal(found[prefix + path], expected, prefix + path)
    require_equal(found[prefix + "../__init__.py"][0], 404, "a path that leads out of the folder")


def demo_paths(prefix):
    """The paths that are asked for."""
    return [prefix + name for name in ("demo.css", "deep/demo.js", "../__init__.py")]


def folders(pair, name, files):
    """A folder for each venv with the same files; returns the folder above."""
    folder = pair.folder(name)
    for venv in VENVS:
        (folder / venv).mkdir()
        for path, text in files.items():
            (folder / venv / path).write_text(text)
    return folder


def django(pair):
    """runserver and collectstatic with the admin's files, and the admin's templates."""
    folder = folders(pair, "django", {})
    for venv in VENVS:
        pair.run(venv, ["django-admin", "startproject", "site1", "."], folder / venv)
        with open(str(folder / venv / "site1" / "settings.py"), "a") as settings:
            settings.write("STATIC_ROOT = BASE_DIR / 'collected'\n")

    def collect(venv):
        """What collectstatic says, and the files it made."""
        text = pair.run(venv, ["python", "manage.py", "collectstatic", "--noinput"], folder / venv)
        files = [path for path in (folder / venv / "collected").rglob("*") if path.is_file()]
        require(not any(path.is_symlink() for path in files), "collectstatic made links")
        number = int(re.search(r"(\d+) static file", text).group(1))
        finder = pair.run(venv, ["python", "manage.py", "shell", "-c", FIND], folder / venv)
        return number, len(files), finder.split()[-1]

    number, files, finder = pair.same("collectstatic", collect)
    require(number == files > 100, "collectstatic copied %d files, %d are there" % (number, files))
    require("site-packages/django/contrib/admin/static" in finder, "the finder: " + finder)
    paths = ["/static/admin/css/base.css", "/static/admin/js/core.js", "/admin/login/", "/static/no/such.css"]

    def statuses(venv):
        """Status and body by path; pages that hold a token count by their size."""
        port = free_port()
        command = ["python", "manage.py", "runserver", "127.0.0.1:%d" % port]
        with pair.serving(venv, command, folder / venv, port):
            found = {path: get(port, path) for path in paths}
        return {
            path: (code, body if path.endswith("base.css") else None) for path, (code, body) in found.items()
        }

    found = pair.same("runserver", statuses)
    require_equal([found[path][0] for path in paths], [200, 200, 200, 404], "runserver's answers")
    return "Django: runserver serves the admin's files, collectstatic copies %d" % number


def flask(pair):
    """A blueprint's static folder and template."""
    folder = folders(pair, "flask", {"app.py": FLASK})
    command = ["flask", "--app", "app", "run", "--port", "PORT"]
    found = answers(pair, command, folder, demo_paths("/demo/static/") + ["/demo/"])
    require_demo(found, "/demo/static/")
    require_equal(found["/demo/"], (200, b"<p>Hello, visitor</p>"), "the page from the package's template")
    return "Flask serves a blueprint's static files and template"


def starlette(pair):
    """StaticFiles(packages=…)."""
    folder = folders(pair, "starlette", {"app.py": STARLETTE % "demo_blueprint"})
    command = ["uvicorn", "app:app", "--host", "127.0.0.1", "--port", "PORT"]
    require_demo(answers(pair, command, folder, demo_paths("/static/")), "/static/")
    return "Starlette serves a package's static files"


def tornado(pair):
    """StaticFileHandler."""
    folder = folders(pair, "tornado", {"app.py": TORNADO % {"package": "demo_blueprint"}})
    found = answers(pair, ["python", "app.py", "PORT"], folder, demo_paths("/static/"))
    outside = found.pop("/static/../__init__.py")
    require_demo(
        dict(found, **{"/static/../__init__.py": (404 if outside[0] == 403 else outside[0], b"")}), "/static/"
    )
    return "tornado serves a package's static files"


def aiohttp(pair):
    """add_static."""
    folder = folders(pair, "aiohttp", {"app.py": AIOHTTP % {"package": "demo_blueprint"}})
    require_demo(answers(pair, ["python", "app.py", "PORT"], folder, demo_paths("/static/")), "/static/")
    return "aiohttp serves a package's static files"


def folder_shared_by_two(pair):
    """A static folder that holds files of two distributions, and so links to files."""
    source = {"package": "demo_shared"}
    programs = {
        "starlette": (STARLETTE_FOLDER, ["uvicorn", "app:app", "--host", "127.0.0.1", "--port", "PORT"]),
        "tornado": (TORNADO, ["python", "app.py", "PORT"]),
        "aiohttp": (AIOHTTP, ["python", "app.py", "PORT"]),
    }
    paths, problems = ["/static/first.css", "/static/second.css"], []
    for name, (text, command) in programs.items():
        folder = folders(pair, "shared-" + name, {"app.py": text % source})
        try:
            found = answers(pair, command, folder, paths)
            require_equal([found[path][0] for path in paths], [200, 200], name)
        except CheckFailed as problem:
            problems.append("%s: %s" % (name, problem))
    require(not problems, "\n".join(problems))
    return "Starlette, tornado and aiohttp serve a folder that two distributions share"
