"""Applications with a web page: the page, and all that it refers to, is what is asked for."""

from collections import namedtuple

# `command` is run in a folder with `files`; PORT stands for the port. `pages` are paths of pages whose
# links are followed, `paths` those that no page names. `least` is how many answers must be 200.
Application = namedtuple("Application", "files command pages paths least")

NOTEBOOK = """
{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [],
 "source": ["import ipywidgets; ipywidgets.IntSlider()"]}],
 "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
 "nbformat": 4, "nbformat_minor": 5}
"""

JUPYTER = [
    "/nbextensions/jupyter-js-widgets/extension.js",
    "/nbextensions/pydeck/index.js",
    "/nbextensions/dash/main.js",
    "/nbextensions/no/such.js",
    "/nbextensions/../../../pyvenv.cfg",
    "/lab/extensions/@jupyter-widgets/jupyterlab-manager/package.json",
    "/lab/extensions/jupyterlab_pygments/package.json",
    "/lab/extensions/jupyterlab-plotly/package.json",
    "/lab/api/themes/@jupyterlab/theme-light-extension/index.css",
    "/lab/api/themes/@jupyterlab/theme-dark-extension/index.css",
    "/kernelspecs/python3/logo-64x64.png",
    "/static/favicon.ico",
    "/static/style/bootstrap.min.css",
    "/nbclassic/static/style/style.min.css",
    "/voila/static/voila.js",
]

BOKEH = """
from bokeh.plotting import curdoc, figure
plot = figure()
plot.line([1, 2], [1, 2])
curdoc().add_root(plot)
"""

PANEL = """
import panel
panel.extension("tabulator", "plotly")
panel.Column("# title", panel.widgets.IntSlider()).servable()
"""

STREAMLIT = """
import streamlit
streamlit.write("text")
"""

DASH = """
import sys
from dash import Dash, dcc, html
app = Dash(__name__, serve_locally=True)
app.layout = html.Div([dcc.Slider(0, 1)])
app.run(host="127.0.0.1", port=int(sys.argv[1]))
"""

GRADIO = """
import sys
import gradio
gradio.Interface(lambda text: text, "text", "text").launch(server_name="127.0.0.1", server_port=int(sys.argv[1]))
"""

NICEGUI = """
import sys
from nicegui import ui

@ui.page("/")
def page():
    ui.label("text")
    ui.echart({})

ui.run(host="127.0.0.1", port=int(sys.argv[1]), show=False, reload=False)
"""

MARIMO = """
import marimo
app = marimo.App()

@app.cell
def _():
    return
"""

DJANGO = """
import sys
from django.conf import settings
settings.configure(
    DEBUG=True, ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", SECRET_KEY="none", STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.staticfiles", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.messages", "django.contrib.sessions", "django.contrib.admin", "rest_framework",
                    "debug_toolbar"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
from django.core.management import execute_from_command_line
urlpatterns = []
if __name__ == "__main__":
    execute_from_command_line(["x", "runserver", "--noreload", "--skip-checks", "127.0.0.1:" + sys.argv[1]])
"""

APPLICATIONS = {
    "jupyter": Application(
        {"book.ipynb": NOTEBOOK},
        "jupyter-lab --no-browser --ip=127.0.0.1 --port=PORT --allow-root --IdentityProvider.token=secret"
        " --ServerApp.port_retries=0 --expose-app-in-browser",
        ["/lab", "/tree", "/nbclassic/tree"],
        JUPYTER,
        20,
    ),
    "voila": Application(
        {"book.ipynb": NOTEBOOK},
        "voila --no-browser --Voila.ip=127.0.0.1 --port=PORT book.ipynb",
        ["/"],
        ["/voila/static/voila.js", "/voila/nbextensions/jupyter-js-widgets/extension.js"],
        4,
    ),
    "bokeh": Application({"app.py": BOKEH}, "bokeh serve app.py --port PORT", ["/app"], [], 4),
    "panel": Application({"app.py": PANEL}, "panel serve app.py --port PORT", ["/app"], [], 8),
    "streamlit": Application(
        {"app.py": STREAMLIT},
        "streamlit run app.py --server.port PORT --server.headless true --browser.gatherUsageStats false",
        ["/"],
        [],
        4,
    ),
    "dash": Application({"app.py": DASH}, "python app.py PORT", ["/"], [], 6),
    "gradio": Application({"app.py": GRADIO}, "python app.py PORT", ["/"], [], 4),
    "nicegui": Application({"app.py": NICEGUI}, "python app.py PORT", ["/"], [], 6),
    "marimo": Application({"app.py": MARIMO}, "marimo run app.py --headless --port PORT", ["/"], [], 6),
    "django": Application(
        {"app.py": DJANGO},
        "python app.py PORT",
        [],
        [
            "/static/admin/css/base.css",
            "/static/admin/img/search.svg",
            "/static/rest_framework/css/default.css",
            "/static/debug_toolbar/css/toolbar.css",
            "/static/admin/no/such.css",
        ],
        4,
    ),
}

DISTRIBUTIONS = """
jupyterlab notebook nbclassic ipywidgets voila plotly pydeck bokeh panel streamlit dash gradio nicegui marimo
django djangorestframework django-debug-toolbar
""".split()
