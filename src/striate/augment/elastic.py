"""Local warping: points move by a random field that is smooth, so that lines bend and nothing tears."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Points along each side that move on their own; between them the field is a cubic.
KNOTS = 6


def displacements(rng: np.random.Generator, size: tuple[int, int], most: float) -> NDArray[np.float32]:
    """How far each point of the output is displaced across and down, pixels, (height, width, 2).

    Args:
        rng: the source of chance.
        size: height and width of the output.
        most: no knot moves further than this share of the side, either way.
    """
    height, width = size
    knots = rng.uniform(-most, most, (KNOTS + 2, KNOTS + 2, 2)) * np.array([width, height])
    # One knot more on each side than is shown: at the border the field is as free as inside.
    beyond_x, beyond_y = -(-width // KNOTS), -(-height // KNOTS)
    whole = (width + 2 * beyond_x, height + 2 * beyond_y)
    field = cv2.resize(knots.astype(np.float32), whole, interpolation=cv2.INTER_CUBIC)
    return np.asarray(field[beyond_y : beyond_y + height, beyond_x : beyond_x + width], np.float32)


def maps(matrix: NDArray[np.float64], field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where in the input each point of the output is found: the matrix (2, 3), in pixels from the first one's centre,
    of the displaced point; (height, width, 2).
    """
    height, width = field.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32)
    x, y = across + field[:, :, 0], down + field[:, :, 1]
    rows = matrix.astype(np.float32)
    return np.stack([row[0] * x + row[1] * y + row[2] for row in rows], axis=2)
