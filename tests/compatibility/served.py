"""Static files over HTTP: each server and each application answers alike from both venvs, and refuses alike.

Servers compare real paths, to send nothing from outside the folder that they serve. In a venv of links what lies
in one folder may lie at several places in truth.
"""

import hashlib
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urljoin, urlsplit

from real_path_pair import build_wheel, free_port, get, serving
from support import require, require_equal

import served_applications
from served_applications import APPLICATIONS
from served_programs import BEGINNING, OTHERS, STRICT

VENVS = ("ours", "real")

# So many files of a folder are asked for.
FILES = 12

# Ways to write the folder above; what is there no server may send.
ABOVE = ("../", "..%2f", "%2e%2e/")

QUICK = "starlette uvicorn tornado aiohttp widgetsnbextension pydeck".split()

WHOLE = """
starlette uvicorn tornado aiohttp widgetsnbextension django whitenoise flask werkzeug sanic litestar falcon
bottle cherrypy pyramid twisted sphinx sphinx-rtd-theme furo pydata-sphinx-theme sphinx-book-theme mkdocs
mkdocs-material swagger-ui-bundle flask-admin
""".split()

# A module that looks for its neighbours by its real path.
CLIMBS = "from pathlib import Path\nHERE = Path(__file__).resolve().parent\nPLUGINS = HERE.parent / 'plugins'\n"

# Two distributions with static files at every kind of place.
FIRST = {
    "meeting/first/__init__.py": "",
    "meeting/static/first.css": "p {}",
    "meeting/static/first/a.css": "p {}",
    "meeting/static/first/deep/a.js": "1",
    "meeting/static/both/first.css": "p {}",
    "bare_assets/css/a.css": "p {}",
    "bare_assets/js/deep/a.js": "1",
    "climbing_app/__init__.py": CLIMBS,
    "climbing_app/index.html": "<p>",
    "climbing_app/static/a.css": "p {}",
    "climbing_app/static/deep/b.css": "p {}",
    "plain_app/__init__.py": "",
    "plain_app/static/a.css": "p {}",
    "plain_app/static/deep/b.css": "p {}",
}
SECOND = {
    "meeting/second/__init__.py": "",
    "meeting/static/second.css": "p {}",
    "meeting/static/second/deep/b.css": "p {}",
    "meeting/static/both/second.css": "p {}",
}

# The folders that are served, if the venv of real files has them; SITE is site-packages.
ROOTS = """
SITE/meeting SITE/meeting/static SITE/meeting/static/both SITE/bare_assets SITE/climbing_app SITE/climbing_app/static
SITE/plain_app SITE/plain_app/static share/jupyter/nbextensions share/jupyter/labextensions
SITE/django/contrib/admin/static SITE/furo/theme/furo/static SITE/pydata_sphinx_theme/theme/pydata_sphinx_theme/static
SITE/sphinx_rtd_theme/static SITE/material/templates/assets SITE/swagger_ui_bundle/vendor SITE/flask_admin/static
""".split()


def built(pair, names):
    """Makes the pair of venvs, with the two small distributions."""
    wheels = pair.place.path("wheels")
    wheels.mkdir()
    own = [build_wheel(wheels, "meeting_first", "1.0", FIRST), build_wheel(wheels, "meeting_second", "1.0", SECOND)]
    pair.build(names, wheels=own)
    return "%d distributions installed by both" % len(pair.pins)


