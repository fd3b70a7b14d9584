"""Folders and files on the disk or in an archive: what the walk asks of either."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar, cast

from striate.data.archives import Member

#: A file or a folder, on the disk or in an archive.
Place = Path | Member
#: The same one again.
P = TypeVar("P", bound=Place)


class Entry(Protocol):
    """A name in a folder."""

    @property
    def name(self) -> str:
        """The name itself."""
        ...

    def is_dir(self) -> bool:
        """Whether it is a folder. Raises OSError."""
        ...


def scan(folder: Place) -> AbstractContextManager[Iterator[Entry]]:
    """What lies directly in a folder, in no order, as `os.scandir` gives it. Raises OSError."""
    return nullcontext(folder.entries()) if isinstance(folder, Member) else os.scandir(folder)


def identity(folder: Place) -> tuple[object, object]:
    """What is the same of all paths to a folder. Raises OSError."""
    if isinstance(folder, Member):
        return folder.file, folder.inner
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def child(folder: P, name: str) -> P:
    """What has this name in a folder."""
    return cast(P, folder / name)


def relative(place: Place, folder: Place) -> PurePosixPath:
    """The path from a folder to what lies in it."""
    return PurePosixPath(*place.parts[len(folder.parts) :])


def is_in(place: Place, folder: Place) -> bool:
    """Whether a place is a folder or lies below it."""
    return place == folder or folder in place.parents
