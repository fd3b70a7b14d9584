"""Odd ones out: images whose features lie far from those of all others.

An image is as odd as the mean angle to its nearest neighbours is wide, which finds what does not belong better than
more elaborate scores do (Kuan & Mueller, 2022, arXiv:2207.03061).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Neighbours that count.
NEIGHBOURS = 10
#: Images among which they are looked for, at most, drawn at random.
MOST_NEIGHBOURS = 5_000
#: How many times further than the middle image, in deviations of the images from it, an odd one lies.
DEVIATIONS = 6.0
#: Images compared with all neighbours at a time.
_ROWS = 1024


def oddity(features: NDArray[np.float32], seed: int = 0) -> NDArray[np.float64]:
    """How far each image lies from its nearest neighbours: one minus the mean cosine, (N,).

    Args:
        features: float32 (N, D), of two images at least.
        seed: decides among which neighbours are looked for, where there are very many.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    count = len(unit)
    others = np.sort(np.random.default_rng(seed).permutation(count)[:MOST_NEIGHBOURS])
    nearest = min(NEIGHBOURS, len(others) - 1)
    found = np.empty(count)
    for start in range(0, count, _ROWS):
        alike = unit[start : start + _ROWS] @ unit[others].T
        own = np.arange(start, min(start + _ROWS, count))
        alike[own[:, None] == others] = -np.inf
        found[own] = 1 - np.partition(alike, -nearest, axis=1)[:, -nearest:].mean(1)
    return found


def odd_ones(features: NDArray[np.float32], seed: int = 0) -> list[tuple[int, float]]:
    """The images that lie far from all others, the oddest first, with how many deviations they lie off the middle.

    The deviation is the median one, scaled to be that of a normal distribution, lest odd ones hide each other.
    """
    if len(features) <= NEIGHBOURS:
        return []
    found = oddity(features, seed)
    middle = float(np.median(found))
    deviation = 1.4826 * float(np.median(np.abs(found - middle)))
    off = (found - middle) / max(deviation, 1e-12)
    order = np.argsort(-off, kind="stable")
    return [(row, float(off[row])) for row in order.tolist() if off[row] > DEVIATIONS]
