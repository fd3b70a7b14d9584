"""Exponential moving average of the weights (Polyak & Juditsky, 1992; the form of Tarvainen & Valpola, 2017)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from striate.models import Network


class WeightAverage:
    """A second copy of a network whose weights trail the trained ones.

    After step t the average moves by 1 - d towards the new weights, d = min(decay, (1 + t) / (10 + t)), so
    that the random start is forgotten quickly. Batch-norm statistics are averaged alike; counters are copied.
    """

    def __init__(self, model: Network, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._pairs = self._match(model)

    def _match(self, model: Network) -> tuple[list[Tensor], list[Tensor], list[tuple[Tensor, Tensor]]]:
        averaged, trained = self.model.state_dict(keep_vars=True), model.state_dict(keep_vars=True)
        floating = [name for name, tensor in averaged.items() if tensor.is_floating_point()]
        counters = [(averaged[name], trained[name]) for name in averaged if name not in set(floating)]
        return [averaged[name] for name in floating], [trained[name].detach() for name in floating], counters

    def follow(self, model: Network) -> None:
        """Hold those parts frozen that are in `model`: their statistics are not measured anew."""
        if model.frozen:
            self.model.freeze(model.frozen[-1])
        else:
            self.model.unfreeze()
        self.model.eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the weights after optimizer step `step` (counted from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averaged, trained, counters = self._pairs
        torch._foreach_lerp_(averaged, trained, 1 - decay)
        for target, source in counters:
            target.copy_(source)
