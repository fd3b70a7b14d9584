"""How good a network is at predicting values: mean absolute and squared error, R squared, the worst errors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.errors import StriateError
from striate.notebook import Facts, Shown, listed
from striate.training.gain import Gain
from striate.training.intervals import NORMAL, bootstrap_interval
from striate.units import plural, whole


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
class RegressionEvaluation(Shown):
    """The outcome of one pass over a split whose images have values to be predicted.

    Args:
        classes: the names of the T values.
        labels: the true values, float64 (N, T).
        predicted: those that were predicted, (N, T), finite.
        names: N names of images, for reports; or none.
        loss: mean squared error over the split, in variances of the training images.
        split: the split's name, "test" or "val", where it has one.
        notes: what the images are and what was left out of them, one line each.
        views: what several views of each picture gained, where there were several.

    Raises:
        StriateError: there are no images, shapes disagree, a value is not finite.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.float64]
    predicted: NDArray[np.float64]
    names: list[str] = field(default_factory=list)
    loss: float = math.nan
    split: str = ""
    notes: tuple[str, ...] = ()
    views: Gain | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.float64))
        object.__setattr__(self, "predicted", np.asarray(self.predicted, dtype=np.float64))
        object.__setattr__(self, "names", list(self.names))
        shape = (len(self.labels), len(self.classes))
        if self.labels.shape != shape or self.predicted.shape != shape:
            raise StriateError(
                f"evaluation: true values of shape {self.labels.shape} and predicted ones of shape "
                f"{self.predicted.shape} do not fit {len(self.classes)} names; both must be (N, {shape[1]})."
            )
        if not len(self.labels):
            raise StriateError("evaluation: the split has no images; give at least one.")
        if not np.isfinite(self.predicted).all():
            raise StriateError(
                "evaluation: the network's outputs are not finite; training has diverged, try a lower learning rate."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def _facts(self) -> Facts:
        low, high = self.r2_interval
        interval = f" ({low:.4f} to {high:.4f}, 95 % interval)" if math.isfinite(low) else ""
        values = {
            "score": f"R² {self.r2:.4f}{interval}",
            "images": " ".join(filter(None, [whole(len(self)), self.split, "images"])),
            "values": f"{plural(len(self.classes), 'value')}: {listed(self.classes)}",
            "loss": f"loss {self.loss:.4f}" if math.isfinite(self.loss) else "",
        }
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

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON can hold them: no NaN."""
        low, high = self.r2_interval
        overall = {"loss": self.loss, "r2": self.r2, "r2_low": low, "r2_high": high, "mae": self.mae, "rmse": self.rmse}
        return {
            "images": len(self),
            **_known(overall),
            "per_class": [_known(score._asdict()) for score in self.per_class()],
            **({} if self.views is None else {"views": self.views.to_dict()}),
        }


def _known(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


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
