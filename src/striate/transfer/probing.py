"""Probes: how well a linear classifier of some features would do, found without setting images aside.

The classifier is regularised least squares on one target a class, +1 for its own images and -1 for the others. What it
would say of an image had it been fitted to all the others follows from one fit to all (Rifkin & Lippert, 2007, "Notes
on Regularized Least Squares", section 4), for every strength of the penalty at once, so a probe takes a fraction of a
second and every image counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from striate.training.intervals import wilson_interval

#: Strengths of the penalty that are compared, as shares of the largest eigenvalue.
STRENGTHS = tuple(10.0**power for power in (0, -0.5, -1, -1.5, -2, -2.5, -3, -3.5, -4))
#: Shares of the images from which a forecast is made, the last of which is all of them, and how often each is drawn.
SHARES, DRAWS = (0.25, 0.5, 1.0), 4
#: Steeper than this no error falls with the number of images, as a power of it; and since every curve flattens in the
#: end, this share of the power found with fewer images is taken.
STEEPEST, FLATTENED = 0.7, 0.85
#: What the interval has beside that of the images drawn: this share of the gain that is foretold.
DOUBT = 0.25
#: Sets of images drawn for the interval of a forecast.
BOOTSTRAP = 200


@dataclass(frozen=True)
class Probe:
    """What features tell of the classes of N images.

    Attributes:
        right: whether each image is told right by a linear classifier of all others, bool (N,).
        nearest: whether the image that is nearest in angle is of the same class, bool (N,).
        margins: by how much its score of each image's class exceeds that of the best other, where targets are 1 and
            -1, float (N,).
    """

    right: NDArray[np.bool_]
    nearest: NDArray[np.bool_]
    margins: NDArray[np.floating]

    @property
    def accuracy(self) -> float:
        """Share that the linear classifier tells right."""
        return float(self.right.mean())

    @property
    def margin(self) -> float:
        """How clearly the linear classifier tells them, in [-1, 1]: the mean of the margins, none counted beyond 1."""
        return float(self.margins.clip(-1, 1).mean())

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval (Wilson)."""
        return wilson_interval(int(self.right.sum()), len(self.right))


@dataclass(frozen=True)
class Forecast:
    """The accuracy to be expected of a linear classifier that is fitted to more images.

    Attributes:
        accuracy: in [0, 1].
        interval: where it lies with 95 % in images drawn again (bootstrap).
        images: how many the classifier is fitted to.
    """

    accuracy: float
    interval: tuple[float, float]
    images: int


def probe(features: NDArray[np.float32], labels: NDArray[np.int64]) -> Probe:
    """What features (N, D) tell of the classes (N,) of N images, at least two."""
    fitted = LeastSquares(features, labels)
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    return Probe(fitted.right, labels[alike.argmax(1)] == labels, fitted.margins)


def forecast(
    features: NDArray[np.float32], labels: NDArray[np.int64], probed: Probe, images: int, seed: int = 0
) -> Forecast:
    """The accuracy of a linear classifier fitted to more images than there are.

    The error falls as a power of the number of images (Cortes et al., 1994, "Learning Curves"), which is fitted to the
    errors with a quarter, half and all of them; what a classifier was not fitted to measures it.

    Args:
        features: float32 (N, D).
        labels: int64 (N,).
        probed: the probe of all N.
        images: how many there will be.
        seed: decides which are drawn.
    """
    count = len(labels)
    if images <= count:
        return Forecast(probed.accuracy, probed.interval, images)
    rng = np.random.default_rng(seed)
    wrong = np.full((len(SHARES), DRAWS, count), np.nan)
    wrong[-1] = ~probed.right
    for row, share in enumerate(SHARES[:-1]):
        for draw in range(DRAWS):
            fitted = _drawn(labels, share, rng)
            left = np.setdiff1d(np.arange(count), fitted)
            if len(left):
                told = LeastSquares(features[fitted], labels[fitted]).classes(features[left])
                wrong[row, draw, left] = told != labels[left]
    found = 1 - _extrapolated(wrong, images)
    again = [1 - _extrapolated(wrong[:, :, rng.integers(0, count, count)], images) for _ in range(BOOTSTRAP)]
    doubt = DOUBT * abs(found - probed.accuracy)
    low, high = np.quantile(again, (0.025, 0.975))
    return Forecast(found, (max(0.0, float(low) - doubt), min(1.0, float(high) + doubt)), images)


