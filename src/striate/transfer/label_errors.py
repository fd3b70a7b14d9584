"""Likely label errors: confident learning (Northcutt, Jiang & Chuang, 2021, arXiv:1911.00068) on a network's features.

A linear classifier of the features says of each image how probable each class is, fitted to other images only. An
image is taken to be of another class where that is at least as probable as it is on average for images that bear its
label (section 3.1, the confident joint); images are sorted by the normalised margin, how much more probable the other
class is than their own (section 3.2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.transfer.shallow import FOLDS, fit

#: Images of a class, below which nothing is said of its labels.
FEWEST = 5


class LabelError(NamedTuple):
    """An image whose label is probably wrong.

    Attributes:
        row: which image.
        suggested: the class that it seems to be of.
        probability: how probable that is.
        own: how probable its own class is.
    """

    row: int
    suggested: int
    probability: float
    own: float


def out_of_fold(features: NDArray[np.float32], labels: NDArray[np.int64], outputs: int, seed: int = 0) -> NDArray:
    """How probable each class is for each image by a classifier that has not seen it: (N, K), rows of sum 1.

    Args:
        features: float32 (N, D).
        labels: int64 (N,), of at least two classes.
        outputs: K.
        seed: decides the parts of cross-validation.
    """
    from scipy.special import softmax

    strength = fit(features, labels, outputs, seed=seed).strength
    fold = _folds(labels, seed)
    found = np.empty((len(labels), outputs))
    for number in range(int(fold.max()) + 1):
        left = fold == number
        classifier = fit(features[~left], labels[~left], outputs, strength=strength, seed=seed)
        found[left] = softmax(classifier(features[left]).astype(np.float64), axis=1)
    return found


def _folds(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A part for each image, each class spread over all of them."""
    order = np.lexsort((np.random.default_rng(seed).permutation(len(labels)), labels))
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % min(FOLDS, len(labels))
    return fold


def thresholds(probabilities: NDArray, labels: NDArray[np.int64]) -> NDArray:
    """The mean probability of each class over the images that bear its label, (K,); infinite for one with too few."""
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, probabilities[np.arange(len(labels)), labels], minlength=probabilities.shape[1])
    return np.where(counts >= FEWEST, sums / np.maximum(counts, 1), np.inf)


def confident_classes(probabilities: NDArray, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class that each image is confidently of: of those that reach their threshold the likeliest; -1 for none."""
    reached = probabilities >= thresholds(probabilities, labels)
    likeliest = np.where(reached, probabilities, -1).argmax(1)
    return np.where(reached.any(1), likeliest, -1)


def confident_joint(probabilities: NDArray, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many images that bear each label (rows) are confidently of each class (columns), (K, K)."""
    classes = confident_classes(probabilities, labels)
    known = classes >= 0
    joint = np.zeros((probabilities.shape[1],) * 2, np.int64)
    np.add.at(joint, (labels[known], classes[known]), 1)
    return joint


def label_errors(probabilities: NDArray, labels: NDArray[np.int64]) -> list[LabelError]:
    """The images that are confidently of another class than they are labelled, the most suspicious first.

    Args:
        probabilities: (N, K), of images by what was not fitted to them.
        labels: int64 (N,).
    """
    classes = confident_classes(probabilities, labels)
    rows = np.arange(len(labels))
    own = probabilities[rows, labels]
    counted = np.bincount(labels, minlength=probabilities.shape[1]) >= FEWEST
    wrong = np.flatnonzero((classes >= 0) & (classes != labels) & counted[labels])
    margins = probabilities[wrong, classes[wrong]] - own[wrong]
    order = wrong[np.argsort(-margins, kind="stable")]
    return [
        LabelError(row, int(classes[row]), float(probabilities[row, classes[row]]), float(own[row]))
        for row in order.tolist()
    ]
