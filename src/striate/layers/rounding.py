"""Whole numbers of channels and blocks for networks that are made wider and deeper by a factor."""

from __future__ import annotations

import math

from striate.errors import UsageError


def round_channels(channels: int, width: float = 1.0, divisor: int = 8) -> int:
    """`channels` times `width` as a multiple of `divisor`, the nearest that is not over 10 % smaller.

    The rule of MobileNet v2's authors, which EfficientNet and MixNet kept; `divisor=1` rounds to whole channels.
    """
    wanted = channels * width
    rounded = max(divisor, int(wanted + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * wanted else rounded


def round_depth(blocks: int, depth: float = 1.0) -> int:
    """`blocks` times `depth`, rounded up (EfficientNet's authors' rule); float dust does not make a block."""
    return math.ceil(round(blocks * depth, 9))


def check_factor(option: str, value: float, most: float = 8) -> None:
    """Raise `UsageError` unless 0 < value <= most."""
    if not 0 < value <= most:
        raise UsageError(f"{option} is {value}; a multiplier above 0 and up to {most:g} is needed")


def check_fraction(option: str, value: float) -> None:
    """Raise `UsageError` unless 0 <= value < 1."""
    if not 0 <= value < 1:
        raise UsageError(f"{option} is {value}; a fraction from 0 up to 1 is needed")