def _extrapolated(wrong: NDArray, images: int) -> float:
    """The error with so many images, from whether each was told wrong (share, draw, N), NaN where it was fitted to."""
    known = np.isfinite(wrong)
    usable = known.any((1, 2))
    errors = np.nansum(wrong[usable], (1, 2)) / known[usable].sum((1, 2))
    sizes = np.array(SHARES)[usable] * wrong.shape[-1]
    if len(errors) < 2 or not errors[-1]:
        return float(errors[-1])
    power = np.polyfit(np.log(sizes), np.log(np.maximum(errors, 0.5 / wrong.shape[-1])), 1)[0]
    power = FLATTENED * np.clip(power, -STEEPEST, 0)
    return float(errors[-1] * (images / sizes[-1]) ** power)


def _drawn(labels: NDArray, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """A share of the images of each class, at least one."""
    chosen = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        chosen.append(members[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(chosen))


class LeastSquares:
    """Regularised least squares on the classes of N images, with the strength that predicts best what is left out.

    Args:
        features: float32 (N, D).
        labels: (N,), of at least two classes.

    Attributes:
        left_out: the scores (N, K) of each image by what was fitted to all others; K are the classes that there are.
        right: whether they name its class, bool (N,).
        margins: by how much the score of its class exceeds the best other, float (N,).
        strength: of the penalty, beside the sum of the squared errors.
    """

    def __init__(self, features: NDArray[np.float32], labels: NDArray) -> None:
        self._known, places = np.unique(labels, return_inverse=True)
        targets = np.where(np.eye(len(self._known), dtype=bool)[places], 1, -1).astype(np.float32)
        self._mean, spread = features.mean(0), features.std(0)
        self._scale = np.where(spread > 1e-6 * np.abs(features).max(0), spread, np.inf).astype(np.float32)
        x = (features - self._mean) / self._scale
        values, left, right = _decomposed(x)
        self._middle, inside = targets.mean(0), left.T @ targets
        best = np.inf
        for share in STRENGTHS:
            strength = share * values[-1]
            kept = values / (values + strength)
            fitted = self._middle + (left * kept) @ inside
            influence = 1 / len(x) + np.square(left) @ kept
            found = targets - (targets - fitted) / np.maximum(1 - influence, 1e-6)[:, None]
            loss = float(np.square(found - targets).mean())
            if loss < best:
                best, self.left_out, self.strength = loss, found, float(strength)
                self._weight = right @ (inside * (np.sqrt(values) / (values + strength))[:, None])

        self.right = self.left_out.argmax(1) == places
        own = targets > 0
        self.margins = self.left_out[own] - np.where(own, -np.inf, self.left_out).max(1)

    def classes(self, features: NDArray[np.float32]) -> NDArray:
        """The classes (M,) of other images' features (M, D)."""
        scores = self._middle + ((features - self._mean) / self._scale) @ self._weight
        return self._known[scores.argmax(1)]


def _decomposed(x: NDArray[np.float32]) -> tuple[NDArray, NDArray, NDArray]:
    """Squares of the singular values of x (N, D), in rising order and without zeros; its vectors left and right."""
    is_tall = x.shape[0] > x.shape[1]
    values, vectors = eigh(x.T @ x if is_tall else x @ x.T, check_finite=False)
    sound = values > 1e-5 * max(values[-1], 1e-12)  # below lies what float32 makes of nothing
    values, vectors = values[sound], vectors[:, sound]
    if is_tall:
        return values, x @ vectors / np.sqrt(values), vectors
    return values, vectors, x.T @ vectors / np.sqrt(values)
