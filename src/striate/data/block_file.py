"""A block in a file: pictures, then their index, then where that begins. Written whole or not at all, then mapped.

Mapped pages are the operating system's own copy of the file: workers and other runs share them, and they go when memory
is wanted for something else. Of runs that want the same pictures at once one writes them and the others wait.
"""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from striate.data.block import Block, Index
from striate.data.filling import Wanted, fill
from striate.errors import StriateError
from striate.files import explain, make_folder_of, replacing
from striate.files.keeping import prune, sweep, used_now
from striate.files.turns import one_at_a_time

#: Bytes that the pictures of all data sets may take together; those not used for the longest time go first.
MOST = 64 << 30
NAME = "pictures.bin"
_MAGIC = b"STRIATE1"
#: Behind the index: how long it is, its checksum, the file's length, and what kind of file this is.
_END = struct.Struct("<QIQ8s")


class NotKept(Exception):
    """Pictures cannot be kept in a file; why, in a line."""


def stored(
    folder: Path, wanted: Wanted, shown: Callable[[int, int], object] | None = None
) -> tuple[Block, NDArray[np.int64]]:
    """A block in a folder that holds all that is wanted, and the row of each image in it; filled where it does not.

    Raises:
        StriateError: a picture cannot be read.
        NotKept: the file cannot be written; nothing is left of it.
    """
    path = folder / NAME
    try:
        make_folder_of(path)
    except StriateError as error:
        raise NotKept(str(error)) from error
    try:
        return _stored(path, wanted, shown)
    except OSError as error:
        raise NotKept(str(explain(error, path))) from error


def _stored(path: Path, wanted: Wanted, shown: Callable[[int, int], object] | None) -> tuple[Block, NDArray[np.int64]]:
    folder = path.parent
    block = open_block(path)
    if (rows := wanted.held(block)) is None:
        sweep(folder)
        with one_at_a_time(path):
            block = open_block(path)  # another run may have been here
            if (rows := wanted.held(block)) is None:
                with replacing(path) as file:
                    index = fill(wanted, lambda pixels: file.write(pixels.data), block, shown)
                    file.write(_tail(index, file.tell()))
                block = open_block(path)
                rows = wanted.held(block)
        prune(folder.parent, MOST, spared=folder)
    used_now(folder)
    if block is None or rows is None:
        raise FileNotFoundError(errno.ENOENT, "removed by another program")
    return block, rows


def open_block(path: Path) -> Block | None:
    """The block in a file; None where there is none, or it is damaged and so removed."""
    try:
        pixels = np.asarray(np.memmap(path, np.uint8, "r"))
        length, checksum, whole, magic = _END.unpack(pixels[-_END.size :].tobytes())
        index = pixels[-_END.size - length : -_END.size].tobytes()
        if magic != _MAGIC or whole != len(pixels) or zlib.crc32(index) != checksum:
            raise ValueError("damaged")
        arrays = load(index)
        channels = int(arrays.pop("channels")[0])
        return Block(pixels[: whole - length - _END.size], Index(channels, **arrays), path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, struct.error, SafetensorError):
        with suppress(OSError):
            path.unlink()
        return None


def _tail(index: Index, position: int) -> bytes:
    arrays = {
        "channels": np.array([index.channels], np.int64),
        "digests": index.digests,
        "places": index.places,
        "shapes": index.shapes,
        "sums": index.sums,
    }
    body = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return body + _END.pack(len(body), zlib.crc32(body), position + len(body) + _END.size, _MAGIC)
