"""How good a network is at several labels per image: average precision, F1, labels and images wholly right.

Everything is computed from the probabilities of one pass over the images. What is said of an image are the labels whose
probability reaches their threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.errors import StriateError
from striate.notebook import Facts, listed
from striate.training.intervals import bootstrap_interval
from striate.training.measured import Measured, demand_finite
from striate.training.thresholds import HALF
from striate.units import percent, plural, whole

#: Images times labels above which an interval takes too long; it is then left out.
LONGEST_BOOTSTRAP = 2_000_000


class LabelScore(NamedTuple):
    """One label.

    Average precision (NaN without images that have it), precision, recall and F1 at its threshold, images that have it,
    the threshold, and F1 at one half.
    """

    name: str
    average_precision: float
    precision: float
    recall: float
    f1: float
    support: int
    threshold: float = HALF
    f1_at_half: float = math.nan


@dataclass(frozen=True, eq=False, repr=False)
class MultiLabelEvaluation(Measured):
    """The outcome of one pass over a split whose images have several labels.

    Args:
        classes: the names of the K labels.
        labels: which labels each image has, bool (N, K).
        probabilities: of each label, (N, K) in [0, 1], finite.
        names: N names of images, for reports; or none.
        loss: mean binary cross-entropy over the split.
        split: the split's name, "test" or "val", where it has one.
        notes: what the images are and what was left out of them, one line each.
        engine: what ran the network and how fast, where that was chosen.
        views: what several views of each picture gained, where there were several.
        thresholds: from which probability on each label is said to be there; none for one half.

    Raises:
        StriateError: there are no images, shapes disagree, a probability is not finite or lies outside [0, 1].
    """

    labels: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    thresholds: tuple[float, ...] = field(default=(), kw_only=True)

    def _check(self) -> None:
        labels, size = np.asarray(self.labels, dtype=np.bool_), len(self.classes)
        probabilities = np.asarray(self.probabilities, dtype=np.float32)
        self._hold(labels=labels, probabilities=probabilities)
        if labels.shape != (len(labels), size) or probabilities.shape != labels.shape:
            raise StriateError(
                f"evaluation: labels of shape {labels.shape} and probabilities of shape {probabilities.shape} do not "
                f"fit {size} labels; both must be (N, {size})."
            )
        if len(self.thresholds) not in (0, size):
            raise StriateError(f"evaluation: {len(self.thresholds)} thresholds for {size} labels; give one for each.")
        demand_finite(probabilities)
        if len(labels) and (probabilities.min() < 0 or probabilities.max() > 1):
            raise StriateError("evaluation: probabilities must lie in [0, 1] (give sigmoid outputs, not scores).")

    def _facts(self) -> Facts:
        low, high = self.map_interval
        interval = f" ({percent(low, 2)} to {percent(high, 2)}, 95 % interval)" if math.isfinite(low) else ""
        score = f"mAP {percent(self.mean_average_precision, 2)}{interval}, F1 {percent(self.micro_f1, 2)}"
        values = self._said(score, f"{plural(len(self.classes), 'label')}: {listed(self.classes)}")
        rows = [
            (name, *(percent(share, 2) if math.isfinite(share) else "–" for share in shares), whole(images))
            for name, *shares, images, _, _ in self.per_class()
        ]
        return Facts(values, ("label", "AP", "precision", "recall", "F1", "images"), rows)

    @cached_property
    def predicted(self) -> NDArray[np.bool_]:
        """Which labels each image is said to have, bool (N, K)."""
        return self.probabilities >= np.array(self.thresholds or [HALF] * len(self.classes))

    @cached_property
    def at_half(self) -> MultiLabelEvaluation:
        """The same with all thresholds at one half."""
        return replace(self, thresholds=())

    @cached_property
    def average_precisions(self) -> NDArray[np.float64]:
        """Of each label, (K,); NaN where no image has it. See `average_precision`."""
        columns = zip(self.labels.T, self.probabilities.T, strict=True)
        return np.array([average_precision(has, chances) for has, chances in columns])

    @property
    def mean_average_precision(self) -> float:
        """Mean over the labels that some image has (mAP, macro); NaN where there are none."""
        known = self.average_precisions[np.isfinite(self.average_precisions)]
        return float(known.mean()) if len(known) else math.nan

    @cached_property
    def map_interval(self) -> tuple[float, float]:
        """The 95 % interval of `mean_average_precision`, over images drawn again; NaN for very many images."""
        if self.labels.size > LONGEST_BOOTSTRAP:
            return math.nan, math.nan
        ranked = [_Ranked.of(has, chances) for has, chances in zip(self.labels.T, self.probabilities.T, strict=True)]

        def mean(drawn: NDArray[np.float64]) -> float:
            found = np.array([label.average_precision(drawn) for label in ranked])
            return float(np.nanmean(found)) if np.isfinite(found).any() else math.nan

        return bootstrap_interval(mean, len(self))

    @property
    def micro_f1(self) -> float:
        """F1 of all labels of all images together; 0 where none is said and none is there."""
        hits, said, has = (self.predicted & self.labels).sum(), self.predicted.sum(), self.labels.sum()
        return float(2 * hits / (said + has)) if said + has else 0.0

    @property
    def macro_f1(self) -> float:
        """The mean of the labels' F1."""
        return float(np.mean([score.f1 for score in self.per_class()]))

    @property
    def hamming_loss(self) -> float:
        """The share of labels, over all images, that are wrongly said or wrongly left out."""
        return float((self.predicted != self.labels).mean())

    @property
    def subset_accuracy(self) -> float:
        """The share of images all of whose labels are right."""
        return float((self.predicted == self.labels).all(1).mean())

    @property
    def score(self) -> float:
        """`mean_average_precision`."""
        return self.mean_average_precision

    def figures(self) -> dict[str, float]:
        """What metrics.csv keeps."""
        return {"map": self.mean_average_precision, "f1": self.micro_f1}

    def per_class(self) -> list[LabelScore]:
        """The scores of every label, in the order of `classes`; precision, recall and F1 are 0 where undefined."""
        hits = (self.predicted & self.labels).sum(0)
        said, has = self.predicted.sum(0), self.labels.sum(0)
        precision, recall = hits / np.maximum(said, 1), hits / np.maximum(has, 1)
        f1 = 2 * hits / np.maximum(said + has, 1)
        columns = (self.average_precisions, precision, recall, f1, has)
        cuts = self.thresholds or [HALF] * len(self.classes)
        halves = [score.f1 for score in self.at_half.per_class()] if self.thresholds else f1.tolist()
        rows = zip(*(column.tolist() for column in columns), cuts, halves, strict=True)
        return [LabelScore(name, *row) for name, row in zip(self.classes, rows, strict=True)]

    def mistake(self, index: int) -> tuple[str, str, float | None, float | None]:
        """The labels that an image has, and those that it is said to have."""
        return self._named(self.labels[index]), self._named(self.predicted[index]), None, None

    def curve(self, place: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Recall and precision of a label that some image has, at every threshold from the highest on."""
        return _Ranked.of(self.labels[:, place], self.probabilities[:, place]).curve()

    def worst_of(self, place: int, count: int) -> NDArray[np.int64]:
        """Positions of the `count` images of which a label was most surely said wrongly, or left out, surest first."""
        wrong = np.flatnonzero(self.predicted[:, place] != self.labels[:, place])
        by = np.abs(self.probabilities[wrong, place] - self.labels[wrong, place])
        return wrong[np.argsort(-by, kind="stable")][:count]

    def _named(self, has: NDArray[np.bool_]) -> str:
        return ", ".join(name for name, held in zip(self.classes, has, strict=True) if held) or "none"

    def worst(self, count: int) -> NDArray[np.int64]:
        """Positions of the `count` images with the surest wrong label, the surest first; none that are all right."""
        wrong = np.abs(self.probabilities - self.labels)
        wrong[self.predicted == self.labels] = 0
        most = wrong.max(1)
        rows = np.flatnonzero(most > 0)
        return rows[np.argsort(-most[rows], kind="stable")][:count]

    def _overall(self) -> dict[str, float | None]:
        low, high = self.map_interval
        return {
            "map": self.mean_average_precision,
            "map_low": low,
            "map_high": high,
            "micro_f1": self.micro_f1,
            "macro_f1": self.macro_f1,
            "micro_f1_at_half": self.at_half.micro_f1,
            "macro_f1_at_half": self.at_half.macro_f1,
            "hamming_loss": self.hamming_loss,
            "subset_accuracy": self.subset_accuracy,
        }


class _Ranked(NamedTuple):
    """The images in the order of one label's probability, the highest first.

    `has` says which have the label, `last` which is the last of those that are equally probable: only there a
    threshold can be set.
    """

    order: NDArray[np.int64]
    has: NDArray[np.bool_]
    last: NDArray[np.int64]

    @classmethod
    def of(cls, has: NDArray[np.bool_], chances: NDArray[np.float32]) -> _Ranked:
        order = np.argsort(-chances, kind="stable")
        ranked = chances[order]
        last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(order, has[order], last)

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = np.cumsum(self.has)[self.last]
        return found / found[-1], found / (self.last + 1)

    def average_precision(self, weights: NDArray[np.float64]) -> float:
        weights = weights[self.order]
        found, taken = np.cumsum(weights * self.has)[self.last], np.cumsum(weights)[self.last]
        if not found[-1]:
            return math.nan
        precision = found / np.maximum(taken, np.finfo(float).tiny)
        return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])


def average_precision(has: NDArray[np.bool_], chances: NDArray[np.float32]) -> float:
    """The mean precision over the images that have a label, at the threshold of each: sum of (R_n - R_n-1) P_n.

    Args:
        has: which images have it, bool (N,).
        chances: its probability, (N,); images of the same probability share a threshold.

    Returns:
        The average precision; NaN where no image has the label.
    """
    return _Ranked.of(np.asarray(has, bool), np.asarray(chances)).average_precision(np.ones(len(has)))
