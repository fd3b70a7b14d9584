"""Balance: classes of few images learnt as well as those of many, by weights in the loss or by how often each is seen.

Weights are those of King & Zeng (2001, "Logistic regression in rare events data"), inverse to how often
something occurs: the mean weight of the training images is 1, so that learning rates stay what they were. To see images
more often and to weigh them more is the same in the mean; seen, they are augmented differently each time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Nothing is done; weights in the loss; images of rare classes come more often.
BALANCES = NONE, WEIGHTS, SAMPLER = ("none", "weights", "sampler")


def class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """What an image of each class counts, (K,): N / (k n) of n images, where k classes have any; 1 without images."""
    counts = np.bincount(labels, minlength=classes)
    there = counts > 0
    return np.where(there, len(labels) / (there.sum() * np.maximum(counts, 1)), 1.0)


def label_weights(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What images without and with each label count for it, (2, K): N / (2 n) of n such images.

    They are 1 for a label that no image has, or that all have: there is nothing to balance.
    """
    has = labels.sum(0)
    counts = np.stack([len(labels) - has, has])
    return np.where(counts.min(0) > 0, len(labels) / (2 * np.maximum(counts, 1)), 1.0)


def times_by_class(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """How often each image is to come in an epoch of N, (N,), so that every class comes as often as every other."""
    return class_weights(labels, classes)[labels]


def times_by_rarest_label(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How often each image of several labels is to come in an epoch of N, (N,): inverse to how many have its rarest.

    That the rarest decides is the rule of Gupta, Dollar & Girshick (2019, arXiv:1908.03195) for repeating
    images. Those without labels come as often as those of the commonest.
    """
    counts = np.maximum(labels.sum(0), 1)
    wanted = np.maximum(np.where(labels, 1 / counts, 0.0).max(1), 1 / counts.max())
    return wanted * len(labels) / wanted.sum()


def drawn(times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Positions (N,) of N images in a random order, each as often as `times` says: rounded down or up by chance.

    Systematic sampling (Madow & Madow, 1944): images that are to come equally often come together as often as that
    sums up to, and not by chance more or less often, as they would if each place were drawn by itself.
    """
    count = len(times)
    mixed = rng.permutation(count)
    mixed = mixed[np.argsort(times[mixed], kind="stable")]
    ends = np.cumsum(times[mixed])
    ends *= count / ends[-1]
    ends[-1] = count
    reached = np.floor(ends + rng.random()).astype(np.int64)
    return rng.permutation(np.repeat(mixed, reached - np.append(0, reached[:-1])))


def earlier(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often the image at each place of an order has come before, (N,)."""
    grouped = np.argsort(order, kind="stable")
    begins = np.diff(order[grouped], prepend=-1) != 0
    places = np.arange(len(order))
    found = np.empty_like(places)
    found[grouped] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return found
