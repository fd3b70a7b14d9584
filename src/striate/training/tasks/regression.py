"""Values for each image: squared error and kin, R squared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from striate.data import Split
from striate.data.targets import REGRESSION
from striate.errors import UsageError
from striate.training.balance import NONE
from striate.training.intervals import mean_difference
from striate.training.losses import OWN, VALUE_LOSSES
from striate.training.recipes import Recipe
from striate.training.tasks.multi_label import refuse_distances
from striate.training.tasks.task import Loss, Task, about
from striate.training.value_metrics import RegressionEvaluation

#: The largest norm of all gradients together, where a recipe leaves them alone.
LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Regression(Task):
    """T values of each image; labels are float64 (N, T).

    The network learns them in standard deviations from their mean over the training images, so that values of any
    size and unit train at the same rates; what it answers is in the values' own units.

    Attributes:
        mean: of each value over the training images.
        deviation: likewise; 1 where all are equal.
    """

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    kind = REGRESSION
    running = "r2"
    gained = "mean absolute error in standard deviations"
    gained_share = False
    counts = 1
    shallow = "ridge"
    measured = "mean_squared_error"
    figures = ("r2", "mae")

    @classmethod
    def of(cls, classes: tuple[str, ...], labels: NDArray[np.float64]) -> Regression:
        """The task of predicting such values."""
        deviation = labels.std(0)
        return cls(classes, tuple(labels.mean(0).tolist()), tuple(np.where(deviation > 0, deviation, 1).tolist()))

    def fitting(self, recipe: Recipe) -> Recipe:
        """The loss becomes the squared error, nothing is smoothed, and gradients are clipped.

        The gradient of a cross-entropy is never larger than 1, that of a squared error grows with the error: at rates
        that were found for classes training would diverge now and then.
        """
        loss = recipe.loss if recipe.loss in VALUE_LOSSES else OWN
        return replace(recipe, loss=loss, label_smoothing=0.0, clip_norm=recipe.clip_norm or LARGEST_GRADIENT)

    def loss(self, recipe: Recipe, own: str, labels: NDArray[np.float64] | None = None) -> Loss:
        """The named loss of the standardised values, the mean over values and images."""
        refuse_distances(own)
        name = next(iter(VALUE_LOSSES)) if recipe.loss == OWN else recipe.loss
        if name not in VALUE_LOSSES:
            raise UsageError(f"the loss '{name}' is for classes; values take one of {', '.join(VALUE_LOSSES)}.")
        if recipe.balance != NONE:
            raise UsageError(
                f"balance is {recipe.balance}, which is for classes and labels; values have none to balance."
            )
        if recipe.label_smoothing:
            raise UsageError("values are not smoothed like classes; set label_smoothing=0.")
        chosen = VALUE_LOSSES[name]
        return lambda logits, labels: chosen(logits, self._standard(labels).to(logits.dtype))

    def learnt(self, labels: NDArray[Any]) -> NDArray[Any]:
        """The values in standard deviations from their mean."""
        return self._standard(torch.from_numpy(labels)).numpy()

    def _standard(self, labels: Tensor) -> Tensor:
        mean, deviation = (labels.new_tensor(figures) for figures in (self.mean, self.deviation))
        return (labels - mean) / deviation

    def tally(self, logits: Tensor, labels: Tensor) -> list[Tensor]:
        """The squared errors, in variances of the training images."""
        return [(logits.double() - self._standard(labels)).square().mean(1).sum()]

    def tallied(self, sums: list[float], images: float) -> float:
        """R squared, the mean over the values: the variance of the training images is 1."""
        return 1 - sums[0] / max(images, 1)

    def answers(self, logits: Tensor) -> NDArray[np.float64]:
        """The values (N, T) in their own units, the mean over the views."""
        return logits.double().mean(1).numpy() * np.array(self.deviation) + np.array(self.mean)

    def measure(self, logits: Tensor, split: Split) -> RegressionEvaluation:
        """The values, and the mean squared error of the standardised ones."""
        standard = self._standard(torch.from_numpy(split.labels))
        loss = functional.mse_loss(logits.double().mean(1), standard).item()
        return RegressionEvaluation(self.classes, split.labels, self.answers(logits), **about(split, loss))

    def gain(self, once: Any, found: Any) -> tuple[float, float, float, float]:
        """By how much the absolute error falls, in standard deviations of the training images."""
        before, after = (
            (np.abs(each.predicted - each.labels) / np.array(self.deviation)).mean(1) for each in (once, found)
        )
        return float(before.mean()), *mean_difference(after, before)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the names stand elsewhere."""
        return {"kind": self.kind, "mean": list(self.mean), "deviation": list(self.deviation)}
