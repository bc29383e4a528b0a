"""All files below sys.prefix, as a program sees them that follows links; and that none is written through."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

from support import require, require_equal

from differences import NOT_COMPARED_FILES, matches
from pair import AT_ONCE


def walk(root):
    """The files below root, relative to it, with links followed, without those that are not compared."""
    for folder, folders, names in os.walk(root, followlinks=True):
        relative = os.path.relpath(folder, root)
        relative = "" if relative == "." else relative + "/"
        left_out = [name for name in folders if matches(relative + name + "/x", NOT_COMPARED_FILES)]
        folders[:] = sorted(set(folders) - set(left_out))
        for name in sorted(names):
            if not matches(relative + name, NOT_COMPARED_FILES):
                yield relative + name


def facts(path):
    """The size and SHA-256 of a file, or that it is a link to nowhere."""
    if not os.path.exists(path):
        return "a link to nowhere"
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return "%d bytes, sha256 %s" % (os.path.getsize(path), digest.hexdigest()[:16])


def contents(pair, venv):
    """All compared files of a venv with what is in them."""
    root = str(pair.place.path(venv))
    outside = () if pair.pinned("pip") else own_pip(pair)
    names = [name for name in walk(root) if not matches(name, outside)]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return dict(zip(names, pool.map(facts, (os.path.join(root, name) for name in names))))


def own_pip(pair):
    """The patterns of the files of virtpy's own pip."""
    return [pair.library + "/pip/*", pair.library + "/pip-*.dist-info/*"]


def check(pair):
    """Compares all files by their contents."""
    ours, real = contents(pair, "ours"), contents(pair, "real")
    require(len(real) > 100, "only %d files" % len(real))
    require_equal(ours, real, "files")
    return "%d files are the same" % len(real)


def snapshot(pair):
    """Sizes, modes and times of all of the store's files and folders but bytecode."""
    found = {}
    for folder, folders, names in os.walk(str(pair.place.path("s") / "w")):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in folders + [name for name in names if not name.endswith(".pyc")]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            modified = None if name in folders else status.st_mtime_ns
            found[path] = (oct(status.st_mode), status.st_size if modified else None, modified)
    return found


def check_untouched(pair, before):
    """Checks that nothing that was imported or run has written into the store."""
    require(before, "the store is empty")
    after = snapshot(pair)
    results = {}
    for path in set(before) | set(after):
        if before.get(path) != after.get(path):
            name = os.path.relpath(path, str(pair.place.path("s") / "w"))
            results[name] = {"store entry": (after.get(path), before.get(path))}
    pair.judge("the store after the imports and scripts", results)
    return "the store's %d files and folders are as they were before" % len(before)
