"""Several labels for each image, or none: a sigmoid for each, binary cross-entropy, mean average precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from striate.data import Split
from striate.data.few import few
from striate.data.targets import MULTI_LABEL
from striate.errors import UsageError
from striate.training.balance import WEIGHTS, label_weights, times_by_rarest_label
from striate.training.intervals import mean_difference
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.losses import OWN
from striate.training.measured import Measured
from striate.training.recipes import Recipe
from striate.training.tasks.task import Loss, Task, about
from striate.training.thresholds import HALF, fitted_thresholds
from striate.units import percent, plural

#: The losses of this task; "own" is the first.
LOSSES = ("binary",)


@dataclass(frozen=True)
class MultiLabel(Task):
    """Which of K labels each image has; labels are bool (N, K), or shares from 0 to 1 of mixed images.

    Attributes:
        thresholds: from which probability on each label is said to be there; none before they are fitted, for one half.
    """

    thresholds: tuple[float, ...] = ()

    kind = MULTI_LABEL
    running = "f1"
    gained = "share of labels right"
    counts = 3
    shallow = "logistic"
    measured = "binary"
    figures = ("map", "f1")

    def fitting(self, recipe: Recipe) -> Recipe:
        """The loss becomes the binary cross-entropy."""
        return recipe if recipe.loss in (OWN, *LOSSES) else replace(recipe, loss=OWN)

    def loss(self, recipe: Recipe, own: str, labels: NDArray[np.bool_] | None = None) -> Loss:
        """Binary cross-entropy, the mean over labels and images; smoothed, a label counts 1 - s / 2 or s / 2.

        Balanced, having and lacking a label count alike; PyTorch's `pos_weight` is the ratio of their weights.
        """
        refuse_distances(own)
        if recipe.loss not in (OWN, *LOSSES):
            raise UsageError(f"the loss '{recipe.loss}' is for one class per image; several labels take loss=binary.")
        smoothing, weight, ratio = recipe.label_smoothing, None, None
        if labels is not None and recipe.balance == WEIGHTS:
            weight, with_it = map(torch.from_numpy, label_weights(labels))  # of images without it, and with it
            ratio = with_it / weight

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            truth = labels.to(logits.dtype)
            truth = truth * (1 - smoothing) + smoothing / 2 if smoothing else truth
            weights = (None if each is None else each.to(logits) for each in (weight, ratio))
            return functional.binary_cross_entropy_with_logits(logits, truth, next(weights), pos_weight=next(weights))

        return loss

    def times(self, labels: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The rarest label of an image decides."""
        return times_by_rarest_label(labels)

    def weights(self, labels: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Having and lacking a label count alike: (N, K)."""
        without, with_it = label_weights(labels)
        return np.where(labels, with_it, without)

    def tally(self, logits: Tensor, labels: Tensor) -> list[Tensor]:
        """Labels that are rightly said, said and had, over all images together."""
        said, has = logits > 0, labels > 0.5 if labels.is_floating_point() else labels
        return [(said & has).sum(), said.sum(), has.sum()]

    def tallied(self, sums: list[float], images: float) -> float:
        """F1 over all labels together (micro)."""
        right, said, has = sums
        return 2 * right / (said + has) if said + has else 0.0

    def answers(self, logits: Tensor) -> NDArray[np.float32]:
        """The probability of each label (N, K), the mean over the views."""
        return logits.double().sigmoid().mean(1).float().numpy()

    def measure(self, logits: Tensor, split: Split) -> MultiLabelEvaluation:
        """Probabilities and the mean binary cross-entropy without label smoothing."""
        truth = torch.from_numpy(split.labels).double()
        if logits.shape[1] == 1:
            loss = functional.binary_cross_entropy_with_logits(logits[:, 0].double(), truth).item()
        else:
            loss = functional.binary_cross_entropy(logits.double().sigmoid().mean(1), truth).item()
        answers = self.answers(logits)
        return MultiLabelEvaluation(
            self.classes, split.labels, answers, thresholds=self.thresholds, **about(split, loss)
        )

    def fitted(self, evaluation: Measured) -> MultiLabel:
        """The thresholds of the highest F1 on validation images; see `striate.training.thresholds`."""
        assert isinstance(evaluation, MultiLabelEvaluation)
        return replace(self, thresholds=fitted_thresholds(evaluation.labels, evaluation.probabilities))

    def fit_told(self, val: Split | None) -> str:
        """Where the thresholds lie, and which labels the validation images say nothing of."""
        if val is None or not self.thresholds:
            return f"thresholds stay at {percent(HALF, 0)}: there were no validation images to fit them to"
        low, high = (percent(each, 0) for each in (min(self.thresholds), max(self.thresholds)))
        line = f"thresholds, fitted to {plural(len(val), 'validation image')}: {low} to {high}"
        has = val.labels.sum(0)
        for which, why in ((has == 0, "has"), (has == len(val), "lacks")):
            if names := [f"'{self.classes[place]}'" for place in np.flatnonzero(which)]:
                line += f"; {percent(HALF, 0)} for {few(names)}, which no validation image {why}"
        return line

    def gain(self, once: Any, found: Any) -> tuple[float, float, float, float]:
        """In the share of labels that are right, over the images."""
        before, after = ((each.predicted == each.labels).mean(1) for each in (once, found))
        return float(before.mean()), *mean_difference(before, after)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the names stand elsewhere."""
        return {"kind": self.kind, **({"thresholds": list(self.thresholds)} if self.thresholds else {})}


def refuse_distances(own: str) -> None:
    """Raise UsageError for a network whose outputs are distances from classes."""
    if own.startswith("rbf"):
        raise UsageError("the network's outputs are distances from classes, for one class per image; take another.")
