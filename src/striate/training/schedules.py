"""Learning-rate schedules: the factor on the recipe's rate, as a function of the step.

All are pure functions of the progress through training, so a resumed run needs no state; only "plateau" reacts
to the validation loss and carries a state (`Plateau`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

#: The last rate of a one-cycle schedule is the first divided by this; the first is the peak divided by 25
#: (Smith & Topin, 2018, arXiv:1708.07120, with fastai's and PyTorch's constants).
ONE_CYCLE_FIRST, ONE_CYCLE_LAST = 25.0, 1e4

#: The first rate of a warm-up, as a factor on the peak: a one-cycle schedule's.
WARMUP_FIRST = 1 / ONE_CYCLE_FIRST


def constant(progress: float) -> float:
    """The rate stays."""
    return 1.0


def linear(progress: float) -> float:
    """The rate falls in a straight line to zero."""
    return 1.0 - progress


def cosine(progress: float) -> float:
    """The rate falls along half a cosine to zero (Loshchilov & Hutter, 2017, arXiv:1608.03983, equation 5)."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float, peak: float = 0.3) -> float:
    """The rate climbs to its peak at the share `peak` of training and falls far below where it began."""
    first, last = 1 / ONE_CYCLE_FIRST, 1 / (ONE_CYCLE_FIRST * ONE_CYCLE_LAST)
    if progress < peak:
        return first + (1 - first) * (1 - cosine(progress / peak))
    return last + (1 - last) * cosine((progress - peak) / (1 - peak))


def steps(progress: float, milestones: Iterable[float] = (0.5, 0.75), gamma: float = 0.1) -> float:
    """The rate is multiplied by gamma at each milestone, a share of training (He et al., 2015, section 4.2)."""
    return gamma ** sum(progress >= milestone for milestone in milestones)


def staircase(progress: float, every: int = 1, gamma: float = 0.1, epochs: int = 4) -> float:
    """The rate is multiplied by gamma each `every` of `epochs` epochs.

    GoogLeNet's 4 % less every 8 epochs is `every=8, gamma=0.96` (Szegedy et al., 2014, section 6).
    """
    nearest = round(progress * epochs / every)
    return gamma ** (nearest if progress >= nearest * every / epochs else nearest - 1)


def in_epochs(milestones: Sequence[float]) -> bool:
    """Whether milestones count epochs: those of 1 or more do, those below are shares of training."""
    return bool(milestones) and milestones[0] >= 1


@dataclass(frozen=True)
class Schedule:
    """A named schedule with its warm-up.

    Attributes:
        name: one of `SCHEDULES`.
        warmup: share of training in which the rate climbs in a straight line from 1/25 of its peak (Goyal et al.,
            2017, arXiv:1706.02677, section 2.2); the rest of the schedule takes the remaining share. What is counted
            in epochs is counted from the first one, as there: warmed up or not, the rate falls after the same epoch.
        peak: where a one-cycle schedule is highest.
        milestones: where a step schedule falls: shares of what follows the warm-up, or epochs (`in_epochs`).
        gamma: what a step, staircase or plateau schedule multiplies the rate by when it falls.
        every: epochs between two falls of a staircase schedule.
    """

    name: str
    warmup: float = 0.0
    peak: float = 0.3
    milestones: tuple[float, ...] = (0.5, 0.75)
    gamma: float = 0.1
    every: int = 10

    def factor(self, progress: float, epochs: int) -> float:
        """The factor on the rate when the share `progress` (0..1) of training, of so many epochs, is done.

        An epoch's end is met exactly: step / steps and epoch / epochs are then the same number, rounded once.
        """
        if progress < self.warmup:
            return WARMUP_FIRST + (1 - WARMUP_FIRST) * progress / self.warmup
        if self.name == "staircase":
            return staircase(progress, self.every, self.gamma, epochs)
        if self.name == "step" and in_epochs(self.milestones):
            return steps(progress, (milestone / epochs for milestone in self.milestones), self.gamma)
        rest = (progress - self.warmup) / (1 - self.warmup)
        if self.name == "one_cycle":
            return one_cycle(rest, self.peak)
        if self.name == "step":
            return steps(rest, self.milestones, self.gamma)
        return SCHEDULES[self.name](rest)


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "step": steps,
    "staircase": staircase,
    "plateau": constant,
}


@dataclass
class Plateau:
    """Lower the rate when the validation loss has not fallen for `patience` epochs (Krizhevsky et al., 2012)."""

    patience: int
    gamma: float
    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def observe(self, loss: float) -> None:
        """Take the validation loss of one more epoch."""
        if loss < self.best * (1 - 1e-4):
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * self.gamma, 0


def rate_factor(schedule: Schedule, step: int, steps: int, phases: list[tuple[int, float]]) -> float:
    """The factor at `step` of a run made of phases.

    The first phase is the recipe's; each extension is a warm restart: the schedule runs once more from its
    start, without warm-up, over the extension's epochs, with its peak at the extension's own factor.

    Args:
        schedule: the recipe's.
        step: optimizer steps done.
        steps: optimizer steps of an epoch.
        phases: (epochs, factor) one after another.
    """
    for number, (epochs, scale) in enumerate(phases):
        if step < epochs * steps or number == len(phases) - 1:
            now = replace(schedule, warmup=0.0) if number else schedule
            return scale * now.factor(min(1.0, step / (epochs * steps)), epochs)
        step -= epochs * steps
    raise ValueError("a run has at least one phase")
