"""Training that diverges: noticed before anything broken is saved, and told with the step that did it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

#: Optimizer steps between looks at whether the loss is still a number.
LOSS_CHECK = 50


def finite(tensors: Iterable[Tensor]) -> bool:
    """Whether all values of all floating-point tensors are numbers; asks the device once."""
    checks = [tensor.isfinite().all() for tensor in tensors if tensor.is_floating_point()]
    return not checks or bool(torch.stack([check.to(checks[0].device) for check in checks]).all())


class RecentSteps:
    """The loss and rate of the steps since the last look, kept without waiting for the device."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, float, Tensor]] = []

    def add(self, step: int, rate: float, loss: Tensor) -> None:
        """Remember optimizer step `step` (from 1), the rate it was taken at and its loss."""
        if len(self._steps) > LOSS_CHECK:
            del self._steps[0]
        self._steps.append((step, rate, loss.detach()))

    def broken(self) -> tuple[int, float]:
        """Step and rate of the first whose loss is not a number, else of the last one; (0, 0.0) before any."""
        for step, rate, loss in self._steps:
            if not math.isfinite(loss.item()):
                return step, rate
        return self._steps[-1][:2] if self._steps else (0, 0.0)
