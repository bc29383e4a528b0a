"""Jupyter finds kernels, extensions and static files below the venv's share/."""

import json
import re

from real_path_pair import free_port, get
from support import require, require_equal

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "first",
            "metadata": {},
            "outputs": [],
            "source": ["import numpy, sys\n", "print(int(numpy.arange(5).sum()), sys.prefix)"],
        }
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def kernels_and_notebooks(pair):
    """`jupyter kernelspec list`, `jupyter nbconvert --execute` and `jupyter labextension list`."""
    folder = pair.folder("notebooks")

    def kernels(venv):
        """The kernels that Jupyter finds, and where."""
        return json.loads(pair.run(venv, ["jupyter-kernelspec", "list", "--json"], folder))

    found = pair.same("jupyter kernelspec list", kernels)["kernelspecs"]
    require_equal(
        found["python3"]["resource_dir"], "VENV/share/jupyter/kernels/python3", "the kernel's folder"
    )

    def execute(venv):
        """The text that a notebook printed when it was run, as nbconvert makes a page of it."""
        name = "%s.ipynb" % venv
        (folder / name).write_text(json.dumps(NOTEBOOK))
        pair.run(
            venv, ["jupyter-nbconvert", "--execute", "--to", "html", "--output", venv + ".html", name], folder
        )
        page = pair.normal((folder / (venv + ".html")).read_text(), venv)
        return re.findall(r"\d+ VENV", page), len(re.sub(r"VENV|ours|real", "", page)) // 1000

    outputs, _ = pair.same("jupyter nbconvert", execute)
    require_equal(outputs, ["10 VENV"], "what the notebook printed")
    extensions = pair.same(
        "labextensions", lambda venv: pair.run(venv, ["jupyter-labextension", "list"], folder)
    )
    require("jupyterlab_pygments" in extensions, "jupyter labextension list:\n" + extensions)
    return "jupyter finds the kernel, runs a notebook, lists the extensions"


def laboratory(pair):
    """A running JupyterLab serves its own files, a theme's and an extension's."""
    folder = pair.folder("laboratory")

    def serve(venv):
        """The status and the size of what JupyterLab serves."""
        port, found = free_port(), {}
        command = ["jupyter-lab", "--no-browser", "--ip=127.0.0.1", "--port=%d" % port, "--allow-root"]
        command += [
            "--IdentityProvider.token=secret",
            "--ServerApp.port_retries=0",
            "--expose-app-in-browser",
        ]
        command += ["--ServerApp.root_dir=" + str(folder)]
        headers = {"Authorization": "token secret"}
        with pair.serving(venv, command, folder, port):
            status, page = get(port, "/lab", headers)
            require_equal(status, 200, "the status of /lab")
            scripts = re.findall(r'src="(/static/lab/[^"?]+\.js)', page.decode())
            extension = re.search(r'"load": ?"(static/remoteEntry[^"]+)"', page.decode())
            require(scripts and extension, "no scripts in the page of /lab")
            paths = scripts + [
                "/lab/extensions/jupyterlab_pygments/" + extension.group(1),
                "/lab/api/themes/@jupyterlab/theme-light-extension/index.css",
                "/static/favicon.ico",
                "/static/style/bootstrap.min.css",
                "/static/lab/no-such-file.js",
                "/kernelspecs/python3/logo-64x64.png",
            ]
            for path in paths:
                status, body = get(port, path, headers)
                found[path] = (status, len(body) if status == 200 else None)
            found["refused"] = get(port, paths[0].replace("/static/lab/", "/api/contents/"))[0]
        return found

    found = pair.same("what JupyterLab serves", serve)
    good = [path for path, fact in found.items() if isinstance(fact, tuple) and fact[0] == 200]
    require_equal(len(good), len(found) - 2, "the answers with status 200 in %r" % found)
    return "jupyter lab serves %d static files" % len(good)
