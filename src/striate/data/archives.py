"""Archives that are read in place: their index once, then each member where it lies, by any process.

A member is a `Member`, which answers what readers of folders ask of a path, so that the rules for folders hold in
archives, too.
"""

from __future__ import annotations

import errno
import io
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from striate.data import tar_files, zip_files
from striate.data.archive_index import Extent, Index
from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.pieces import Pieces
from striate.data.stored import InFile, unreadable
from striate.errors import StriateError
from striate.units import decimal_size

#: The most bytes of a member that are held at once.
MOST = 1 << 30
_READERS = {"zip": zip_files, "tar": tar_files}


class Archive:
    """A zip or tar file, whose index has been read.

    Args:
        path: where it lies.
        shown: what it is called in reports; the path by default.

    Raises:
        StriateError: it is no archive, damaged, cut short, encrypted or empty.
    """

    def __init__(self, path: Path, shown: str = "") -> None:
        self.shown = shown or str(path)
        where = printable(self.shown)
        try:
            self.pieces = Pieces(path)
            self.kind = "zip" if path.suffix.lower() == ".zip" or zip_files.is_zip(self.pieces) else "tar"
            index: Index = _READERS[self.kind].read_index(path, where)
        except PermissionError:
            raise StriateError(f"{where} cannot be read: permission denied") from None
        except OSError as error:
            raise StriateError(f"{where} cannot be read: {error.strerror or error}") from error
        if not index.extents:
            raise StriateError(f"{where} is an empty archive{_first_skipped(index)}")
        self.skipped = tuple(Skipped(f"{where}/{entry.path}", entry.reason) for entry in index.skipped)
        self.notes = index.notes_of(where)
        self._empty = frozenset(index.folders)
        self._rows = {name: row for row, name in enumerate(index.extents)}
        self._extents = np.array(list(index.extents.values()), np.int64).reshape(-1, len(Extent._fields))

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "folders"}

    @property
    def root(self) -> Member:
        """The archive as a folder."""
        return Member(self, "")

    def __contains__(self, inner: str) -> bool:
        return inner in self._rows

    def extent(self, inner: str) -> Extent:
        """Where a member lies."""
        return Extent(*self._extents[self._rows[inner]].tolist())

    def read(self, inner: str) -> bytes:
        """The content of a member. Raises OSError where it is damaged, too large or not there."""
        if inner not in self._rows:
            raise FileNotFoundError(errno.ENOENT, "no such file", f"{self.shown}/{inner}")
        extent = self.extent(inner)
        if extent.size > MOST:
            raise unreadable(f"{decimal_size(extent.size)} are too much to be read out of an archive; unpack it")
        return _READERS[self.kind].content(self.pieces, extent)

    @cached_property
    def folders(self) -> dict[str, dict[str, bool]]:
        """What lies in each folder, "" the outermost: names, and whether each is a folder."""
        found: dict[str, dict[str, bool]] = {"": {}}
        for inner, is_folder in ((inner, inner in self._empty) for inner in (*self._rows, *self._empty)):
            if is_folder:
                found.setdefault(inner, {})
            while inner:
                folder, _, name = inner.rpartition("/")
                known = folder in found
                inside = found.setdefault(folder, {})
                inside[name] = is_folder or inside.get(name, False)
                inner, is_folder = "" if known else folder, True
        return found


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A name in a folder of an archive, as `os.scandir` gives those of the disk."""

    name: str
    folder: bool

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.folder


@dataclass(frozen=True, slots=True)
class Member(InFile):
    """A file or a folder in an archive: what a `Path` is on the disk. `inner` is "" for the archive itself."""

    archive: Archive
    inner: str

    def __str__(self) -> str:
        return f"{self.archive.shown}/{self.inner}" if self.inner else self.archive.shown

    def __lt__(self, other: Member) -> bool:
        return self.parts < other.parts

    def __truediv__(self, name: str) -> Member:
        return Member(self.archive, posixpath.normpath(posixpath.join(self.inner, name)).removeprefix("./"))

    @property
    def _pure(self) -> PurePosixPath:
        return PurePosixPath(self.inner)

    @property
    def name(self) -> str:
        """The last part; of the archive itself its own name."""
        return self._pure.name if self.inner else PurePosixPath(self.archive.shown).name

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The ending of the name."""
        return PurePosixPath(self.name).suffix

    @property
    def parts(self) -> tuple[str, ...]:
        """The names from the archive's own down to this one's."""
        return (self.archive.shown, *self._pure.parts)

    @property
    def parent(self) -> Member:
        """The folder that it lies in; the archive itself has none, and is its own."""
        return Member(self.archive, posixpath.dirname(self.inner))

    @property
    def parents(self) -> tuple[Member, ...]:
        """The folders that it lies in, the innermost first."""
        if not self.inner:
            return ()
        return tuple(Member(self.archive, "" if str(folder) == "." else str(folder)) for folder in self._pure.parents)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.archive.extent(self.inner).size if self.inner in self.archive else 0

    @property
    def file(self) -> Path:
        """The archive, which decides what its members are."""
        return self.archive.pieces.path

    @property
    def part(self) -> str:
        """Which member of it."""
        return self.inner

    def with_name(self, name: str) -> Member:
        """Another file of the same folder."""
        return self.parent / name

    def relative_to(self, folder: Member) -> PurePosixPath:
        """The path from a folder of the same archive."""
        return self._pure.relative_to(folder.inner)

    def is_relative_to(self, folder: Member) -> bool:
        """Whether it lies in a folder, or is it."""
        return self.archive is folder.archive and self._pure.is_relative_to(folder.inner)

    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.inner in self.archive and not self.is_dir()

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.inner in self.archive.folders

    def exists(self) -> bool:
        """Whether there is such a file or folder."""
        return self.inner in self.archive or self.is_dir()

    def entries(self) -> Iterator[MemberEntry]:
        """What lies directly in the folder."""
        return (MemberEntry(*entry) for entry in self.archive.folders.get(self.inner, {}).items())

    def iterdir(self) -> Iterator[Member]:
        """The files and folders directly in it."""
        return (self / entry.name for entry in self.entries())

    def read_bytes(self) -> bytes:
        """The content of the file. Raises OSError."""
        return self.archive.read(self.inner)

    def open(self, mode: str = "rb") -> BinaryIO:
        """The content of the file, open for reading in binary. Raises OSError."""
        return io.BytesIO(self.read_bytes())


def _first_skipped(index: Index) -> str:
    if not index.skipped:
        return ""
    return f": no member can be read (the first: {index.skipped[0].path}: {index.skipped[0].reason})"
