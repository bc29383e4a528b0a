"""Small servers of static files, one for each library, that serve several folders: `/0/` the first, `/1/` the second.

Each is run as `python server.py PORT`, in a folder with `roots.json`: the folders' names, relative to sys.prefix.
"""

# What every server begins with: the folders by their number.
BEGINNING = """
import json, os, sys
PORT = int(sys.argv[1])
with open("roots.json") as stream:
    ROOTS = [os.path.join(sys.prefix, root) for root in json.load(stream)]
"""

STARLETTE = """
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
routes = [Mount("/%d" % number, StaticFiles(directory=root)) for number, root in enumerate(ROOTS)]
uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=PORT, log_level="error")
"""

TORNADO = """
import asyncio
import tornado.web

async def main():
    handler = tornado.web.StaticFileHandler
    routes = [("/%d/(.*)" % number, handler, {"path": root}) for number, root in enumerate(ROOTS)]
    tornado.web.Application(routes).listen(PORT, "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
"""

AIOHTTP = """
from aiohttp import web
app = web.Application()
for number, root in enumerate(ROOTS):
    app.router.add_static("/%d" % number, root)
web.run_app(app, host="127.0.0.1", port=PORT, print=None)
"""

DJANGO = """
import functools
from wsgiref.simple_server import make_server
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", SECRET_KEY="none")
import django
from django.core.wsgi import get_wsgi_application
from django.urls import re_path
from django.views.static import serve
urlpatterns = [
    re_path("^%d/(?P<path>.*)$" % number, serve, {"document_root": root}) for number, root in enumerate(ROOTS)
]
make_server("127.0.0.1", PORT, get_wsgi_application()).serve_forever()
"""

WHITENOISE = """
from wsgiref.simple_server import make_server
from whitenoise import WhiteNoise

def missing(environment, start):
    start("404 Not Found", [])
    return [b""]

app = WhiteNoise(missing)
for number, root in enumerate(ROOTS):
    app.add_files(root, prefix="%d/" % number)
make_server("127.0.0.1", PORT, app).serve_forever()
"""

FLASK = """
from flask import Flask, send_from_directory
app = Flask(__name__)

@app.route("/<int:number>/<path:path>")
def send(number, path):
    return send_from_directory(ROOTS[number], path)

app.run("127.0.0.1", PORT)
"""

WERKZEUG = """
from werkzeug.exceptions import NotFound
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.serving import run_simple
app = SharedDataMiddleware(NotFound(), {"/%d" % number: root for number, root in enumerate(ROOTS)})
run_simple("127.0.0.1", PORT, app)
"""

SANIC = """
from sanic import Sanic
app = Sanic("served")
for number, root in enumerate(ROOTS):
    app.static("/%d" % number, root, name="root%d" % number)
if __name__ == "__main__":
    app.run("127.0.0.1", PORT, single_process=True, motd=False)
"""

LITESTAR = """
import uvicorn
from litestar import Litestar
from litestar.static_files import create_static_files_router
routers = [create_static_files_router("/%d" % number, [root]) for number, root in enumerate(ROOTS)]
uvicorn.run(Litestar(routers), host="127.0.0.1", port=PORT, log_level="error")
"""

FALCON = """
from wsgiref.simple_server import make_server
import falcon
app = falcon.App()
for number, root in enumerate(ROOTS):
    app.add_static_route("/%d" % number, root)
make_server("127.0.0.1", PORT, app).serve_forever()
"""

BOTTLE = """
import bottle

@bottle.route("/<number:int>/<path:path>")
def send(number, path):
    return bottle.static_file(path, root=ROOTS[number])

bottle.run(host="127.0.0.1", port=PORT, quiet=True)
"""

CHERRYPY = """
import cherrypy
folders = {
    "/%d" % number: {"tools.staticdir.on": True, "tools.staticdir.dir": root} for number, root in enumerate(ROOTS)
}
cherrypy.config.update({"server.socket_port": PORT, "engine.autoreload.on": False})
cherrypy.quickstart(None, "/", folders)
"""

PYRAMID = """
from wsgiref.simple_server import make_server
from pyramid.config import Configurator
config = Configurator()
for number, root in enumerate(ROOTS):
    config.add_static_view(str(number), root)
make_server("127.0.0.1", PORT, config.make_wsgi_app()).serve_forever()
"""

TWISTED = """
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.static import File
top = Resource()
for number, root in enumerate(ROOTS):
    top.putChild(str(number).encode(), File(root))
reactor.listenTCP(PORT, Site(top), interface="127.0.0.1")
reactor.run()
"""

# Those whose rules about real paths are known to be strict.
STRICT = {"starlette": STARLETTE, "tornado": TORNADO, "aiohttp": AIOHTTP}

OTHERS = {
    "django": DJANGO,
    "whitenoise": WHITENOISE,
    "flask": FLASK,
    "werkzeug": WERKZEUG,
    "sanic": SANIC,
    "litestar": LITESTAR,
    "falcon": FALCON,
    "bottle": BOTTLE,
    "cherrypy": CHERRYPY,
    "pyramid": PYRAMID,
    "twisted": TWISTED,
}
