"""Receptive fields as exact integer intervals: what part of the input each unit of a tensor can see.

Along one input axis the units of a feature map see the intervals [low(i), high(i)], and these repeat: after
`period` units they have moved by `shift` input pixels (period 1 and shift = stride for a chain of
convolutions; a longer period after transposed convolutions, up-sampling and uneven adaptive pooling).
Intervals are not clipped at the image, so sizes agree with the closed formula r += (k - 1) d * stride
(Dumoulin & Visin, 2016, arXiv:1603.07285; Araujo et al., 2019, doi:10.23915/distill.00021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import Final

from striate.analysis.taps import Taps


@dataclass(frozen=True)
class Ramp:
    """Unit i along dimension `dim` of the tensor sees [low(i), high(i)] of the input axis."""

    dim: int
    lows: tuple[int, ...]
    highs: tuple[int, ...]
    shift: int

    def low(self, index: int) -> int:
        """First input position that unit `index` sees (negative: in the padding)."""
        turns, rest = divmod(index, len(self.lows))
        return self.lows[rest] + turns * self.shift

    def high(self, index: int) -> int:
        """Last input position that unit `index` sees."""
        turns, rest = divmod(index, len(self.highs))
        return self.highs[rest] + turns * self.shift

    def union(self, count: int) -> Everywhere:
        """What `count` units see together."""
        indices = range(count) if count <= 2 * len(self.lows) else self._ends(count)
        return Everywhere(min(map(self.low, indices)), max(map(self.high, indices)))

    def _ends(self, count: int) -> list[int]:
        period = len(self.lows)
        return [*range(period), *range(count - period, count)]

    @property
    def size(self) -> int:
        """Extent of one unit in input pixels; of the widest where units differ."""
        return max(high - low + 1 for low, high in zip(self.lows, self.highs, strict=True))

    @property
    def stride(self) -> Fraction:
        """Input pixels from one unit to the next."""
        return Fraction(self.shift, len(self.lows))

    @property
    def offset(self) -> float:
        """Position of the centre of the first unit; 0 is the centre of the first input pixel."""
        return (self.lows[0] + self.highs[0]) / 2


@dataclass(frozen=True)
class Everywhere:
    """Every unit of the tensor sees the same interval [low, high] of the input axis."""

    low: int
    high: int


#: Sees the whole image, whatever its size and however far into the padding other units reach.
WHOLE: Final = Everywhere(-(10**12), 10**12)


@dataclass(frozen=True)
class Unknown:
    """An operation came by whose effect is not known: no number rather than a wrong one."""


UNKNOWN: Final = Unknown()


def identity(dim: int) -> Ramp:
    """The field of the input itself along its dimension `dim`."""
    return Ramp(dim, (0,), (0,), 1)


def simplified(dim: int, lows: Sequence[int], highs: Sequence[int], shift: int) -> Ramp:
    """The same intervals with the shortest period."""
    count = len(lows)
    for period in range(1, count):
        if count % period or shift * period % count:
            continue
        step = shift * period // count
        if all(
            lows[i + period] - lows[i] == step and highs[i + period] - highs[i] == step for i in range(count - period)
        ):
            return Ramp(dim, tuple(lows[:period]), tuple(highs[:period]), step)
    return Ramp(dim, tuple(lows), tuple(highs), shift)


@lru_cache(maxsize=4096)
def gathered(ramp: Ramp, taps: Taps, count_in: int, count_out: int) -> Ramp | Everywhere | Unknown:
    """The field after an operation whose output unit i reads the inputs `taps(i)`.

    A window without padding that covers the whole map, as global pooling does, gives `Everywhere`.
    """
    if count_out == 1 and count_in > 1 and tuple(taps(0)) == tuple(range(count_in)):
        return ramp.union(count_in)
    period = len(ramp.lows)
    repeats = period // gcd(period, taps.advance)
    lows, highs = [], []
    for index in range(taps.period * repeats):
        sources = taps(index)
        if not sources:  # a transposed convolution with gaps: some outputs see nothing
            return UNKNOWN
        lows.append(min(map(ramp.low, sources)))
        highs.append(max(map(ramp.high, sources)))
    return simplified(ramp.dim, lows, highs, ramp.shift * (taps.advance * repeats) // period)


def merged_ramps(first: Ramp, second: Ramp) -> Ramp | Unknown:
    """The hull of two fields along the same dimension; unknown where they move on at different strides."""
    if first.stride != second.stride:
        return UNKNOWN
    period = lcm(len(first.lows), len(second.lows))
    lows = [min(first.low(i), second.low(i)) for i in range(period)]
    highs = [max(first.high(i), second.high(i)) for i in range(period)]
    return simplified(first.dim, lows, highs, first.shift * period // len(first.lows))
