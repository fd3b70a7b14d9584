"""Cutting a part off images of several labels, so that each label keeps its share in both parts."""

from __future__ import annotations

import numpy as np


def iterative_split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose `fraction` of the images, about the same share of every label.

    Iterative stratification (Sechidis, Tsoumakas & Vlahavas, 2011, "On the stratification of multi-label data",
    algorithm 1): the rarest label that is left is dealt out first, each of its images to the part that lacks this
    label most, and then to the one that lacks most images. A label of one image stays with those that are kept.

    Args:
        labels: which labels each image has, bool (N, K).
        fraction: share to hold out, 0 to 1.
        seed: the same seed and labels give the same split.

    Returns:
        Positions kept and positions held, int64, each ascending.
    """
    labels = np.asarray(labels, bool)
    count = len(labels)
    order = np.random.default_rng(seed).permutation(count)
    shares = np.array([1 - fraction, fraction])
    room = np.array([count - round(count * fraction), round(count * fraction)])
    lacking = shares[:, None] * labels.sum(0)  # (2, K)
    part = np.full(count, -1)
    left = labels[order].sum(0)
    while (left > 0).any():
        label = int(np.where(left > 0, left, count + 1).argmin())
        for image in order[(part[order] < 0) & labels[order, label]]:
            part[image] = to = _neediest(lacking[:, label], room)
            lacking[to] -= labels[image]
            room[to] -= 1
            left -= labels[image]
    rest = order[part[order] < 0]  # those without any label
    part[rest[: max(0, room[0])]] = 0
    part[part < 0] = 1
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)


def _neediest(lacking: np.ndarray, room: np.ndarray) -> int:
    """The part that lacks more of a label, of two equal ones that with more room; a full part takes none."""
    if (room <= 0).any():
        return int(room.argmax())
    return 0 if (lacking[0], room[0]) >= (lacking[1], room[1]) else 1
