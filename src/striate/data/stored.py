"""Pictures that lie somewhere and are read when they are needed: files, members of archives, rows of Parquet files."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol


class Stored(Protocol):
    """The content of an image file, wherever it lies; `str` of it says where. A `Path` is one."""

    @property
    def suffix(self) -> str:
        """The ending of its name, with the dot; empty where it has none."""
        ...

    def read_bytes(self) -> bytes:
        """All of it. Raises OSError."""
        ...


class InFile(ABC):
    """What is a part of a larger file, and `Stored`."""

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes it takes once it is read; 0 where only reading tells."""

    @property
    @abstractmethod
    def file(self) -> Path | None:
        """The file that decides what it is: while that does not change it does not. None where others do, too."""

    @property
    @abstractmethod
    def part(self) -> str:
        """What part of the file it is."""


def unreadable(reason: str) -> OSError:
    """The error for stored content that cannot be had, with its reason as `strerror`."""
    return OSError(errno.EIO, reason)
