"""Intervals of shares."""

from __future__ import annotations

import math


def wilson_interval(correct: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
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
