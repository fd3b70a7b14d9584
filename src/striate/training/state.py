"""The state of a training: where it stands, and every tensor that decides how it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from striate.training.averaging import WeightAverage
from striate.training.checkpoints import optimizer_tensors, restore_optimizer, with_prefix, without_prefix
from striate.training.tables import in_columns

#: What positions of earlier versions kept beside today's fields, and which now follows from `best`.
_OLDER = ("best_loss", "epochs_since_best_loss")


@dataclass
class Position:
    """Where training stands; all of it goes into the checkpoint."""

    phases: list[int]  # epochs of the first training and of each extension
    epoch: int = 0  # epochs done
    step: int = 0  # optimizer steps done
    step_in_epoch: int = 0
    seconds: float = 0.0  # of the current epoch's steps
    best: dict[str, float] | None = None  # epoch and validation figures of the saved weights
    stopped_by: str = ""  # why training is over; empty while it is not
    history: list[dict[str, Any]] = field(default_factory=list)
    timing: list[dict[str, Any]] = field(default_factory=list)
    extensions: list[int] = field(default_factory=list)  # epochs that each extension was asked for

    @property
    def epochs(self) -> int:
        """Epochs in all."""
        return sum(self.phases)

    def extend(self, epochs: int) -> None:
        """Add a phase; what is left of one that ended early is given up."""
        if self.stopped_by:
            ends = accumulate(self.phases, initial=0)
            lengths = (min(length, self.epoch - end) for length, end in zip(self.phases, ends, strict=False))
            self.phases = [length for length in lengths if length > 0]
        self.phases, self.stopped_by = [*self.phases, epochs], ""
        self.extensions = [*self.extensions, epochs]

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Position:
        """The position that a checkpoint keeps, of today or of an earlier version.

        Raises:
            TypeError: it is none.
        """
        asked = {"extensions": state["phases"][1:]}  # as far as an earlier version tells
        position = cls(**asked | {name: value for name, value in state.items() if name not in _OLDER})
        position.timing = [in_columns(row) for row in position.timing]
        return position


def gather(model: nn.Module, optimizer: Optimizer, average: WeightAverage | None) -> dict[str, Tensor]:
    """Weights, optimizer, average and random states, by name."""
    tensors = with_prefix("model", model.state_dict()) | optimizer_tensors(optimizer, model)
    if average:
        tensors |= with_prefix("average", average.model.state_dict())
    tensors["random/cpu"] = torch.get_rng_state()
    device = next(model.parameters()).device
    if device.type == "cuda":
        tensors["random/cuda"] = torch.cuda.get_rng_state(device)
    return tensors


def put_back(tensors: dict[str, Tensor], model: nn.Module, optimizer: Optimizer, average: WeightAverage | None) -> None:
    """The inverse of `gather`.

    Raises:
        RuntimeError, KeyError, ValueError: the tensors are another training's.
    """
    model.load_state_dict(without_prefix("model", tensors))
    if average:
        average.model.load_state_dict(without_prefix("average", tensors))
    restore_optimizer(optimizer, tensors, model)
    torch.set_rng_state(tensors["random/cpu"])
    device = next(model.parameters()).device
    if device.type == "cuda" and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"], device)
