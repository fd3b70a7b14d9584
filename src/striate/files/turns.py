"""Taking turns: of several processes that want to write the same file one does, and the others wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for the same `path`, and stay alone in it.

    A file `.NAME.lock` beside it, which is removed at the end, says that somebody is.

    Raises:
        OSError: it cannot be made there.
    """
    place = path.with_name(f".{path.name}.lock")
    lock = FileLock(place)
    while True:
        lock.acquire()
        if place.exists():
            break
        lock.release()  # whoever had it has just removed it: it would keep nobody out
    try:
        yield
    finally:
        try:
            place.unlink()
        except OSError:  # Windows removes nothing that is open
            lock.release()
            with suppress(OSError):
                place.unlink()
        lock.release()
