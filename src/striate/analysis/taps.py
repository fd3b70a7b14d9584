"""Which inputs each unit of an output reads: windows of convolution and pooling, resampling, sets of offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd


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


def shifted(offsets: Sequence[int]) -> Taps:
    """A window with any set of gaps: unit i reads i + each of the offsets."""
    return Taps("shifted", tuple(offsets), 1, 1)


def _read_shifted(index: int, *offsets: int) -> Sequence[int]:
    return [index + offset for offset in offsets]


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
    "shifted": _read_shifted,
}
