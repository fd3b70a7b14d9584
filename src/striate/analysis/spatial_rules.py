"""Receptive fields through convolution, pooling, interpolation and padding: each unit reads a window."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from striate.analysis.fields import Field, State, dims_of, mixed
from striate.analysis.lattice import Lattice, as_ramp
from striate.analysis.operation import (
    Call,
    Rule,
    several,
    unknown,
)
from striate.analysis.ramps import UNKNOWN, Ramp, gathered
from striate.analysis.taps import Taps, adaptive, resampled, transposed_window, window


def windowed(call: Call, taps: Sequence[Taps], mixes_channels: bool | None) -> list[Field]:
    """Convolution, pooling and interpolation: `taps` per spatial dimension.

    `mixes_channels`: True for an ungrouped convolution, False for pooling, None for a grouped one.
    """
    shape, out_shape = tuple(call.source.shape), call.shape
    first = len(shape) - len(taps)

    def change(state: State) -> State:
        if first - 1 in dims_of(state) and mixes_channels is not False:
            if not mixes_channels:
                return UNKNOWN
            state = mixed(state, (first - 1,), shape)
        if isinstance(state, Lattice):
            state = as_ramp(state, shape) or state
        if isinstance(state, Ramp) and state.dim >= first:
            return gathered(state, taps[state.dim - first], shape[state.dim], out_shape[state.dim])
        if any(dim >= first and taps[dim - first] != window(1) for dim in dims_of(state)):
            return UNKNOWN
        return state

    return call.each(change)


def convolution(call: Call) -> list[Field]:
    """aten.convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)."""
    if call.source is not call.args[0] or len(call.tracked) > 1:
        return unknown(call)
    kernel = call.args[1].shape[2:]
    stride, padding, dilation = (several(value, len(kernel)) for value in call.args[3:6])
    make = transposed_window if call.args[6] else window
    taps = [make(*numbers) for numbers in zip(kernel, stride, padding, dilation, strict=True)]
    return windowed(call, taps, mixes_channels=True if call.args[8] == 1 else None)


def pooling(rank: int, has_dilation: bool) -> Rule:
    """Max and average pooling over `rank` dimensions."""

    def rule(call: Call) -> list[Field]:
        kernel = several(call.args[1], rank)
        stride = several(call.argument(2, "stride") or kernel, rank)
        padding = several(call.argument(3, "padding", 0), rank)
        dilation = several(call.argument(4, "dilation", 1) if has_dilation else 1, rank)
        taps = [window(*numbers) for numbers in zip(kernel, stride, padding, dilation, strict=True)]
        return windowed(call, taps, mixes_channels=False)

    return rule


def adaptive_pooling(rank: int) -> Rule:
    """Pooling to a fixed output size."""

    def rule(call: Call) -> list[Field]:
        pairs = zip(call.source.shape[-rank:], call.shape[-rank:], strict=True)
        return windowed(call, [adaptive(*pair) for pair in pairs], mixes_channels=False)

    return rule


def interpolation(rank: int, reach: int) -> Rule:
    """Up- and down-sampling; linear and cubic with aligned corners have no common stride."""

    def rule(call: Call) -> list[Field]:
        if reach > 1 and call.argument(2, "align_corners", False):
            return unknown(call)
        sizes = zip(call.source.shape[-rank:], call.shape[-rank:], strict=True)
        first = 3 if reach > 1 else 2  # of the factors, which stand behind the size and how corners are aligned
        factors = [*call.args[first:], *[None] * rank][:rank]
        pairs = [_ratio(*pair, factor) for pair, factor in zip(sizes, factors, strict=True)]
        return windowed(call, [resampled(reach, *pair, reach > 1) for pair in pairs], mixes_channels=False)

    return rule


def _ratio(count_in: int, count_out: int, factor: float | None) -> tuple[int, int]:
    """Inputs to so many outputs: by the factor where one was given, although it left a rest, else by the sizes."""
    if not factor:
        return count_in, count_out
    fraction = Fraction(factor).limit_denominator(1000)
    return fraction.denominator, fraction.numerator


def pixel_shuffle(call: Call) -> list[Field]:
    """Channels laid out as an r x r block of pixels, or the reverse."""
    sizes = zip(call.source.shape[-2:], call.shape[-2:], strict=True)
    taps = [resampled(1, *pair, False) if pair[1] >= pair[0] else adaptive(*pair) for pair in sizes]
    return windowed(call, taps, mixes_channels=False)


def padding(call: Call) -> list[Field]:
    """Padding of any kind; `args[1]` lists (before, after) pairs from the last dimension backwards."""
    shape = tuple(call.source.shape)
    before = {len(shape) - 1 - i: amount for i, amount in enumerate(call.args[1][::2])}
    after = {len(shape) - 1 - i: amount for i, amount in enumerate(call.args[1][1::2])}
    padded = {dim for dim in before if before[dim] or after[dim]}

    def change(state: State) -> State:
        if isinstance(state, Ramp) and state.dim in padded:
            shifted = window(1, 1, before[state.dim])
            return gathered(state, shifted, shape[state.dim], call.shape[state.dim])
        return UNKNOWN if dims_of(state) & padded else state

    return call.each(change)
