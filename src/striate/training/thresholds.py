"""Thresholds: from which probability on a label is said to be there, for each label, fitted to validation images.

The threshold of the highest F1 on them, as far as so few images can tell: with few that have a label the one that
happens to be the best is that of a few pictures (Yang, 2001, "A study on thresholding strategies for text
categorization", section 3; Lipton, Elkan & Naryanaswamy, 2014, arXiv:1402.1892, section 6). It is therefore drawn
towards one half in the logit, by as much as `PRIOR` images with the label would hold it there; bench/thresholds.py
measures what that gains.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

#: A label is said to be there from this probability on, where nothing was fitted.
HALF = 0.5

#: How many images with a label, or without it, count as much as one half is believed in beforehand.
PRIOR = 2

#: Thresholds are no nearer to 0 and 1 than this.
EDGE = 1e-4


def fitted_thresholds(labels: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> tuple[float, ...]:
    """The thresholds of K labels, from labels and probabilities (N, K) of images that they were not learnt from.

    A label that none of these images has, or that all have, keeps one half.
    """
    return tuple(_fitted(has, chances) for has, chances in zip(labels.T, probabilities.T, strict=True))


def _fitted(has: NDArray[np.bool_], chances: NDArray[np.floating]) -> float:
    known = min(int(has.sum()), int((~has).sum()))
    if not known:
        return HALF
    believed = known / (known + PRIOR) * _logit(best_threshold(has, chances))
    return 1 / (1 + math.exp(-believed))


def best_threshold(has: NDArray[np.bool_], chances: NDArray[np.floating]) -> float:
    """The threshold of the highest F1: between two probabilities, of several equally good the nearest to one half.

    Args:
        has: which images have the label, bool (N,), at least one.
        chances: its probability, (N,).
    """
    order = np.argsort(-chances, kind="stable")
    ranked = chances[order].astype(float)
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of those that are equally probable
    found, said = np.cumsum(has[order])[last], last + 1
    f1 = 2 * found / (said + has.sum())
    levels = ranked[last]
    below = np.append(levels[1:], 0.0)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    nearest = np.clip(HALF, below[best], levels[best])  # all between two probabilities are the same here
    middle = (below[best] + levels[best]) / 2
    chosen = np.abs(nearest - HALF).argmin()
    return float(middle[chosen])


def _logit(chance: float) -> float:
    kept = min(max(chance, EDGE), 1 - EDGE)
    return math.log(kept / (1 - kept))
