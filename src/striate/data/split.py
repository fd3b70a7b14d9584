"""Cutting a stratified part off a set of labels."""

from __future__ import annotations

import numpy as np


def stratified_split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose `fraction` of the images at random, the same share of every class.

    The held part has `round(fraction * N)` images where the classes allow it; every class keeps one image
    at least (which scikit-learn's `train_test_split` does not promise, and it refuses classes of one).
    Fractions of an image go to the classes with the largest remainders, ties at random.

    Args:
        labels: int64 (N,).
        fraction: share to hold out, 0 to 1.
        seed: the same seed and labels give the same split.

    Returns:
        Positions kept and positions held, int64, each ascending.
    """
    generator = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    shares = counts * fraction
    held_counts = np.minimum(np.floor(shares).astype(np.int64), counts - 1)
    # the largest remainders first, equal ones in random order
    order = np.lexsort((generator.random(len(classes)), -(shares - held_counts).round(9)))
    missing = round(len(labels) * fraction) - int(held_counts.sum())
    for position in order[held_counts[order] < counts[order] - 1][: max(missing, 0)]:
        held_counts[position] += 1
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in zip(classes, held_counts, strict=True)
    ]
    held = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)
    return np.setdiff1d(np.arange(len(labels)), held), held
