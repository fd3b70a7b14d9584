"""What shallow classifiers minimise, with its slope: from scores to the loss of each image, or of each output of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

#: The loss of each image (N, 1), or of each of its outputs (N, K), and its slope (N, K), from scores (N, K) and what
#: they are to be. What is minimised is the sum over outputs, the mean over images.
Loss = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]


def softmax(scores: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """Cross-entropy; labels are numbers of classes (N,)."""
    shifted = scores - scores.max(1, keepdims=True)
    chances = np.exp(shifted)
    total = chances.sum(1, keepdims=True)
    rows = np.arange(len(labels))
    loss = np.log(total) - shifted[rows, labels][:, None]
    chances /= total
    chances[rows, labels] -= 1
    return loss, chances


def squared_hinge(scores: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """One class against the rest, max(0, 1 - y s)², as linear SVMs have it (Fan et al., 2008, LIBLINEAR)."""
    signs = np.full_like(scores, -1)
    signs[np.arange(len(labels)), labels] = 1
    short = np.maximum(0, 1 - signs * scores)
    return np.square(short), -2 * signs * short


def logistic(scores: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """The cross-entropy of each of several labels (N, K)."""
    from scipy.special import expit

    loss = np.logaddexp(0, scores) - labels * scores
    return loss, (expit(scores) - labels).astype(scores.dtype, copy=False)


def squared_error(scores: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """Of values (N, K): ½ (s - y)²."""
    off = (scores - labels).astype(scores.dtype, copy=False)
    return 0.5 * np.square(off), off


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"softmax": softmax, "svm": squared_hinge, "logistic": logistic, "ridge": squared_error}
)
