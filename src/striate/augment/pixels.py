"""Transforms of pixels that are no matrix: poorer resolution, blur, noise, JPEG's losses, a box of noise.

All take and return uint8 (H, W, C) of any channels unless said otherwise; none changes its input.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from striate.augment.resizing import averaged

Picture = NDArray[np.uint8]

#: The share of a picture that a box of random erasing covers, and how much wider than high it is or the reverse.
ERASED_AREA, ERASED_RATIO = (0.02, 1 / 3), 3.3
#: Channels that a JPEG can have.
JPEG_CHANNELS = (1, 3)
#: Standard normal numbers for the 256 values of a byte: noise costs a byte of chance for each value.
_NORMAL = np.array([NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)])
_NORMAL /= _NORMAL.std()


def downscale(image: Picture, factor: float) -> Picture:
    """Shrink by a factor, averaging, and enlarge again, bilinear."""
    height, width = image.shape[:2]
    small = max(1, round(width / factor)), max(1, round(height / factor))
    shrunk = averaged(image, small[1], small[0])
    return _shaped(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR), image)


def blur(image: Picture, sigma: float) -> Picture:
    """Gaussian blur of a standard deviation in pixels; what lies outside repeats what lies inside, mirrored."""
    reach = 2 * math.ceil(3 * sigma) + 1
    return _shaped(cv2.GaussianBlur(image, (reach, reach), sigma, borderType=cv2.BORDER_REFLECT_101), image)


def noise(image: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    """Add normal noise, its standard deviation a share of the range, each value apart from the others."""
    table = np.rint(_NORMAL * deviation * 255).astype(np.int16)
    noisy = image.astype(np.int16)
    noisy += table[rng.integers(0, 256, image.shape, np.uint8)]
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)


def jpeg(image: Picture, quality: float) -> Picture:
    """What is left of a picture of 1 or 3 channels that was saved as JPEG of a quality from 1 to 100."""
    colour = image.shape[2] == 3
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if colour else image
    _, file = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    read = cv2.imdecode(file, cv2.IMREAD_COLOR_RGB if colour else cv2.IMREAD_GRAYSCALE)
    return _shaped(np.asarray(read, np.uint8), image)


def erase(image: Picture, area: float, aspect: float, place: tuple[float, float], rng: np.random.Generator) -> Picture:
    """Fill a box with noise.

    Args:
        image: the picture.
        area: share of the picture that the box covers, where it fits with its aspect.
        aspect: its width over its height.
        place: where it lies: shares of the room left over, across and down.
        rng: the source of the noise.
    """
    height, width, channels = image.shape
    pixels = area * height * width
    across = min(width, max(1, round(math.sqrt(pixels * aspect))))
    down = min(height, max(1, round(math.sqrt(pixels / aspect))))
    left, top = int(place[0] * (width - across + 1)), int(place[1] * (height - down + 1))
    erased = image.copy()
    erased[top : top + down, left : left + across] = rng.integers(0, 256, (down, across, channels), np.uint8)
    return erased


def _shaped(made: NDArray[Any], like: Picture) -> Picture:
    """OpenCV drops the axis of a single channel."""
    return made.reshape(like.shape)
