"""The running figures of an epoch, kept on the device so that no step waits for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from striate.training.tasks import Task

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class EpochSums:
    """Sums over the images of an epoch so far, on this process; means over all processes.

    Args:
        fabric: device and processes.
        figures: names of the losses that are added up.
        task: what else is counted, and makes its running figure: "train_accuracy".
    """

    def __init__(self, fabric: Fabric, figures: Sequence[str], task: Task) -> None:
        self.fabric, self.names, self.task = fabric, list(figures), task
        self.reset()

    def reset(self) -> None:
        """Begin an epoch."""
        self.sums = torch.zeros(len(self.names) + self.task.counts, dtype=torch.float64, device=self.fabric.device)
        self.seen = 0

    def add(self, losses: Sequence[Tensor], logits: Tensor, labels: Tensor) -> None:
        """Add a batch: its mean losses, logits (N, K) and labels."""
        scaled = [loss.detach() * len(labels) for loss in losses]
        self.sums += torch.stack([*scaled, *self.task.tally(logits.detach(), labels)])
        self.seen += len(labels)

    def means(self, together: bool = True) -> dict[str, float]:
        """Mean losses and the running figure by name; of all processes `together`, who must all ask, or of this one."""
        sums = torch.cat([self.sums, self.sums.new_tensor([self.seen])])
        if together and self.fabric.world_size > 1:
            sums = cast(Tensor, self.fabric.all_reduce(sums, reduce_op="sum"))
        *values, seen = sums.tolist()
        losses, counts = values[: len(self.names)], values[len(self.names) :]
        means = {name: value / max(seen, 1) for name, value in zip(self.names, losses, strict=True)}
        return means | {f"train_{self.task.running}": self.task.tallied(counts, seen)}

    def mean_of(self, losses: Sequence[Tensor], together: bool = True) -> float:
        """The mean of steps' losses, NaN of none; of all processes `together`, who must all ask, or of this one."""
        sums = self.sums.new_tensor([sum(loss.item() for loss in losses), len(losses)])
        if together and self.fabric.world_size > 1:
            sums = cast(Tensor, self.fabric.all_reduce(sums, reduce_op="sum"))
        total, count = sums.tolist()
        return total / count if count else math.nan

    def restore(self, sums: Tensor, seen: int) -> None:
        """Put back what a checkpoint kept.

        Raises:
            ValueError: they are of another training.
        """
        if seen and sums.shape != self.sums.shape:
            raise ValueError(f"{len(sums)} sums of the epoch for {len(self.sums)} figures")
        self.reset()
        if seen:
            self.sums, self.seen = sums.to(self.fabric.device), seen
