"""The second venv with the same packages: nothing downloaded, next to nothing on the disk."""

import os

from support import own_interpreter, require

PACKAGES = ["numpy", "pandas", "requests", "rich", "jupyterlab"]
IMPORTS = "import numpy, pandas, requests, rich, jupyterlab; print(pandas.DataFrame({'a': [1, 2]})['a'].sum())"


def count(root, follow):
    """The directory entries below root, without bytecode; with `follow`, those that real files would need."""
    entries = 0
    for _, folders, files in os.walk(str(root), followlinks=follow):
        folders[:] = [name for name in folders if name != "__pycache__"]
        entries += len(folders) + sum(not name.endswith(".pyc") for name in files)
    return entries


def occupied(root, store):
    """The bytes that root occupies on the disk beside the store, as `du STORE ROOT` counts: links not followed, inodes once."""
    known = set(blocks(store))
    return sum(size for inode, size in blocks(root).items() if inode not in known)


def blocks(root):
    """The bytes of every inode below root."""
    sizes = {}
    for folder, folders, files in os.walk(str(root)):
        for name in folders + files:
            facts = os.lstat(os.path.join(folder, name))
            sizes[facts.st_dev, facts.st_ino] = facts.st_blocks * 512
    return sizes


def check(place):
    """Fills one venv from the index and a second one offline."""
    interpreter = own_interpreter()
    for venv in ("first", "second"):
        place.new(venv, interpreter)
    _, messages = place.virtpy("add", "--venv", "first", *PACKAGES)
    yield "the first venv: " + messages.strip().splitlines()[-1]
    require(place.python("first", IMPORTS) == "3", "the imports in the first venv")

    nowhere = "http://127.0.0.1:9"
    environment = dict(place.environment)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        environment[name] = environment[name.upper()] = nowhere
    _, messages = place.virtpy("add", "--venv", "second", "--offline", *PACKAGES, environment=environment)
    summary = messages.strip().splitlines()[-1]
    require("0 downloaded" in summary, "the summary should say that nothing was downloaded: " + summary)
    yield "the second venv: " + summary
    for arguments in (("list",), ("freeze",)):
        first = place.virtpy(*arguments, "--venv", "first")[0]
        require(first == place.virtpy(*arguments, "--venv", "second")[0], "the two venvs differ in " + arguments[0])

    entries, real = count(place.path("second"), False), count(place.path("second"), True)
    share = 100.0 * entries / real
    require(share < 4.0, "%d directory entries are %.1f %% of the %d that real files need" % (entries, share, real))
    yield "%d directory entries, %.1f %% of %d" % (entries, share, real)
    size = occupied(place.path("second"), place.environment["VIRTPY_HOME"])
    # Each RECORD is the venv's own file, which is a quarter of it.
    # What servers send from folders that distributions share is copied, 1 to 2 MB of it here: they compare real paths.
    require(size < 4000000, "the second venv occupies %d bytes" % size)
    yield "%.2f MB on the disk" % (size / 1e6)
    require(place.python("second", IMPORTS) == "3", "the imports in the second venv")
    place.virtpy("check", "--venv", "second")
    yield "check finds nothing wrong"
