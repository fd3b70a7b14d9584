"""Pieces of a large file, read by any thread of any process for as long as the file stays what it was."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from striate.data.stored import unreadable

#: So many files are held open at a time; systems allow a process about a thousand.
OPEN_AT_ONCE = 128


class Pieces:
    """A file of which pieces are read wherever they lie; a copy that is sent to another process opens it there.

    Raises OSError where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))
        self.state = _state(self.path)

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.state[0]

    def demand_same(self) -> None:
        """Raise OSError where the file has changed, or is not there any more."""
        if _state(self.path) != self.state:
            _open.pop(self.path, None)
            raise unreadable(f"{self.path.name} has changed since it was looked at; leave it as it is, or begin anew")

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from `offset` on.

        Raises:
            OSError: they are not there, or the file has changed.
        """
        self.demand_same()
        if size < 0 or not 0 <= offset <= self.size - size:
            raise unreadable(f"damaged: it would lie outside {self.path.name}")
        content = _opened(self.path).read(offset, size)
        if len(content) < size:
            raise unreadable(f"{self.path.name} ends too early")
        return content


class _Open:
    """A file that is open until nobody reads from it any more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there on, or those there are."""
        blocks, left = [], size
        while left and (block := self._read(offset + size - left, left)):  # the kernel gives 2 GB at a time at most
            blocks.append(block)
            left -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _read(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, size, offset)
        with self._lock:  # Windows has no such call
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, size)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


_open: dict[Path, _Open] = {}


def _opened(path: Path) -> _Open:
    """The file, opened where it is not. Threads that hold one which is let go here still read from it."""
    found = _open.get(path)
    if found is None:
        if len(_open) >= OPEN_AT_ONCE:
            _open.clear()
        found = _open[path] = _Open(path)
    return found


def _state(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
