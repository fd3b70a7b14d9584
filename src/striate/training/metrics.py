"""How good a classifier is on one split: accuracy, confusion, per-class scores, calibration, worst mistakes.

Everything is computed from the probabilities of one pass over the images. Calibration follows Guo, Pleiss,
Sun and Weinberger (2017, arXiv:1706.04599), the interval of an accuracy Wilson (1927).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.data.notes import IMBALANCE
from striate.errors import StriateError
from striate.notebook import Facts, listed
from striate.training.intervals import wilson_interval
from striate.training.measured import Measured, demand_finite
from striate.units import percent, plural, whole

#: Beyond this many classes `Evaluation.to_dict` leaves the confusion matrix out.
LARGEST_MATRIX_IN_DICT = 100


class ClassScore(NamedTuple):
    """One class: precision, recall and F1 in [0, 1] (0 where undefined), support in images."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


class Calibration(NamedTuple):
    """Bins of equal width over (0, 1]; `confidence` and `accuracy` are NaN where a bin has no `images`."""

    confidence: np.ndarray
    accuracy: np.ndarray
    images: np.ndarray
    ece: float


class Confusion(NamedTuple):
    """`images` of class `true` were taken for class `predicted`; they are the part `share` of that class."""

    true: int
    predicted: int
    images: int
    share: float


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Measured):
    """The outcome of one pass over a split.

    Args:
        classes: the K class names.
        labels: (N,) true classes, positions in `classes`.
        probabilities: (N, K) in [0, 1], finite.
        names: N names of images, for reports; or none.
        loss: mean loss over the split.
        split: the split's name, "test" or "val", where it has one.
        notes: what the images are and what was left out of them, one line each.
        engine: what ran the network and how fast, where that was chosen.
        views: what several views of each picture gained, where there were several.

    Raises:
        StriateError: there are no images, shapes disagree, a label is no class, a probability is not finite
            or lies outside [0, 1].
    """

    labels: NDArray[np.int64]
    probabilities: np.ndarray

    def _check(self) -> None:
        labels = np.asarray(self.labels, dtype=np.int64)
        self._hold(labels=labels, probabilities=np.asarray(self.probabilities, dtype=np.float32))
        _check(labels, self.probabilities, len(self.classes))

    def _facts(self) -> Facts:
        low, high = self.top1_interval
        score = f"top-1 {percent(self.top1, 2)} ({percent(low, 2)} to {percent(high, 2)}, 95 % interval)"
        values = self._said(score, f"{plural(len(self.classes), 'class', 'classes')}: {listed(self.classes)}")
        rows = [
            (name, *(percent(share, 2) if images else "–" for share in shares), whole(images))
            for name, *shares, images in self.per_class()
        ]
        return Facts(values, ("class", "precision", "recall", "F1", "images"), rows)

    @cached_property
    def predicted(self) -> np.ndarray:
        """(N,) int64, the most probable class; the first of several that are equally probable."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(N,) float32, the probability of the predicted class."""
        return self.probabilities.max(axis=1)

    @property
    def correct(self) -> int:
        """Number of images whose most probable class is the true one."""
        return int((self.predicted == self.labels).sum())

    @property
    def top1(self) -> float:
        """The share of images whose most probable class is the true one."""
        return self.correct / len(self)

    @property
    def top1_interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of `top1`."""
        return wilson_interval(self.correct, len(self))

    @property
    def top5(self) -> float | None:
        """The share of images whose true class is among the five most probable; None for K <= 5."""
        return float((self.ranks < 5).mean()) if len(self.classes) > 5 else None

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have images: each class counts alike (Brodersen et al., 2010)."""
        return float(np.mean([score.recall for score in self.per_class() if score.support]))

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that have images."""
        return float(np.mean([score.f1 for score in self.per_class() if score.support]))

    @property
    def unbalanced(self) -> bool:
        """Whether some class has over `IMBALANCE` times the images of another, so that accuracy says little of it."""
        counts = np.bincount(self.labels)
        return bool(counts.max() > IMBALANCE * counts[counts > 0].min())

    @property
    def score(self) -> float:
        """`top1`."""
        return self.top1

    def figures(self) -> dict[str, float]:
        """What metrics.csv keeps."""
        return {"accuracy": self.top1} | ({} if self.top5 is None else {"top5": self.top5})

    @cached_property
    def ranks(self) -> np.ndarray:
        """(N,) the place of the true class by probability, from 0; among equals the lower class is first."""
        own = np.take_along_axis(self.probabilities, self.labels[:, None], axis=1)  # (N, 1)
        before = np.arange(len(self.classes)) < self.labels[:, None]  # (N, K)
        return ((self.probabilities > own) | ((self.probabilities == own) & before)).sum(axis=1)

    @cached_property
    def confusion(self) -> np.ndarray:
        """(K, K) int64 image counts, a row for each true class and a column for each predicted one."""
        size = len(self.classes)
        return np.bincount(self.labels * size + self.predicted, minlength=size * size).reshape(size, size)

    def per_class(self) -> list[ClassScore]:
        """Precision, recall, F1 and support of every class, in the order of `classes`."""
        size = len(self.classes)  # counted directly: (K, K) is too much for tens of thousands of classes
        hits = np.bincount(self.labels[self.predicted == self.labels], minlength=size).astype(float)
        support = np.bincount(self.labels, minlength=size)
        claimed = np.bincount(self.predicted, minlength=size)
        precision = hits / np.maximum(claimed, 1)
        recall = hits / np.maximum(support, 1)
        f1 = 2 * hits / np.maximum(support + claimed, 1)
        columns = zip(self.classes, precision, recall, f1, support, strict=True)
        return [ClassScore(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in columns]

    def most_confused(self, count: int) -> list[Confusion]:
        """The `count` pairs of classes most often taken for one another, most images first."""
        size = len(self.classes)
        wrong = self.predicted != self.labels
        pairs, images = np.unique(self.labels[wrong] * size + self.predicted[wrong], return_counts=True)
        support = np.bincount(self.labels, minlength=size)
        order = np.argsort(-images, kind="stable")[:count]
        found = ((*divmod(int(pairs[place]), size), int(images[place])) for place in order)
        return [Confusion(true, predicted, n, float(n / support[true])) for true, predicted, n in found]

    def calibration(self, bins: int = 15) -> Calibration:
        """Confidence against accuracy in equal bins (lower, upper], and the expected calibration error.

        The error (ECE) is the gap between the two, averaged over images (Guo et al., 2017, equation 5).
        """
        place = np.clip(np.ceil(self.confidence.astype(float) * bins).astype(int) - 1, 0, bins - 1)
        count = np.bincount(place, minlength=bins)
        confidence_sum = np.bincount(place, weights=self.confidence, minlength=bins)
        hits = np.bincount(place, weights=self.predicted == self.labels, minlength=bins)
        with np.errstate(invalid="ignore"):
            confidence, accuracy = confidence_sum / count, hits / count
        ece = float(np.abs(confidence_sum - hits).sum() / len(self))
        return Calibration(confidence, accuracy, count, ece)

    def mistake(self, index: int) -> tuple[str, str, float | None, float | None]:
        """The true and the predicted class of an image, and the probabilities of the predicted and of the true one."""
        true, predicted = int(self.labels[index]), int(self.predicted[index])
        chances = self.probabilities[index]
        return self.classes[true], self.classes[predicted], float(chances[predicted]), float(chances[true])

    def worst(self, count: int) -> np.ndarray:
        """Positions of the `count` mistakes made with most confidence, most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:count]

    def _overall(self) -> dict[str, float | None]:
        low, high = self.top1_interval
        top1 = {"top1": self.top1, "top1_low": low, "top1_high": high}
        alike = {"balanced_accuracy": self.balanced_accuracy, "macro_f1": self.macro_f1}
        return {**top1, "top5": self.top5, **alike, "ece": self.calibration().ece}

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON can hold them: no NaN, no confusion matrix beyond 100 classes (None)."""
        small = len(self.classes) <= LARGEST_MATRIX_IN_DICT
        return {**super().to_dict(), "confusion": self.confusion.tolist() if small else None}


def _check(labels: NDArray[np.int64], probabilities: NDArray[np.float32], size: int) -> None:
    if labels.ndim != 1 or probabilities.shape != (len(labels), size):
        raise StriateError(
            f"evaluation: labels of shape {labels.shape} and probabilities of shape {probabilities.shape} do "
            f"not fit {size} classes; they must be (N,) and (N, {size})."
        )
    if not len(labels):
        return
    if labels.min() < 0 or labels.max() >= size:
        raise StriateError(
            f"evaluation: labels run from {labels.min()} to {labels.max()}, but the {size} classes are "
            f"numbered 0 to {size - 1}."
        )
    demand_finite(probabilities)
    if probabilities.min() < -1e-6 or probabilities.max() > 1 + 1e-5:
        raise StriateError(
            f"evaluation: probabilities run from {probabilities.min():.3g} to {probabilities.max():.3g}; "
            "they must lie in [0, 1] (give softmax outputs, not scores)."
        )
