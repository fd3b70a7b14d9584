"""Intervals of shares, of means, and of figures for which there is no formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

#: The normal distribution's, of 95 %.
NORMAL = 1.959963984540054


def wilson_interval(correct: int, count: int, z: float = NORMAL) -> tuple[float, float]:
    """The interval that covers a proportion's true value with 95 % confidence (Wilson, 1927).

    Unlike the normal approximation it stays inside [0, 1] and has a width at 0 and at `count` correct.

    Args:
        correct: successes.
        count: trials; 0 gives the whole of [0, 1].
        z: the normal quantile of the wanted confidence.
    """
    if count == 0:
        return 0.0, 1.0
    share = correct / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def mean_difference(before: NDArray[np.floating], after: NDArray[np.floating]) -> tuple[float, float, float]:
    """By how much the mean of the same N cases grew, and its 95 % interval, from the normal distribution."""
    change = np.asarray(after, float) - np.asarray(before, float)
    mean = float(change.mean())
    reach = NORMAL * float(change.std(ddof=1)) / math.sqrt(len(change)) if len(change) > 1 else math.inf
    return mean, mean - reach, mean + reach


def bootstrap_interval(
    statistic: Callable[[NDArray[np.float64]], float], count: int, times: int = 200
) -> tuple[float, float]:
    """The 95 % interval of a figure, from cases drawn again with replacement (Efron, 1979): percentiles.

    Args:
        statistic: the figure, from how often each case was drawn, float64 (count,).
        count: of cases.
        times: how often they are drawn; the draws are the same each time.
    """
    generator = np.random.default_rng(0)
    even = np.full(count, 1 / count)
    found = [statistic(generator.multinomial(count, even).astype(float)) for _ in range(times)]
    known = [value for value in found if math.isfinite(value)]
    if not known:
        return math.nan, math.nan
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
