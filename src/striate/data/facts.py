"""What one look at an image tells: all that would otherwise be read from its file a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

#: The most grey levels that an image of one colour spans in any channel: JPEG's rounding leaves so many.
BLANK_LEVELS = 2
#: Of an image of more than twice so many pixels only every so many rows count for the statistics,
SAMPLED_PIXELS = 1 << 14
#: but no fewer rows than this.
FEWEST_ROWS = 16


@dataclass(frozen=True, eq=False)
class Facts:
    """What the check has learnt of N images, one row each.

    Attributes:
        contents: sha256 of the file's bytes; of the pixels where they lie in memory.
        sizes: height and width in pixels, int32 (N, 2).
        formats: the format by content, such as "JPEG"; "array" of pixels in memory.
        channels: channels of the file itself, int16 (N,).
        bit_depths: how the file stores a sample, such as "8" or "float32".
        blank: whether the image is of one colour, bool (N,).
        hashes: `perceptual_hash` of each image, uint64 (N,).
        remarks: what had to be done to read each, keys of `decode.REMARKS`.
        sums: `channel_sums` of each image, int64 (N, C, 4), C the channels of the data set; None where the pixels
            lie in memory and nothing has to be remembered of them.
    """

    contents: Sequence[bytes]
    sizes: np.ndarray
    formats: Sequence[str]
    channels: np.ndarray
    bit_depths: Sequence[str]
    blank: np.ndarray
    hashes: np.ndarray
    remarks: Sequence[tuple[str, ...]]
    sums: np.ndarray | None

    def __len__(self) -> int:
        return len(self.contents)

    def take(self, rows: np.ndarray) -> Facts:
        """The facts at `rows`, in that order."""
        return Facts(
            [self.contents[row] for row in rows],
            self.sizes[rows],
            [self.formats[row] for row in rows],
            self.channels[rows],
            [self.bit_depths[row] for row in rows],
            self.blank[rows],
            self.hashes[rows],
            [self.remarks[row] for row in rows],
            None if self.sums is None else self.sums[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence[Facts]) -> Facts:
        """The facts of several parts, one after the other; without sums unless all parts have them."""
        sums = [part.sums for part in parts if part.sums is not None]
        return cls(
            [digest for part in parts for digest in part.contents],
            np.concatenate([part.sizes for part in parts]),
            [name for part in parts for name in part.formats],
            np.concatenate([part.channels for part in parts]),
            [depth for part in parts for depth in part.bit_depths],
            np.concatenate([part.blank for part in parts]),
            np.concatenate([part.hashes for part in parts]),
            [remarks for part in parts for remarks in part.remarks],
            np.concatenate(sums) if len(sums) == len(parts) else None,
        )


def channel_sums(image: np.ndarray) -> np.ndarray:
    """What remains to be known of each channel of uint8 (H, W, C): int64 (C, 4).

    The first three are `level_sums`, of all pixels of a small image; of a large one every so many rows count, since
    it will be shown as a small one. The fourth is the level of one pixel off the middle, which changes when the image
    is mirrored or turned, so that images which agree in everything are the same but for a coincidence.
    """
    height, width, channels = image.shape
    step = max(1, min(height // FEWEST_ROWS, height * width // SAMPLED_PIXELS))
    sums = np.empty((channels, 4), dtype=np.int64)
    sums[:, :3] = level_sums(image[::step])
    sums[:, 3] = image[height // 3, width // 4]
    return sums


def level_sums(image: np.ndarray) -> list[tuple[int, int, int]]:
    """Number, sum and sum of squares of the pixels of each channel of uint8 (H, W, C)."""
    height, width, channels = image.shape
    image = np.ascontiguousarray(image)
    planes = cv2.split(image) if channels <= 4 else [np.ascontiguousarray(image[..., c]) for c in range(channels)]
    count = height * width
    return [(count, round(cv2.sumElems(plane)[0]), round(cv2.norm(plane, cv2.NORM_L2SQR))) for plane in planes]


def is_blank(image: np.ndarray, sums: np.ndarray) -> bool:
    """Whether uint8 (H, W, C) with these `channel_sums` shows one colour."""
    # No more than BLANK_LEVELS apart means a variance of 1 at most, and that is known without another look.
    if any(pixels * squares - total**2 > pixels**2 for pixels, total, squares, _ in sums.tolist()):
        return False
    return bool(_span(image[None])[0] <= BLANK_LEVELS)


def blank_rows(array: np.ndarray) -> np.ndarray:
    """Which images of uint8 (N, H, W, C) show one colour: bool (N,)."""
    blank = _span(array[:, :1]) <= BLANK_LEVELS  # the first row of pixels tells for most
    blank[blank] = _span(array[blank]) <= BLANK_LEVELS
    return blank


def _span(array: np.ndarray) -> np.ndarray:
    """How far apart the levels of one channel of each image are, the widest channel counts: uint8 (N,)."""
    count, height, width, channels = array.shape
    return np.ptp(array.reshape(count, height * width, channels), axis=1).max(axis=1)
