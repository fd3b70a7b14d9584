"""Receptive fields as exact integer intervals: what part of the input each unit of a tensor can see.

Along one input axis the units of a feature map see the intervals [low(i), high(i)], and these repeat: after
`period` units they have moved by `shift` input pixels (period 1 and shift = stride for a chain of
convolutions; a longer period after transposed convolutions, up-sampling and uneven adaptive pooling).
Intervals are not clipped at the image, so sizes agree with the closed formula r += (k - 1) d * stride
(Dumoulin & Visin, 2016, arXiv:1603.07285; Araujo et al., 2019, doi:10.23915/distill.00021).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import Final


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
class Spread:
    """The units differ along several or merged dimensions; all of them see [low, high] together.

    Attributes:
        dims: the dimensions along which units differ.
        low, high: the union of what they see.
        sweeps: sets of dimensions along each of which alone the units already see the union; the scores of an
            attention have two, that of the queries and that of the keys.
        sizes, inner: where dimensions were merged into one, their sizes and the field they had, numbered
            within them, so that cutting the dimension again in the same way restores it.
    """

    dims: frozenset[int]
    low: int
    high: int
    sweeps: frozenset[frozenset[int]] = frozenset()
    sizes: tuple[int, ...] = ()
    inner: Ramp | Spread | None = None

    def seen_by_all(self, blended: set[int]) -> bool:
        """Whether a unit sees the whole union after units along `blended` have been put together."""
        return self.dims <= blended or any(sweep <= blended for sweep in self.sweeps)


@dataclass(frozen=True)
class Unknown:
    """An operation came by whose effect is not known: no number rather than a wrong one."""


UNKNOWN: Final = Unknown()

#: What one tensor knows of one input axis. None: its values do not depend on the input.
State = Ramp | Everywhere | Spread | Unknown | None
#: One state per spatial axis of the input.
Field = tuple[State, ...]


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


@dataclass(frozen=True)
class Taps:
    """Which inputs an output unit reads: unit i + period reads what unit i reads, `advance` further on."""

    kind: str
    numbers: tuple[int, ...]
    period: int
    advance: int

    def __call__(self, index: int) -> Sequence[int]:
        """The positions that output unit `index` reads."""
        return READS[self.kind](index, *self.numbers)


def window(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Taps:
    """Convolution and pooling."""
    return Taps("window", (kernel, stride, padding, dilation), 1, stride)


def transposed_window(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """Transposed convolution."""
    return Taps("transposed", (kernel, stride, padding, dilation), stride, 1)


def adaptive(count_in: int, count_out: int) -> Taps:
    """Adaptive pooling from `count_in` to `count_out` units."""
    common = gcd(count_in, count_out)
    return Taps("adaptive", (count_in, count_out), count_out // common, count_in // common)


def resampled(reach: int, count_in: int, count_out: int, aligned_centres: bool) -> Taps:
    """Interpolation that reads `reach` neighbours (1 nearest, 2 linear, 4 cubic)."""
    common = gcd(count_in, count_out)
    return Taps(
        "resampled",
        (reach, count_in, count_out, int(aligned_centres)),
        count_out // common,
        count_in // common,
    )


def _read_window(index: int, kernel: int, stride: int, padding: int, dilation: int) -> Sequence[int]:
    first = index * stride - padding
    return range(first, first + (kernel - 1) * dilation + 1, dilation)


def _read_transposed(index: int, kernel: int, stride: int, padding: int, dilation: int) -> Sequence[int]:
    positions = (index + padding - tap * dilation for tap in range(kernel))
    return [position // stride for position in positions if position % stride == 0]


def _read_adaptive(index: int, count_in: int, count_out: int) -> Sequence[int]:
    return range(index * count_in // count_out, -(-(index + 1) * count_in // count_out))


def _read_resampled(index: int, reach: int, count_in: int, count_out: int, centres: int) -> Sequence[int]:
    if not centres:
        return [index * count_in // count_out]
    position = Fraction((2 * index + 1) * count_in, 2 * count_out) - Fraction(1, 2)
    below = position.numerator // position.denominator
    if position.denominator == 1:
        return [below]
    return range(below - reach // 2 + 1, below + reach // 2 + 1)


READS: dict[str, Callable[..., Sequence[int]]] = {
    "window": _read_window,
    "transposed": _read_transposed,
    "adaptive": _read_adaptive,
    "resampled": _read_resampled,
}


def mixed(state: State, dims: Iterable[int], shape: Sequence[int]) -> State:
    """The field after units along `dims` have been blended: a sum, a softmax, the inner side of a product."""
    dims = set(dims)
    if isinstance(state, Ramp) and state.dim in dims:
        return state.union(shape[state.dim])
    if isinstance(state, Spread) and state.dims & dims:
        return Everywhere(state.low, state.high) if state.seen_by_all(dims) else UNKNOWN
    return state


def widened(field: Field, extents: Sequence[int]) -> Field:
    """`WHOLE` in place of each interval that covers the input's axis, of size `extents`."""
    return tuple(
        WHOLE if isinstance(state, Everywhere) and state.low <= 0 and state.high >= extent - 1 else state
        for state, extent in zip(field, extents, strict=True)
    )


