"""PyInstaller bundles an application whose packages are links; the bundle needs neither venv nor store."""

import os
from concurrent.futures import ThreadPoolExecutor

from real_path_pair import VENVS, copy_tree
from support import require, require_equal

APPLICATION = """
import sys
import certifi, demo_callback, lxml.etree, numpy, requests, zope.event, zope.interface
from importlib import metadata

with open(certifi.where()) as bundle:
    certificates = bundle.read().count("BEGIN CERTIFICATE")
tree = lxml.etree.fromstring("<a><b/></a>")
prepared = requests.Request("GET", "http://localhost/", params={"q": 1}).prepare()
print(certificates > 50, tree.xpath("count(//b)"), int(numpy.linalg.det(numpy.eye(3))), prepared.url)
print(demo_callback.call(abs, -1), hasattr(zope.interface.Interface, "names"), getattr(sys, "frozen", False))
"""
EXPECTED = "True 1.0 1 http://localhost/?q=1\n1 True True\n"


def bundle(pair, venv, folder):
    """Bundles the application in one venv and returns the folder with the program."""
    command = ["pyinstaller", "--noconfirm", "--log-level=ERROR", "--onedir", "--name=app"]
    for kind in ("work", "spec", "dist"):
        command += ["--%spath" % kind, folder / venv / kind]
    pair.run(venv, command + ["app.py"], folder)
    return folder / venv / "dist" / "app"


def contents(top):
    """What a bundle consists of; links must stay inside it.

    Files count by their path, but shared libraries by their name: those that PyInstaller finds outside
    site-packages it puts at the top, where the program's loader looks first.
    """
    names = []
    for folder, folders, files in os.walk(str(top)):
        for name in folders + files:
            path = os.path.join(folder, name)
            real = os.path.realpath(path)
            require(real.startswith(str(top) + os.sep), "%s leads out of the bundle, to %s" % (path, real))
            if not os.path.isdir(path):
                names.append(name if ".so" in name else os.path.relpath(path, str(top)))
    return sorted(set(names))


def pyinstaller(pair):
    """The bundle has the same files as one of real files, and runs where venv and store are gone."""
    folder = pair.folder("bundles")
    (folder / "app.py").write_text(APPLICATION)
    with ThreadPoolExecutor(max_workers=len(VENVS)) as pool:
        mine, theirs = pool.map(lambda venv: bundle(pair, venv, folder), VENVS)
    require_equal(pair.place.run([mine / "app"])[0], EXPECTED, "the bundle's output")
    moved = copy_tree(mine, folder / "moved")
    venv, store = pair.place.path("ours"), pair.place.path("s")
    away = [(venv, pair.place.path("ours-away")), (store, pair.place.path("s-away"))]
    for source, target in away:
        source.rename(target)
    try:
        require_equal(pair.place.run([moved / "app"])[0], EXPECTED, "the bundle's output without the venv")
    finally:
        for source, target in away:
            target.rename(source)
    names, expected = contents(mine), contents(theirs)
    # `licenses/` in a dist-info is a link, which copy_metadata does not enter: docs/links.md says so.
    different = sorted(name for name in set(names) ^ set(expected) if ".dist-info/licenses/" not in str(name))
    require(
        not different,
        "%d files are in one bundle only:\n  %s" % (len(different), "\n  ".join(different[:30])),
    )
    return "PyInstaller's bundle of %d files runs without the venv and the store" % len(names)
