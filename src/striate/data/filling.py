"""Filling a block: every picture that is wanted is decoded once, by threads, or taken over from an older block."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from striate.data.ahead import read_ahead
from striate.data.block import ABSENT, DIGEST, SCALES, UNFIT, Block, Index
from striate.data.decode import UnreadableImage, decode, read_file
from striate.data.images import EncodedImages, FileImages, printable
from striate.data.stored import Stored
from striate.errors import StriateError

#: Images that are handed on together: few, for large ones wait in memory.
_TOGETHER = 2
#: A picture's column in an index, its pixels, None of one that is known to be unfit, and their checksum.
Found = tuple[int, NDArray[np.uint8] | None, int]


@dataclass(frozen=True, eq=False)
class Wanted:
    """Pictures that are to be held, of M images.

    Attributes:
        items: paths of their files, or the contents.
        names: of contents that have no path; empty of paths.
        digests: sha256 of the contents.
        sizes: heights and widths of the images, int32 (M, 2).
        scales: which of `SCALES` each is wanted at, bool (M, 4).
        one_only: which have one picture, whatever the scale: no JPEGs. They are wanted at 1.
        channels: of every picture.
    """

    items: Sequence[Stored | bytes]
    names: Sequence[str]
    digests: Sequence[bytes]
    sizes: NDArray[np.int32]
    scales: NDArray[np.bool_]
    one_only: NDArray[np.bool_]
    channels: int

    @property
    def shapes(self) -> NDArray[np.int32]:
        """Height and width of each picture at each scale, (M, 4, 2), rounded up as JPEG decoders do."""
        return -(-self.sizes[:, None, :] // np.array(SCALES, np.int32)[None, :, None])

    @property
    def bytes(self) -> int:
        """What all of them take."""
        return int(self.shapes.astype(np.int64).prod(axis=2)[self.scales].sum()) * self.channels

    def held(self, block: Block | None) -> NDArray[np.int64] | None:
        """The row of each image in a block that holds all that is wanted; None where it does not."""
        if block is None or block.index.channels != self.channels:
            return None
        row_of = block.index.rows()
        rows = np.array([row_of.get(digest[:DIGEST], -1) for digest in self.digests], np.int64)
        whole = (rows >= 0).all() and not (self.scales & (block.index.places[rows] == ABSENT)).any()
        return rows if whole else None


def fill(
    wanted: Wanted,
    write: Callable[[NDArray[np.uint8]], object],
    older: Block | None = None,
    shown: Callable[[int, int], object] | None = None,
) -> Index:
    """Write every picture that is wanted, one after the other, and say where each is.

    Args:
        wanted: the pictures.
        write: takes the pixels of each, flat.
        older: pictures that need not be decoded again.
        shown: told how many images are done, and of how many.

    Raises:
        StriateError: a file cannot be read, or is another than when it was checked.
        OSError: what `write` raises.
    """
    count = len(wanted.items)
    digests = np.frombuffer(b"".join(each[:DIGEST] for each in wanted.digests), np.uint8).reshape(count, DIGEST)
    places = np.full((count, len(SCALES)), ABSENT, np.int64)
    shapes, sums = wanted.shapes.copy(), np.zeros((count, len(SCALES)), np.uint32)
    place = done = 0
    for group in _decoded(wanted, older):
        for row, found in group:
            for column, picture, checksum in found:
                if picture is None or picture.shape[:2] != tuple(shapes[row, column].tolist()):
                    places[row, column] = UNFIT
                    continue
                write(picture.reshape(-1))
                places[row, column], sums[row, column] = place, checksum
                place += picture.size
        done += len(group)
        if shown is not None:
            shown(done, count)
    for table in (places, shapes, sums):
        table[wanted.one_only] = table[wanted.one_only, :1]  # the same at every scale
    return Index(wanted.channels, digests, places, shapes, sums)


def _decoded(wanted: Wanted, older: Block | None) -> Iterator[list[tuple[int, list[Found]]]]:
    row_of = older.index.rows() if older is not None and older.index.channels == wanted.channels else {}

    def read(row: int) -> list[Found]:
        found: list[Found] = []
        content, before = None, row_of.get(wanted.digests[row][:DIGEST])
        for column in np.flatnonzero(wanted.scales[row]).tolist():
            picture = None
            if before is not None and older is not None:
                if older.index.places[before, column] == UNFIT:
                    found.append((column, None, 0))
                    continue
                picture = older.picture(before, SCALES[column])
            if picture is None:
                content = _content(wanted, row) if content is None else content
                picture = _at(wanted, row, content, SCALES[column])
            found.append((column, picture, zlib.crc32(picture.data)))
        return found

    return read_ahead(range(len(wanted.items)), read, _TOGETHER)


def _at(wanted: Wanted, row: int, content: bytes, scale: int) -> NDArray[np.uint8]:
    try:
        return decode(content, wanted.channels, lambda height, width: scale)
    except UnreadableImage as error:
        raise UnreadableImage(error.reason, _name(wanted, row)) from error


def _content(wanted: Wanted, row: int) -> bytes:
    item = wanted.items[row]
    content = item if isinstance(item, bytes) else read_file(item)
    if hashlib.sha256(content).digest() != wanted.digests[row]:
        raise StriateError(f"{_name(wanted, row)}: has changed since the images were checked; start again.")
    return content


def _name(wanted: Wanted, row: int) -> str:
    item = wanted.items[row]
    return wanted.names[row] if isinstance(item, bytes) else printable(item)


def items_of(images: FileImages | EncodedImages) -> tuple[Sequence[Stored | bytes], Sequence[str]]:
    """Paths of files, or contents and their names."""
    return (images.paths, ()) if isinstance(images, FileImages) else (images.encoded, images.names)
