"""How many times smaller a picture may be decoded before it is moved: as often as its own matrix shrinks it.

A random crop that shows all of a photograph needs few of its pixels, one that shows a corner needs most of them. What
`warping` would halve by averaging the decoder halves for less: between the two a mean of 2 grey levels differ, most of
it by where the edges of the crop fall, and the result is as sharp. A scale follows from a picture's size and its own
matrix, which follow from seed, epoch and image: it is the same whatever is cached, and whoever makes the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: How many times smaller JPEG decoders give a picture.
SCALES = (2, 4, 8)
#: Pictures of fewer pixels are decoded whole: it would save a fifth of their decoding at most.
LARGE = 1 << 18


def are_large(sizes: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which pictures, of heights and widths (n, 2), may be decoded smaller than they are."""
    return sizes.astype(np.int64).prod(axis=1) >= LARGE


def scales(matrices: NDArray[np.float64], sizes: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many times smaller each picture serves as well under its matrix: 1, 2, 4 or 8, shape (n,).

    What is shown of it stays at least as large as what it is resized to, along both axes.

    Args:
        matrices: (n, 2, 3), output point to input point (`geometry`).
        sizes: (n, 2) heights and widths of the pictures.
    """
    shrink = np.sqrt((matrices[:, :, :2] ** 2).sum(axis=2)).min(axis=1)
    found = np.ones(len(matrices), np.int64)
    for scale in SCALES:
        found[shrink >= scale] = scale
    found[~are_large(sizes)] = 1
    return found
