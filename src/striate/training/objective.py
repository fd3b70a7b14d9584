"""What a step of training minimises: the loss of the head and, weighted, those of the auxiliary heads."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from striate.models import Network
from striate.training.auxiliary import auxiliary_weight
from striate.training.recipes import Recipe
from striate.training.tasks import Task


class Outcome(NamedTuple):
    """One batch: the loss to minimise, the head's logits (N, K), and the losses named by `Objective.figures`."""

    loss: Tensor
    logits: Tensor
    parts: list[Tensor]


class Objective:
    """The loss of a network with or without auxiliary heads (Szegedy et al., 2014, arXiv:1409.4842, section 5).

    Every head is measured by the same loss; the auxiliary ones' are added with the recipe's weight, else the
    network's own.

    Args:
        model: the network.
        recipe: names loss, smoothing and weight.
        task: what is learnt.
        labels: of the training images, which a loss that balances them goes by.

    Raises:
        UsageError: the loss does not fit the network, or there are auxiliary heads without a weight, or the reverse.
    """

    def __init__(self, model: Network, recipe: Recipe, task: Task, labels: NDArray[Any] | None = None) -> None:
        self.criterion = task.loss(recipe, model.loss, labels)
        self.heads, self.task = model.auxiliary_heads, task
        self.weight = auxiliary_weight(model, recipe)
        #: Columns of metrics.csv: the head's loss; with auxiliary heads also theirs, and the sum that is minimised.
        self.figures = ["train_loss"]
        if self.heads:
            self.figures += [*(f"train_{name}_loss" for name in self.heads), "train_total_loss"]

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Outcome:
        """The loss of a batch of normalised images (N, C, H, W) with their labels."""
        if not self.heads:
            logits = self.task.logits(model(images))
            loss = self.criterion(logits, labels)
            return Outcome(loss, logits, [loss])
        outputs, others = model(images, auxiliary=True)
        logits = self.task.logits(outputs)
        main = self.criterion(logits, labels)
        losses = [self.criterion(self.task.logits(others[name]), labels) for name in self.heads]
        total = main + self.weight * torch.stack(losses).sum()
        return Outcome(total, logits, [main, *losses, total])
