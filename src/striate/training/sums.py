"""The running figures of an epoch, kept on the device so that no step waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import Tensor


class EpochSums:
    """Sums over the images of an epoch so far, on this process; means over all processes.

    Args:
        fabric: device and processes.
        figures: names of the losses that are added up; "train_accuracy" is counted beside them.
    """

    def __init__(self, fabric: Fabric, figures: Sequence[str]) -> None:
        self.fabric, self.names = fabric, [*figures, "train_accuracy"]
        self.reset()

    def reset(self) -> None:
        """Begin an epoch."""
        self.sums = torch.zeros(len(self.names), dtype=torch.float64, device=self.fabric.device)
        self.seen = 0

    def add(self, losses: Sequence[Tensor], logits: Tensor, labels: Tensor) -> None:
        """Add a batch: its mean losses, logits (N, K) and labels (N,)."""
        scaled = [loss.detach() * len(labels) for loss in losses]
        self.sums += torch.stack([*scaled, (logits.argmax(1) == labels).sum()])
        self.seen += len(labels)

    def means(self, together: bool = True) -> dict[str, float]:
        """Mean losses and accuracy by name; of all processes `together`, who must all ask, or of this one."""
        sums = torch.cat([self.sums, self.sums.new_tensor([self.seen])])
        if together and self.fabric.world_size > 1:
            sums = cast(Tensor, self.fabric.all_reduce(sums, reduce_op="sum"))
        *values, seen = sums.tolist()
        return {name: value / max(seen, 1) for name, value in zip(self.names, values, strict=True)}

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
