"""How good a network is at predicting values: mean absolute and squared error, R squared, the worst errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.errors import StriateError
from striate.notebook import Facts, listed
from striate.training.intervals import NORMAL, bootstrap_interval
from striate.training.measured import Measured, demand_finite
from striate.units import plural


class ValueScore(NamedTuple):
    """One value: errors in its own units; `bias` is the mean of predicted less true.

    `mae` is the mean absolute error with its 95 % interval, `median` the median of the absolute errors, `largest` the
    largest; `baseline` is the mean absolute error of whoever always says the mean.
    """

    name: str
    mae: float
    mae_low: float
    mae_high: float
    rmse: float
    r2: float
    bias: float
    median: float
    largest: float
    baseline: float


@dataclass(frozen=True, eq=False, repr=False)
class RegressionEvaluation(Measured):
    """The outcome of one pass over a split whose images have values to be predicted.

    Args:
        classes: the names of the T values.
        labels: the true values, float64 (N, T).
        predicted: those that were predicted, (N, T), finite.
        names: N names of images, for reports; or none.
        loss: mean squared error over the split, in variances of the training images.
        split: the split's name, "test" or "val", where it has one.
        notes: what the images are and what was left out of them, one line each.
        engine: what ran the network and how fast, where that was chosen.
        views: what several views of each picture gained, where there were several.

    Raises:
        StriateError: there are no images, shapes disagree, a value is not finite.
    """

    labels: NDArray[np.float64]
    predicted: NDArray[np.float64]

    def _check(self) -> None:
        labels, size = np.asarray(self.labels, dtype=np.float64), len(self.classes)
        predicted = np.asarray(self.predicted, dtype=np.float64)
        self._hold(labels=labels, predicted=predicted)
        if labels.shape != (len(labels), size) or predicted.shape != labels.shape:
            raise StriateError(
                f"evaluation: true values of shape {labels.shape} and predicted ones of shape {predicted.shape} do not "
                f"fit {size} names; both must be (N, {size})."
            )
        demand_finite(predicted)

    def _facts(self) -> Facts:
        low, high = self.r2_interval
        interval = f" ({low:.4f} to {high:.4f}, 95 % interval)" if math.isfinite(low) else ""
        score = f"R² {self.r2:.4f}{interval}"
        values = self._said(score, f"{plural(len(self.classes), 'value')}: {listed(self.classes)}")
        rows = [
            (score.name, *(f"{figure:.4g}" for figure in (score.mae, score.rmse, score.r2, score.bias, score.largest)))
            for score in self.per_class()
        ]
        return Facts(values, ("value", "MAE", "RMSE", "R²", "bias", "largest"), rows)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Predicted less true, (N, T)."""
        return self.predicted - self.labels

    @property
    def mae(self) -> float:
        """The mean absolute error, the mean over the values; of values of several units look at `per_class`."""
        return float(np.abs(self.errors).mean())

    @property
    def rmse(self) -> float:
        """The root of the mean squared error of each value, the mean over the values."""
        return float(np.sqrt(np.square(self.errors).mean(0)).mean())

    @property
    def r2(self) -> float:
        """The share of the variance that is explained, the mean over the values: 1 at best, 0 for saying the mean."""
        return _r2(self.labels, self.predicted, np.ones(len(self)))

    @property
    def r2_interval(self) -> tuple[float, float]:
        """The 95 % interval of `r2`, over images drawn again."""
        return bootstrap_interval(lambda drawn: _r2(self.labels, self.predicted, drawn), len(self))

    @property
    def score(self) -> float:
        """`r2`."""
        return self.r2

    def figures(self) -> dict[str, float]:
        """What metrics.csv keeps."""
        return {"r2": self.r2, "mae": self.mae}

    def per_class(self) -> list[ValueScore]:
        """The errors of every value, in the order of `classes`."""
        return [self._score(place) for place in range(len(self.classes))]

    def _score(self, place: int) -> ValueScore:
        true, predicted = self.labels[:, place], self.predicted[:, place]
        errors = predicted - true
        sizes = np.abs(errors)
        mae = float(sizes.mean())
        reach = NORMAL * float(sizes.std(ddof=1)) / math.sqrt(len(sizes)) if len(sizes) > 1 else math.nan
        return ValueScore(
            name=self.classes[place],
            mae=mae,
            mae_low=max(0.0, mae - reach),
            mae_high=mae + reach,
            rmse=math.sqrt(float(np.square(errors).mean())),
            r2=_r2(true[:, None], predicted[:, None], np.ones(len(self))),
            bias=float(errors.mean()),
            median=float(np.median(sizes)),
            largest=float(sizes.max()),
            baseline=float(np.abs(true - true.mean()).mean()),
        )

    def mistake(self, index: int) -> tuple[str, str, float | None, float | None]:
        """The true and the predicted values of an image; of several the one that is farthest off."""
        place = int(self._far(index).argmax())
        name = f"{self.classes[place]} " if len(self.classes) > 1 else ""
        return f"{name}{self.labels[index, place]:.5g}", f"{name}{self.predicted[index, place]:.5g}", None, None

    def _far(self, rows: int | slice) -> NDArray[np.float64]:
        """The size of errors in deviations of the value."""
        deviation = self.labels.std(0)
        return np.abs(self.errors[rows]) / np.where(deviation > 0, deviation, 1)

    def worst(self, count: int) -> NDArray[np.int64]:
        """Positions of the `count` images with the largest error, in deviations of the value, the largest first."""
        most = self._far(slice(None)).max(1)
        return np.argsort(-most, kind="stable")[:count]

    def _overall(self) -> dict[str, float | None]:
        low, high = self.r2_interval
        return {"r2": self.r2, "r2_low": low, "r2_high": high, "mae": self.mae, "rmse": self.rmse}


def _r2(true: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """1 less squared errors over squared distances from the mean, the mean over the values; NaN of one image.

    Of values that are all equal it is 1 where they are predicted exactly, else 0, as scikit-learn has it.
    """
    if np.count_nonzero(weights) < 2:
        return math.nan
    weights = weights[:, None]
    mean = (weights * true).sum(0) / weights.sum()
    left, whole = (weights * np.square(true - predicted)).sum(0), (weights * np.square(true - mean)).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(whole > 0, 1 - left / whole, np.where(left > 0, 0.0, 1.0))
    return float(shares.mean())
