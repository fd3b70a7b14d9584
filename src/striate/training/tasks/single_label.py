"""One class for each image: softmax, cross-entropy and kin, accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from striate.data import Split
from striate.data.targets import SINGLE_LABEL
from striate.training.balance import WEIGHTS, class_weights, times_by_class
from striate.training.gain import paired_difference
from striate.training.losses import OWN, choose_loss, class_logits
from striate.training.metrics import Evaluation
from striate.training.recipes import Recipe
from striate.training.tasks.task import Loss, Task, about


class SingleLabel(Task):
    """One of the K classes for each image; labels are int64 (N,), or shares of the classes, (N, K), of mixed images."""

    kind = SINGLE_LABEL
    running = "accuracy"
    gained = "top-1 accuracy"
    counts = 1
    shallow = "svm"
    measured = "cross_entropy"
    figures = ("accuracy", "top5")

    def outputs(self, own: int | None) -> int:
        """One for each class; a network that is made for one sigmoid separates two classes by it."""
        return 1 if len(self.classes) == 2 and own == 1 else max(2, len(self.classes))

    def logits(self, outputs: Tensor) -> Tensor:
        """One for each class; see `class_logits`."""
        return class_logits(outputs, len(self.classes))

    def loss_name(self, recipe: Recipe, own: str) -> str:
        """The recipe's, else the network's own."""
        return own if recipe.loss == OWN else recipe.loss

    def loss(self, recipe: Recipe, own: str, labels: NDArray[np.int64] | None = None) -> Loss:
        """See `choose_loss`."""
        weights = None
        if labels is not None and recipe.balance == WEIGHTS:
            weights = torch.from_numpy(class_weights(labels, len(self.classes)))
        return choose_loss(recipe.loss, own, recipe.label_smoothing, weights)

    def times(self, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Every class comes as often as every other."""
        return times_by_class(labels, len(self.classes))

    def weights(self, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Every class counts as much as every other: (N, 1)."""
        return class_weights(labels, len(self.classes))[labels][:, None]

    def tally(self, logits: Tensor, labels: Tensor) -> list[Tensor]:
        """How many are right: of mixed images the class that has the largest share counts."""
        truth = labels if labels.dim() == 1 else labels.argmax(1)
        return [(logits.argmax(1) == truth).sum()]

    def tallied(self, sums: list[float], images: float) -> float:
        """The accuracy."""
        return sums[0] / max(images, 1)

    def answers(self, logits: Tensor) -> NDArray[np.float32]:
        """Probabilities (N, K), the mean over the views."""
        return self._probabilities(logits).float().numpy()

    def measure(self, logits: Tensor, split: Split) -> Evaluation:
        """Probabilities and the mean cross-entropy without label smoothing."""
        labels = torch.from_numpy(split.labels)
        if logits.shape[1] == 1:
            loss = functional.cross_entropy(logits[:, 0].double(), labels).item()
        else:
            loss = functional.nll_loss(self._probabilities(logits).log(), labels).item()
        return Evaluation(self.classes, split.labels, self.answers(logits), **about(split, loss))

    @staticmethod
    def _probabilities(logits: Tensor) -> Tensor:
        return logits[:, 0].softmax(1) if logits.shape[1] == 1 else logits.double().softmax(2).mean(1)

    def gain(self, once: Any, found: Any) -> tuple[float, float, float, float]:
        """In accuracy; see `paired_difference`."""
        return once.top1, *paired_difference(once.predicted == once.labels, found.predicted == found.labels)