def moved(state: State, target: Callable[[int], int]) -> State:
    """The field after dimensions have been renumbered by `target`."""
    if isinstance(state, Ramp):
        return Ramp(target(state.dim), state.lows, state.highs, state.shift)
    if isinstance(state, Spread):
        sweeps = frozenset(frozenset(map(target, sweep)) for sweep in state.sweeps)
        return replace(state, dims=frozenset(map(target, state.dims)), sweeps=sweeps)
    return state


def _spread(state: Ramp | Everywhere | Spread, shape: Sequence[int]) -> Spread:
    if isinstance(state, Ramp):
        union, dims = state.union(shape[state.dim]), frozenset((state.dim,))
        return Spread(dims, union.low, union.high, frozenset((dims,)))
    if isinstance(state, Everywhere):
        return Spread(frozenset(), state.low, state.high)
    return state


def _merged_ramps(first: Ramp, second: Ramp) -> State:
    if first.stride != second.stride:
        return UNKNOWN
    period = lcm(len(first.lows), len(second.lows))
    lows = [min(first.low(i), second.low(i)) for i in range(period)]
    highs = [max(first.high(i), second.high(i)) for i in range(period)]
    return simplified(first.dim, lows, highs, first.shift * period // len(first.lows))


@lru_cache(maxsize=4096)
def merged(first: State, second: State, shape: tuple[int, ...]) -> State:
    """The field of a unit that depends on a unit of both operands: the hull of the two intervals.

    `shape` is the shape that both operands are broadcast to.
    """
    if first is None or first == second:
        return second
    if second is None:
        return first
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return UNKNOWN
    if isinstance(first, Ramp) and isinstance(second, Ramp) and first.dim == second.dim:
        return _merged_ramps(first, second)
    if isinstance(first, Everywhere) and isinstance(second, Everywhere):
        return Everywhere(min(first.low, second.low), max(first.high, second.high))
    one, two = _spread(first, shape), _spread(second, shape)
    for whole, part in ((first, two), (second, one)):
        if isinstance(whole, Everywhere):
            covers = whole.low <= part.low and part.high <= whole.high
            return whole if covers else UNKNOWN
    low, high = min(one.low, two.low), max(one.high, two.high)
    whole_sweeps = (part.sweeps for part in (one, two) if (part.low, part.high) == (low, high))
    hull = Spread(one.dims | two.dims, low, high, frozenset().union(*whole_sweeps))
    if one.dims == two.dims and one.sizes == two.sizes and one.inner is not None:
        inner = merged(one.inner, two.inner, one.sizes)
        if isinstance(inner, (Ramp, Spread)):
            return replace(hull, sizes=one.sizes, inner=inner)
    return hull
