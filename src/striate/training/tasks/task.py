"""Task: what a network is to learn, and everything about training and measuring it that follows from that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from striate.data import Split
from striate.training.losses import OWN
from striate.training.measured import Measured
from striate.training.recipes import Recipe

#: Mean loss of a batch, from what the network gives, (N, K), and the batch's labels.
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Task(ABC):
    """A task, with the names of the outputs: classes, labels or values.

    Attributes:
        classes: their names, in the order of the outputs.
    """

    classes: tuple[str, ...]

    #: One of `striate.data.targets.KINDS`.
    kind: ClassVar[str]
    #: The figure that is counted while training goes on.
    running: ClassVar[str]
    #: The figure that several views are to better, in words; and whether it is a share.
    gained: ClassVar[str]
    gained_share: ClassVar[bool] = True
    #: The loss that evaluations measure.
    measured: ClassVar[str]
    #: The loss of a shallow classifier of features (`striate.transfer.shallow`).
    shallow: ClassVar[str]
    #: How many numbers are counted for it.
    counts: ClassVar[int]
    #: Those of an evaluation that metrics.csv keeps, the score first.
    figures: ClassVar[tuple[str, ...]]

    def outputs(self, own: int | None) -> int:
        """How many outputs a network needs that has `own` as it was made."""
        return len(self.classes)

    def logits(self, outputs: Tensor) -> Tensor:
        """One column for each name, (N, K), from a network's outputs."""
        return outputs

    def fitting(self, recipe: Recipe) -> Recipe:
        """A recipe that was made for classes, with what does not go with this task left out."""
        return recipe

    def loss_name(self, recipe: Recipe, own: str) -> str:
        """The name of the loss that training minimises."""
        return self.measured if recipe.loss == OWN else recipe.loss

    def learnt(self, labels: NDArray[Any]) -> NDArray[Any]:
        """What a network's outputs are to be, from the labels of some images."""
        return labels

    @abstractmethod
    def loss(self, recipe: Recipe, own: str, labels: NDArray[Any] | None = None) -> Loss:
        """The loss that training minimises.

        Args:
            recipe: names it.
            own: name of the network's own.
            labels: of the training images, by which it balances them; None where only the names are to be checked.

        Raises:
            UsageError: they do not go together.
        """

    def times(self, labels: NDArray[Any]) -> NDArray[np.float64]:
        """How often each of N training images is to come in an epoch of N, so that rare ones are learnt, too."""
        return np.ones(len(labels))

    def weights(self, labels: NDArray[Any]) -> NDArray[np.float64]:
        """What each of N training images counts so that rare ones are learnt, too: (N, 1), or by output (N, K)."""
        return np.ones((len(labels), 1))

    @abstractmethod
    def tally(self, logits: Tensor, labels: Tensor) -> list[Tensor]:
        """What is counted of a batch, `counts` numbers: sums over its images, for `tallied`."""

    @abstractmethod
    def tallied(self, sums: list[float], images: float) -> float:
        """The running figure of so many images."""

    @abstractmethod
    def answers(self, logits: Tensor) -> NDArray[Any]:
        """What is said of each image, (N, K): probabilities or values, from logits (N, V, K) of its V views."""

    @abstractmethod
    def measure(self, logits: Tensor, split: Split) -> Measured:
        """The evaluation that logits (N, V, K) of a split's images are."""

    def fitted(self, evaluation: Measured) -> Task:
        """The task with what validation images say of it: thresholds, where it has any."""
        return self

    def fit_told(self, val: Split | None) -> str:
        """What was fitted to validation images, and what of them could not tell, in words; empty of nothing."""
        return ""

    @abstractmethod
    def gain(self, once: Measured, found: Measured) -> tuple[float, float, float, float]:
        """What several views gain: the figure of one view; by how much all of them are better, and its interval."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the names stand elsewhere."""
        return {"kind": self.kind}


def about(split: Split, loss: float) -> dict[str, Any]:
    """What an evaluation says of the images beside their labels."""
    return {"names": [split.images.name(index) for index in range(len(split))], "loss": loss, "split": split.name}
