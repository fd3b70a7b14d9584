"""Compressed tar files, which cannot be read in place: each is unpacked to a plain one in the cache, once."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from striate.data.images import printable
from striate.data.pieces import Pieces
from striate.errors import StriateError
from striate.files import cache_folder, explain, make_folder_of, replacing
from striate.files.fetching import ELSEWHERE
from striate.files.keeping import prune, used_now
from striate.files.turns import one_at_a_time
from striate.units import decimal_size

#: Bytes that all unpacked files may take; those that were not used for the longest time go.
MOST = 1 << 36
_BLOCK = 1 << 20
_Compressed = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
_KINDS: dict[bytes, type[_Compressed]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


def kind_of(path: Path) -> type[_Compressed] | None:
    """What reads a compressed file, by how it begins; None where it is not compressed. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(8)
    return next((kind for beginning, kind in _KINDS.items() if head.startswith(beginning)), None)


def plain_tar(path: Path, cache: str | Path | None = None) -> tuple[Path, str]:
    """A tar file that can be read in place, and a line on where it lies; the file itself, and nothing, where it can.

    Raises:
        StriateError: the compressed stream is damaged or cut short, or there is no room for what it holds.
    """
    where = printable(path)
    try:
        kind, state = kind_of(path), Pieces(path).state
    except OSError as error:
        raise StriateError(f"{where} cannot be read: {(error.strerror or str(error)).lower()}") from error
    if kind is None:
        return path, ""
    key = hashlib.sha256(f"{os.path.abspath(path)} {state}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = cache_folder(cache) / "unpacked" / key
    plain = folder / f"{path.name.split('.')[0] or 'archive'}.tar"
    make_folder_of(plain, ELSEWHERE)
    try:
        with one_at_a_time(plain):
            if not plain.is_file():
                with kind(path) as compressed, replacing(plain) as target:
                    _copy(compressed, target, where)
    except OSError as error:
        raise explain(error, plain, ELSEWHERE) from error
    used_now(folder)
    prune(folder.parent, MOST, folder)
    size = decimal_size(plain.stat().st_size)
    return plain, f"{where} is compressed, so it was unpacked once: {size} in {printable(plain)}"


def _copy(compressed: _Compressed, target: BinaryIO, where: str) -> None:
    """Unpack a stream. Raises StriateError where it is damaged; OSErrors are those of writing."""
    while True:
        try:
            block = compressed.read(_BLOCK)
        except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise StriateError(f"{where} is damaged or cut short ({error}); fetch it again") from error
        if not block:
            return
        target.write(block)
