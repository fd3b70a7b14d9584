"""Tar files, read in place: one pass of `tarfile` over the headers, then members by offset."""

from __future__ import annotations

import tarfile
from pathlib import Path

from striate.data.archive_index import LINK, SPECIAL, Extent, Index, inner_name
from striate.data.pieces import Pieces
from striate.errors import StriateError

_SPARSE = "a sparse file, which is not read in place; unpack the archive"


def read_index(path: Path, where: str) -> Index:
    """The files of a tar file that is not compressed.

    Raises:
        StriateError: it is no tar file, damaged or cut short.
    """
    index, pieces, last = Index(), Pieces(path), -1
    try:
        with tarfile.open(path, "r:") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # a record for each would take a kB
                if member.offset <= last or member.size < 0:
                    raise tarfile.ReadError("a header leads back")
                last = member.offset
                _add(index, member)
            end = archive.offset
    except RecursionError as error:
        raise StriateError(f"{where} is a damaged tar file (headers without end); fetch it again") from error
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        reason = " ".join(str(error).split())
        kind = "is no tar file, or a damaged one" if last < 0 else "is a damaged tar file, or cut short"
        raise StriateError(f"{where} {kind} ({reason}); fetch it again") from error
    rest = pieces.read(min(end, pieces.size), max(0, min(tarfile.BLOCKSIZE, pieces.size - end)))
    if rest.strip(b"\0"):
        raise StriateError(f"{where} is a damaged tar file (no header at byte {end:,}); fetch it again")
    if len(rest) < tarfile.BLOCKSIZE:
        index.notes.append("no mark at its end: it may be cut short")
    return index


def _add(index: Index, member: tarfile.TarInfo) -> None:
    name = member.name
    if member.isdir():
        index.add_folder(name)
        return
    if member.islnk() and (original := index.extents.get(inner_name(member.linkname) or "")):
        index.add(name, original)
    elif member.issym() or member.islnk():
        index.skip(name, LINK)
    elif member.issparse():
        index.skip(name, _SPARSE)
    elif not member.isfile():
        index.skip(name, SPECIAL)
    else:
        index.add(name, Extent(member.offset_data, member.size, member.size))


def content(pieces: Pieces, extent: Extent) -> bytes:
    """A member. Raises OSError where it is not there any more."""
    return pieces.read(extent.offset, extent.stored)