def roots(pair):
    """The folders that can be served, by what is in the venv of real files; and files of each."""
    found = {}
    for root in (root.replace("SITE", pair.library) for root in ROOTS):
        folder = str(pair.place.path("real") / root)
        files = sorted(
            os.path.relpath(os.path.join(above, name), folder)
            for above, _, names in os.walk(folder)
            for name in names
            if not name.endswith((".py", ".pyc"))
        )
        if files:
            found[root] = files[:: max(1, len(files) // FILES)]
    return found


def answer(port, path, headers=None):
    """The status, and of a file that is sent its size and digest."""
    status, body = get(port, path, headers)
    return (status, len(body), hashlib.sha256(body).hexdigest()[:16]) if status == 200 else (status,)


def folder_with(pair, venv, name, files):
    """A fresh folder of a venv with these files."""
    folder = pair.place.path("%s-%s" % (name, venv))
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_text(text)
    return folder


def in_both(pair, what, function):
    """Requires that function(venv) returns the same dict for both venvs, run at once, and returns it."""
    with ThreadPoolExecutor(max_workers=len(VENVS)) as pool:
        ours, real = pool.map(function, VENVS)
    require_equal(ours, real, what)
    return real


def check_server(pair, name, program):
    """What one library serves of all folders, and what it refuses."""
    served = roots(pair)
    paths = []
    for number, files in enumerate(served.values()):
        paths += ["/%d/%s" % (number, quote(path)) for path in files]
    refused = ["/%d/no-such-file.css" % number for number in range(len(served))]
    for number, root in enumerate(served):
        depth = len(root.split("/"))
        refused += ["/%d/%spyvenv.cfg" % (number, above * depth) for above in ABOVE]

    def serve(venv):
        """The answers by path."""
        files = {"server.py": BEGINNING + program, "roots.json": json.dumps(list(served))}
        folder, port = folder_with(pair, venv, name, files), free_port()
        command = [str(pair.place.path(venv) / "bin" / "python"), "server.py", str(port)]
        with serving(command, pair.environment(venv), folder, port):
            return {path: answer(port, path) for path in paths + refused}

    found = in_both(pair, "what %s serves" % name, serve)
    good = [path for path in paths if found[path][0] == 200]
    outside = [path for path in refused if found[path][0] == 200]
    require_equal(outside, [], "what %s sends from outside" % name)
    require(len(good) >= 0.95 * len(paths), "%s serves %d of %d files" % (name, len(good), len(paths)))
    text = "%s serves the same %d files of %d folders, and refuses the same %d paths"
    return text % (name, len(good), len(served), len(refused))


def references(page, path):
    """The paths of the same server that a page refers to."""
    found = re.findall(r"""(?:src|href|"load")\s*[=:]\s*["']([^"'#\s<>{}]+)""", page)
    for name in found:
        parts = urlsplit(urljoin("http://here" + path, name.replace("&amp;", "&")))
        if parts.netloc == "here":
            yield parts.path + ("?" + parts.query if parts.query else "")


def stable(path):
    """A path without what differs from start to start: the query, tokens and files' times in names."""
    return re.sub(r"\?.*|[0-9a-f]{32,}|(?<=m)\d{10}(?=\.)", "", path)


def check_application(pair, name):
    """The pages of an application, and everything that they refer to."""
    application = APPLICATIONS[name]

    def visit(venv):
        """The answers by path."""
        folder, port = folder_with(pair, venv, "app-" + name, application.files), free_port()
        command = [part.replace("PORT", str(port)) for part in application.command.split()]
        command[0] = str(pair.place.path(venv) / "bin" / command[0])
        headers = {"Authorization": "token secret"}
        environment = dict(pair.environment(venv), GRADIO_ANALYTICS_ENABLED="False", PYTHONUNBUFFERED="1")
        with serving(command, environment, folder, port):
            found = {}
            for page in application.pages:
                status, body = get(port, page, headers)
                # A page may hold a token or the venv's path.
                found[page] = (status,)
                for path in sorted(set(references(body.decode("utf-8", "replace"), page))):
                    if stable(path) not in application.pages:
                        found[stable(path)] = answer(port, path, headers)
            found.update((path, answer(port, path, headers)) for path in application.paths)
        return {path: facts for path, facts in found.items() if not is_page(path, facts)}

    def is_page(path, facts):
        """Whether an answer is a page of the application's, which may differ from time to time."""
        return path not in application.pages and len(facts) > 1 and not re.search(r"\.\w+$", path)

    found = in_both(pair, "what %s serves" % name, visit)
    good = [path for path, facts in found.items() if facts[0] == 200]
    require(len(good) >= application.least, "%s answers only %d paths: %s" % (name, len(good), found))
    return "%s: %d paths are answered alike, %d of them with 200" % (name, len(found), len(good))


THEMES = ("alabaster", "sphinx_rtd_theme", "furo", "pydata_sphinx_theme", "sphinx_book_theme")


def tree(folder):
    """The files of a folder with their digests, but those that name the time or the place."""
    found = {}
    for above, _, names in os.walk(str(folder)):
        for name in names:
            path = os.path.join(above, name)
            with open(path, "rb") as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            found[os.path.relpath(path, str(folder))] = (digest, os.path.islink(path))
    return found


def check_documentation(pair):
    """Sphinx's themes and mkdocs' copy their static files into what they build."""
    files = {"index.rst": "Title\n=====\n", "index.md": "# Title\n"}
    settings = "site_name: x\ndocs_dir: %s\nsite_dir: %s\ntheme: material\n"

    def build(venv):
        """The static files of each theme."""
        source, found = folder_with(pair, venv, "documentation", files), {}
        programs, environment = pair.place.path(venv) / "bin", pair.environment(venv)
        for theme in THEMES:
            (source / "conf.py").write_text("html_theme = %r\n" % theme)
            target = pair.place.path("%s-%s" % (theme, venv))
            pair.place.run([programs / "sphinx-build", "-q", source, target], environment=environment)
            found.update((theme + "/" + path, facts) for path, facts in tree(target / "_static").items())
            shutil.rmtree(str(target))
        target, file = (pair.place.path("mkdocs-%s%s" % (venv, ending)) for ending in ("", ".yml"))
        file.write_text(settings % (source, target))
        pair.place.run([programs / "mkdocs", "build", "-q", "-f", file], environment=environment)
        found.update(("mkdocs/" + path, facts) for path, facts in tree(target / "assets").items())
        return found

    found = in_both(pair, "the static files of themes", build)
    counts = {theme: sum(path.startswith(theme + "/") for path in found) for theme in THEMES + ("mkdocs",)}
    require(min(counts.values()) >= 5, "too few static files: %s" % counts)
    return "%d static files of %d themes of Sphinx and of mkdocs' are built alike" % (len(found), len(THEMES))


def run(tally, pair, quick):
    """All comparisons, or those that take seconds."""
    names = QUICK if quick else WHOLE + served_applications.DISTRIBUTIONS
    if not tally.step("installing", built, pair, names):
        return
    programs = STRICT if quick else dict(STRICT, **OTHERS)
    for name, program in programs.items():
        tally.step(name, check_server, pair, name, program)
    if not quick:
        for name in APPLICATIONS:
            tally.step(name, check_application, pair, name)
        tally.step("documentation", check_documentation, pair)
    tally.step("check", lambda: pair.place.virtpy("check", "--venv", "ours") and "virtpy check finds nothing")
