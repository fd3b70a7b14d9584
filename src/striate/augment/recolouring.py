"""Apply a matrix of colours: one multiplication for all that happens to them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def means(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean of each channel of images (N, H, W, C), in 0..1: (N, C)."""
    if images.shape[3] > 4:
        return images.mean(axis=(1, 2)) / 255
    return np.array([cv2.mean(image)[: images.shape[3]] for image in images]) / 255


def recolour(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Multiply every pixel of a uint8 image (H, W, C) by a colour matrix (3, 4), saturating at 0 and 255.

    Of other than three channels all take the matrix's action on grey. `out` may be the image itself.
    """
    if image.shape[2] == 3:
        coloured = cv2.transform(image, matrix * np.array([1, 1, 1, 255]), dst=out)
        return np.asarray(coloured, np.uint8)
    gain, offset = matrix[0, :3].sum(), matrix[0, 3] * 255
    table = np.clip(np.arange(256) * gain + offset + 0.5, 0, 255).astype(np.uint8)
    return np.take(table, image, out=out)
