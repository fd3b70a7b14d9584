"""Decoded pictures one after the other in one block of bytes: of memory that workers share, or of a file.

A block holds what the decoder gives of a picture, whole or at a half, a quarter or an eighth of its sides, and never
what was made of that. What is read is the same picture whether it is held or not, so a cache changes no number. It is
one array, not a list: to look at a picture writes nothing into pages that forked workers share.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: How many times smaller than it is a picture may be held; each has a column in an index.
SCALES = (1, 2, 4, 8)
#: In place of where a picture begins: it was not wanted; or it came in another size than was reckoned with.
ABSENT, UNFIT = -1, -2
#: Bytes of the digest by which the content of a file is known.
DIGEST = 16


@dataclass(frozen=True, eq=False)
class Index:
    """Which pictures of M images a block holds.

    Attributes:
        channels: of every picture.
        digests: of the contents of their files, uint8 (M, 16).
        places: where the picture at each of `SCALES` begins, int64 (M, 4); below 0 where it is not held.
        shapes: its height and width, int32 (M, 4, 2).
        sums: its CRC-32, uint32 (M, 4).
    """

    channels: int
    digests: NDArray[np.uint8]
    places: NDArray[np.int64]
    shapes: NDArray[np.int32]
    sums: NDArray[np.uint32]

    def rows(self) -> dict[bytes, int]:
        """The row of each content."""
        return {bytes(digest): row for row, digest in enumerate(self.digests)}


@dataclass(frozen=True, eq=False)
class Block:
    """Pictures and where they are; of those of a `path` each is compared with its checksum when it is first read."""

    pixels: NDArray[np.uint8]
    index: Index
    path: Path | None = None
    sound: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sound", np.zeros(self.index.places.shape, bool))

    def picture(self, row: int, scale: int) -> NDArray[np.uint8] | None:
        """One picture, uint8 (H, W, C), not a copy; None where it is not held, or is damaged.

        A damaged file is removed, so that it is made anew the next time.
        """
        column = SCALES.index(scale)
        begin = int(self.index.places[row, column])
        if begin < 0:
            return None
        height, width = self.index.shapes[row, column].tolist()
        picture = self.pixels[begin : begin + height * width * self.index.channels]
        if self.path is not None and not self.sound[row, column]:
            if (
                picture.size != height * width * self.index.channels
                or zlib.crc32(picture.data) != self.index.sums[row, column]
            ):
                with suppress(OSError):
                    self.path.unlink()
                return None
            self.sound[row, column] = True
        return picture.reshape(height, width, self.index.channels)
