"""What one run of Poetry's executor wants to have installed and removed, and doing it in one go."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from . import changes, program


class Item:
    """A wheel to be installed."""

    def __init__(self, wheel: Path, kept: Path, origin: str | None) -> None:
        self.wheel = wheel
        # Poetry deletes what it built once it is installed; this name of the file stays until the end.
        self.kept = kept
        self.origin = origin
        self.direct_url = None


class Batch:
    """Collects, from several threads at once, what is to be done to one venv."""

    def __init__(self, executor, store: str) -> None:
        self._executor = executor
        self._store = store
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="virtpy-poetry-")
        self._items = {}
        self._removals = {}
        self._origins = {}

    @classmethod
    def of(cls, executor) -> Batch | None:
        """A batch for an executor whose environment virtpy made; None if it shall work as always."""
        store = changes.store_of(executor._env.path)
        if store is None:
            return None
        if program.find() is None:
            warn(executor, "the program `virtpy` was not found, so packages of this venv are not shared")
            return None
        return cls(executor, store)

    def came_from(self, archive: Path, url: str) -> None:
        """Notes where a downloaded archive came from, so that the store can fetch it again. Without credentials."""
        parts = urlsplit(url)
        public = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        with self._lock:
            self._origins[str(archive)] = urlunsplit(public)

    def install(self, wheel: Path) -> None:
        """Takes a wheel; it need not be there any more when this has returned."""
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        with self._lock:
            origin = self._origins.get(str(wheel))
        kept = folder / wheel.name
        try:
            os.link(str(wheel), str(kept))
        except OSError:
            shutil.copyfile(str(wheel), str(kept))
        with self._lock:
            self._items[key_of(wheel.name)] = Item(wheel, kept, origin)

    def remove(self, package) -> None:
        """Takes a package that shall go."""
        with self._lock:
            self._removals[package.name] = package

    def save_url_reference(self, original, operation) -> bool:
        """Lets Poetry write the package's direct_url.json for virtpy. False if the package is not of this batch."""
        with self._lock:
            item = self._items.get(operation.package.name)
        if item is None:
            return False
        shadow = copy.copy(self._executor)
        shadow._env = _Catcher(item.kept.parent)
        original(shadow, operation)
        written = item.kept.parent / "direct_url.json"
        if written.exists():
            item.direct_url = written.read_text(encoding="utf-8")
        return True

    def finish(self) -> None:
        """Does what was collected; what virtpy cannot do, Poetry does as always."""
        try:
            if self._items or self._removals:
                self._apply()
        finally:
            self._folder.cleanup()

    def _apply(self) -> None:
        compiles = bool(getattr(self._executor._wheel_installer, "_bytecode_optimization_levels", ()))
        wish = {
            "install": [
                {"wheel": str(item.kept), "origin": item.origin, "direct_url": item.direct_url}
                for item in self._items.values()
            ],
            "remove": sorted(self._removals),
            "compile_bytecode": compiles,
        }
        try:
            answer = changes.apply(self._executor._env.path, self._store, wish)
        except program.Failed as problem:
            warn(self._executor, f"virtpy could not install this, so Poetry does: {problem}")
            for package in self._removals.values():
                self._executor._remove(package)
            for item in self._items.values():
                self._install_as_always(item)
            return
        for note in answer.get("notes", ()):
            warn(self._executor, note)
        kept = {str(item.kept): item for item in self._items.values()}
        for refusal in answer.get("refused", ()):
            item = kept[refusal["wheel"]]
            warn(self._executor, f"virtpy refuses {item.wheel.name}, so Poetry installs it: {refusal['reason']}")
            self._install_as_always(item)

    def _install_as_always(self, item: Item) -> None:
        self._executor._wheel_installer.install(item.kept)
        if item.direct_url is None:
            return
        site_packages = self._executor._env.site_packages
        name = key_of(item.wheel.name)
        for distribution in site_packages.distributions(name=name, writable_only=True):
            folder = Path(distribution._path)
            (folder / "direct_url.json").write_text(item.direct_url, encoding="utf-8")
            with (folder / "RECORD").open("a", encoding="utf-8", newline="") as record:
                record.write(f"{folder.name}/direct_url.json,,\n")


class _Catcher:
    """Stands in for an environment while Poetry writes direct_url.json into a folder that is none of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder
        self.site_packages = self

    def distributions(self, **_options):
        """The folder, as the only distribution."""
        return [self]

    def find_distribution_direct_url_json_files(self, **_options):
        """None: there is nothing to be cleared away."""
        return []


def key_of(filename: str) -> str:
    """The normalized name of the package that a wheel is of."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(filename.split("-")[0])


def warn(executor, message: str) -> None:
    """Says something on Poetry's standard error."""
    for line in message.splitlines():
        executor._io.write_error_line(f"<warning>{line.replace('<', chr(92) + '<')}</warning>")
