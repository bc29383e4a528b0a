"""Patches of Poetry's executor and of its installer of wheels."""

from __future__ import annotations

import functools

from .batch import Batch


def patch() -> None:
    """Lets venvs of virtpy's be changed by virtpy. Everything else goes the way it always went."""
    from poetry.installation.executor import Executor
    from poetry.installation.wheel_installer import WheelInstaller

    if hasattr(Executor, "_virtpy_batch"):
        return
    # What belongs to a run is at the run's own objects, so that others in the same process do not see it.
    Executor._virtpy_batch = None
    WheelInstaller._virtpy_batch = None
    for owner, name, wrapper in (
        (Executor, "execute", _execute),
        (Executor, "_remove", _remove),
        (Executor, "_download_link", _download_link),
        (Executor, "_save_url_reference", _save_url_reference),
        (WheelInstaller, "install", _install),
    ):
        setattr(owner, name, _wrapped(getattr(owner, name), wrapper))


def _wrapped(original, wrapper):
    @functools.wraps(original)
    def method(self, *arguments, **options):
        return wrapper(original, self, *arguments, **options)

    return method


def _execute(original, executor, operations):
    batch = None if executor._virtpy_batch else Batch.of(executor)
    if batch is None:
        return original(executor, operations)
    installer = executor._wheel_installer
    executor._virtpy_batch = installer._virtpy_batch = batch
    try:
        return original(executor, operations)
    finally:
        executor._virtpy_batch = installer._virtpy_batch = None
        batch.finish()


def _remove(original, executor, package):
    batch = executor._virtpy_batch
    if batch is None:
        return original(executor, package)
    if package.source_type == "git":
        from poetry.utils.helpers import remove_directory

        checkout = executor._env.path / "src" / package.name
        if checkout.exists():
            remove_directory(checkout, force=True)
    batch.remove(package)
    return 0


def _download_link(original, executor, operation, link):
    archive = original(executor, operation, link)
    if executor._virtpy_batch is not None and link.is_wheel and archive.name == link.filename:
        executor._virtpy_batch.came_from(archive, link.url_without_fragment)
    return archive


def _save_url_reference(original, executor, operation):
    batch = executor._virtpy_batch
    if batch is None or not batch.save_url_reference(original, operation):
        original(executor, operation)


def _install(original, installer, wheel):
    if installer._virtpy_batch is None:
        original(installer, wheel)
    else:
        installer._virtpy_batch.install(wheel)
