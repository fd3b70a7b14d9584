"""Zip files, read in place (PKWARE, APPNOTE.TXT 6.3.10): the central directory by `zipfile`, members by offset."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path

from striate.data.archive_index import BEYOND, LINK, Extent, Index
from striate.data.images import printable
from striate.data.pieces import Pieces
from striate.data.stored import unreadable
from striate.errors import StriateError

_LOCAL_HEADER = 30  # bytes, with the lengths of the name and of the extra field at its end
_NAMES = 512  # bytes that its name and extra field seldom exceed
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_zip(pieces: Pieces) -> bool:
    """Whether a file begins as a zip file does, an empty or a divided one too."""
    return pieces.read(0, min(4, pieces.size)) in (b"PK\3\4", b"PK\5\6", b"PK\7\x08")


def read_index(path: Path, where: str) -> Index:
    """The files of a zip file.

    Raises:
        StriateError: it is damaged, cut short or encrypted.
    """
    index, end = Index(), path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error) as error:
        raise StriateError(f"{where} is a damaged zip file, or cut short ({error}); fetch it again") from error
    backslashes = not any("/" in member.filename for member in members)
    for member in members:
        name = member.filename.replace("\\", "/") if backslashes else member.filename
        if name.endswith("/"):
            index.add_folder(name)
            continue
        if member.flag_bits & _ENCRYPTED:
            raise StriateError(f"{where} is encrypted (the first: {printable(name)}); unpack it and give the folder")
        if stat.S_ISLNK(member.external_attr >> 16):
            index.skip(name, LINK)
        elif member.compress_type not in _METHODS:
            index.skip(name, f"packed by method {member.compress_type}, which is not read in place; unpack the archive")
        elif member.header_offset + _LOCAL_HEADER + member.compress_size > end:
            index.skip(name, BEYOND)
        else:
            place = (member.header_offset, member.compress_size, member.file_size)
            index.add(name, Extent(*place, member.compress_type, member.CRC))
    return index


def content(pieces: Pieces, extent: Extent) -> bytes:
    """A member, whose checksum holds. Raises OSError where it is damaged."""
    ahead = pieces.read(extent.offset, min(_LOCAL_HEADER + _NAMES + extent.stored, pieces.size - extent.offset))
    if ahead[:4] != b"PK\3\4":
        raise unreadable("damaged: the archive's index names another place")
    start = _LOCAL_HEADER + sum(struct.unpack("<HH", ahead[26:_LOCAL_HEADER]))
    data = ahead[start : start + extent.stored]
    if len(data) < extent.stored:
        data = pieces.read(extent.offset + start, extent.stored)
    if extent.method == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, extent.size + 1)
        except zlib.error as error:
            raise unreadable(f"damaged in the archive ({error})") from error
    if len(data) != extent.size or zlib.crc32(data) != extent.checksum:
        raise unreadable("damaged in the archive: its checksum is another")
    return data
