"""Training that diverges: noticed before anything broken is saved, and told with the step that did it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor

from striate.caller import either
from striate.errors import StriateError
from striate.training.sums import EpochSums


class Diverged(StriateError):
    """A training whose loss or weights are no longer numbers, or whose loss has exploded."""


#: A loss so many times that of guessing, of three classes or more, has exploded if it is so many times what it was in
#: the first step.
EXPLODED, RISEN = 3, 2
#: An epoch that has lost what was known has a loss so many times that which training began with, at least.
LOST = 1.25
#: Steps whose loss is that of the weights that training began with, about.
BEGUN = 4
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


class Guard:
    """Stops a training that has diverged.

    Args:
        sums: the running figures of the epoch.
        steps: of an epoch.
        run: the run folder, for the message.
        clips: whether gradients are clipped already.

    Attributes:
        guessing: the loss of naming classes at random, where training begins with weights that do better; else
            infinite.
    """

    def __init__(self, sums: EpochSums, steps: int, run: Path, clips: bool) -> None:
        self.sums, self.steps, self.run, self.clips = sums, steps, run, clips
        self.recent, self.guessing = RecentSteps(), math.inf
        self._first: list[Tensor] = []
        self._begun: list[Tensor] = []

    def remember(self, step: int, rate: float, loss: Tensor) -> None:
        """Take note of optimizer step `step` (from 1)."""
        self.recent.add(step, rate, loss)
        self._first = self._first or [loss.detach()]
        if step <= BEGUN:
            self._begun.append(loss.detach())

    def check_losses(self, together: bool = True) -> None:
        """Stop when a loss is no longer a number, or has exploded, of all processes `together` or of this one.

        Raises:
            Diverged: see above.
        """
        means = self.sums.means(together)
        if not all(map(math.isfinite, means.values())):
            self._stop("the loss became infinite or not a number")
        first = self.sums.mean_of(self._first, together)
        highest = max(EXPLODED * max(1.0, self.guessing), RISEN * first)
        if not math.isnan(first) and means["train_loss"] > highest:  # without a first step nothing has risen
            self._stop(f"the loss rose above {highest:.3g}")

    def check_epochs(self, losses: Sequence[float], planned: int, validated: bool) -> None:
        """Stop when training has lost what its first weights knew, by the mean training loss of each epoch.

        What they knew is the loss of the first step, or of the first few or the first epoch where that is lower. While
        the rate is high all of it may be lost and yet found again as the rate falls, so it is asked for from the middle
        of training on. What is kept without being validated may not have lost half of it.

        Args:
            losses: of the epochs so far.
            planned: how many epochs there are to be.
            validated: whether what is kept is what does best on other images.

        Raises:
            Diverged: the last loss is too high.
        """
        if 2 * len(losses) < planned:
            return
        before, first, last = losses[0], losses[0], losses[-1]
        if self._begun:  # not where training has just gone on
            before = min(before, self.sums.mean_of(self._begun))
            first = min(before, self.sums.mean_of(self._begun[:1]))
        half = min(self.guessing, (before + self.guessing) / 2)
        is_kept = len(losses) == planned and not validated
        if last >= max(half if is_kept else self.guessing, LOST * first):
            guessed = ", which is that of guessing," if last >= self.guessing else ""
            self._stop(f"the loss rose from {first:.3g} to {last:.3g}{guessed}")

    def check_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Stop when anything that is about to be saved is no longer a number.

        Raises:
            Diverged: see above.
        """
        if not finite(tensors.values()):
            self._stop("a weight became infinite or not a number")

    def _stop(self, what: str) -> NoReturn:
        step, rate = self.recent.broken()
        if not step:
            raise StriateError(f"{what} before the first step; start from other weights.")
        clip = "" if self.clips else f", or with {either('--set clip_norm=1', 'clip_norm=1 among the settings')}"
        raise Diverged(
            f"{what} in epoch {(step - 1) // self.steps + 1}, by step {step}, at a learning rate of {rate:.3g}. The "
            f"last good state is kept in {self.run}. Train again with a lower "
            f"{either('--learning-rate', 'learning_rate')}{clip}."
        )
