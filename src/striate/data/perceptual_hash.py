"""A perceptual hash: 64 bits that stay nearly the same when a picture is resized, recompressed or brightened.

The grey picture is shrunk to 32x32; the signs of its 63 lowest frequencies (of the cosine transform, without the mean)
are the bits (Zauner, 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", section 3.2.1, who
compares with their median, which is about zero). Of a mirrored picture the odd frequencies change their sign, so its
hash follows from the hash.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from striate.data.channels import to_channels

#: The side to which a picture is shrunk, and how many frequencies each way are kept.
SIDE, FREQUENCIES = 32, 8
#: Of a picture whose shorter side is many times as long only every so many rows and columns count.
SAMPLED_SIDE = 128

#: What rounding leaves of a frequency that is not there; one grey level makes a thousand.
_NOTHING = 1.0
_WAVES = np.cos(np.pi * np.outer(np.arange(FREQUENCIES), 2 * np.arange(SIDE) + 1) / (2 * SIDE)).astype(np.float32)


def perceptual_hash(image: NDArray[np.uint8]) -> int:
    """The hash of uint8 (H, W, C): bit 8u + v from the left is the sign of the frequency u down and v across."""
    step = max(1, min(image.shape[:2]) // SAMPLED_SIDE)
    small = shrunk(image[::step, ::step], SIDE).astype(np.float32)
    frequencies = _WAVES @ small @ _WAVES.T
    signs = frequencies > _NOTHING
    signs[0, 0] = False
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


def mirrored(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes (N,) of the same pictures seen in a mirror; a sign that was zero may differ."""
    odd = np.zeros((FREQUENCIES, FREQUENCIES), bool)
    odd[:, 1::2] = True
    return hashes ^ np.uint64(int.from_bytes(np.packbits(odd).tobytes(), "big"))


def shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The grey picture, uint8 (side, side), of uint8 (H, W, C), each pixel the mean of those it stands for."""
    channels = image.shape[2]
    grey = image.mean(2).astype(np.uint8) if channels not in (1, 3, 4) else to_channels(image, 1)[:, :, 0]
    return np.asarray(cv2.resize(np.ascontiguousarray(grey), (side, side), interpolation=cv2.INTER_AREA))
