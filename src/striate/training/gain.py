"""What looking at every picture several times gains over looking once, on the same pictures, and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.training.intervals import wilson_interval


@dataclass(frozen=True)
class Gain:
    """Several views against the first of them alone.

    Attributes:
        views: what the views are called, the first one first.
        once: the figure of the first view alone.
        gain: by how much the mean of all is better.
        low, high: its 95 % interval.
        seconds_once: that the network took for one view of all pictures.
        seconds: for all views.
        different: how many views are left when of those that show the same only one counts; of pictures that are no
            larger than the crop, the corners show what the centre shows.
        figure: what the figure is called.
        share: whether it is a share, from 0 to 1.
    """

    views: tuple[str, ...]
    once: float
    gain: float
    low: float
    high: float
    seconds_once: float
    seconds: float
    different: int
    figure: str = "top-1 accuracy"
    share: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "views": list(self.views)}

    def __str__(self) -> str:
        times = self.seconds / self.seconds_once if self.seconds_once else math.nan
        form = ".2%" if self.share else ".4f"
        gain, low, high = (f"{value:+{form}}" for value in (self.gain, self.low, self.high))
        count = len(self.views)
        apart = "" if self.different == count else f", only {self.different} of them different on these pictures,"
        return (
            f"{count} views{apart} instead of one: gain {gain} ({low} to {high}, 95 % interval) over a "
            f"{self.figure} of {self.once:{form}}, for {times:.1f} times the network's time"
        )


def paired_difference(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> tuple[float, float, float]:
    """By how much the share of true values grew, and the 95 % interval of that.

    Both are of the same cases, so that only those which changed count. Newcombe (1998, Statistics in Medicine 17,
    2635-2650), method 10: Wilson's intervals of the two shares, with the correlation between them.

    Args:
        before: one truth value for each case, bool (N,).
        after: likewise, of the same cases.
    """
    count = len(before)
    both, neither = int((before & after).sum()), int((~before & ~after).sum())
    won, lost = int((~before & after).sum()), int((before & ~after).sum())
    share_after, share_before = (both + won) / count, (both + lost) / count
    (low_after, high_after), (low_before, high_before) = (
        wilson_interval(both + won, count),
        wilson_interval(both + lost, count),
    )
    products = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    surplus: float = both * neither - won * lost
    if surplus > 0:
        surplus = max(0, surplus - count / 2)  # the continuity correction
    correlation = surplus / math.sqrt(products) if products else 0.0
    difference = share_after - share_before

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))

    low = difference - reach(share_after - low_after, high_before - share_before)
    high = difference + reach(high_after - share_after, share_before - low_before)
    return difference, low, high
