"""What one look at an image tells: all that would otherwise be read from its file a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

#: The most grey levels that an image of one colour spans in any channel: JPEG's rounding leaves so many.
BLANK_LEVELS = 2


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
        sums: `channel_sums` of each image, int64 (N, C, 3), C the channels of the data set; None where the pixels
            lie in memory and nothing has to be remembered of them.
    """

    contents: Sequence[bytes]
    sizes: np.ndarray
    formats: Sequence[str]
    channels: np.ndarray
    bit_depths: Sequence[str]
    blank: np.ndarray
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
            np.concatenate(sums) if len(sums) == len(parts) else None,
        )


def channel_sums(image: np.ndarray) -> np.ndarray:
    """Of each channel of uint8 (H, W, C) the sum, the sum of squares, and the sum over a coarse grid: int64 (C, 3).

    The first two give mean and deviation. The third changes when the image is mirrored or turned, which the others
    do not, so images that agree in all three are the same but for a coincidence.
    """
    height, width, channels = image.shape
    planes = cv2.split(image) if channels <= 4 else [np.ascontiguousarray(image[..., c]) for c in range(channels)]
    sums = np.empty((channels, 3), dtype=np.int64)
    for channel, plane in enumerate(planes):
        sums[channel, 0] = round(cv2.sumElems(plane)[0])
        sums[channel, 1] = round(cv2.norm(plane, cv2.NORM_L2SQR))
    sums[:, 2] = image[:: height // 4 + 1, :: width // 4 + 1].sum(axis=(0, 1), dtype=np.int64)
    return sums


def is_blank(image: np.ndarray, sums: np.ndarray) -> bool:
    """Whether uint8 (H, W, C) with these `channel_sums` shows one colour."""
    pixels = image.shape[0] * image.shape[1]
    # No more than BLANK_LEVELS apart means a variance of 1 at most, and that is known without another look.
    if any(pixels * squares - total**2 > pixels**2 for total, squares, _ in sums.tolist()):
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
