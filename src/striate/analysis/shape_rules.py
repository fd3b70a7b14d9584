"""Receptive fields through slices, joins, transposes and reshapes: units move and keep what they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import torch

from striate.analysis.fields import Field, Spread, State, changed, dims_of, moved, spread
from striate.analysis.lattice import Lattice, Place, as_lattice, part, regrouped, reshaped, settled, whole_dims
from striate.analysis.operation import (
    Call,
    combined,
    dimensions,
    independent,
    positive,
    several,
)
from striate.analysis.ramps import UNKNOWN, Everywhere, Ramp, gathered
from striate.analysis.taps import window


def slicing(call: Call) -> list[Field]:
    """aten.slice(x, dim, start, end, step)."""
    rank = call.source.dim()
    dim = positive(call.argument(1, "dim", 0), rank)
    step = call.argument(4, "step", 1)
    size = call.source.shape[dim]
    start = call.argument(2, "start", 0) or 0
    return _part(call, dim, min(max(start + size if start < 0 else start, 0), size), step, call.outputs[0])


def _part(call: Call, dim: int, start: int, step: int, output: torch.Tensor) -> list[Field]:
    size, kept = call.source.shape[dim], output.shape[dim]
    if kept == size:
        return call.each(lambda state: state)

    def change(state: State) -> State:
        if isinstance(state, Ramp) and state.dim == dim:
            return gathered(state, window(1, step, -start), size, kept)
        if isinstance(state, Lattice) and dim in state.dims:
            some = part(state, dim, start, step, kept, call.source.shape)
            return UNKNOWN if some is None else settled(some.places, some.start, some.source, output.shape)
        return UNKNOWN if dim in dims_of(state) else state

    return call.each(change)


def splitting(call: Call) -> list[Field]:
    """Split and chunk along one dimension."""
    dim = positive(call.argument(2, "dim", 0), call.source.dim())
    fields, start = [], 0
    for output in call.outputs:
        fields.append(_part(call, dim, start, 1, output)[0])
        start += output.shape[dim]
    return fields


def _removed(call: Call, dim: int, index: int) -> Field:
    shape = call.source.shape

    def change(state: State) -> State:
        if isinstance(state, Ramp) and state.dim == dim:
            return Everywhere(state.low(index), state.high(index))
        if isinstance(state, Lattice) and dim in state.dims:
            some = part(state, dim, index, 1, 1, shape)
            if some is None:
                return UNKNOWN
            left = [1 if axis == dim else size for axis, size in enumerate(shape)]
            state = settled(some.places, some.start, some.source, left)
        elif dim in dims_of(state):
            return UNKNOWN
        return moved(state, lambda old: old - (old > dim))

    return call.each(change)[0]


def selecting(call: Call) -> list[Field]:
    """aten.select(x, dim, index)."""
    dim = positive(call.args[1], call.source.dim())
    return [_removed(call, dim, positive(call.args[2], call.source.shape[dim]))]


def unbinding(call: Call) -> list[Field]:
    """aten.unbind(x, dim)."""
    dim = positive(call.argument(1, "dim", 0), call.source.dim())
    return [_removed(call, dim, index) for index in range(len(call.outputs))]


def concatenation(call: Call) -> list[Field]:
    """aten.cat(tensors, dim): the branches' units side by side, so a later unit sees the hull of both."""
    dim = positive(call.argument(1, "dim", 0), len(call.shape))
    # an operand is shorter than the output along `dim`, but that is no broadcasting
    operands = [
        (call.shape, tuple(_unordered(state, dim, tensor.shape, call.shape) for state in call.field_of(tensor) or ()))
        for tensor in call.tracked
    ]
    return [combined(operands, call.shape)] * len(call.outputs)


def _unordered(state: State, dim: int, shape: Sequence[int], joined: Sequence[int]) -> State:
    """Units of different operands lie behind one another along `dim`: no common stride there."""

    def change(part: State) -> State:
        if dim not in dims_of(part) or not isinstance(part, Ramp | Lattice | Spread):
            return part
        return replace(spread(part, shape), places=whole_dims(dims_of(part), joined))

    return changed(state, change, joined)


def stacking(call: Call) -> list[Field]:
    """aten.stack(tensors, dim)."""
    dim = positive(call.argument(1, "dim", 0), len(call.shape))
    operands = [
        (
            call.shape,
            tuple(moved(state, lambda old: old + (old >= dim)) for state in call.field_of(tensor) or ()),
        )
        for tensor in call.tracked
    ]
    return [combined(operands, call.shape)]


def permutation(call: Call) -> list[Field]:
    """Transpose and permute."""
    rank = call.source.dim()
    order = list(range(rank))
    if call.name == "permute":
        order = [positive(dim, rank) for dim in call.args[1]]
    elif rank > 1:
        one, two = (0, 1) if call.name in ("t", "numpy_T") else (positive(dim, rank) for dim in call.args[1:3])
        order[one], order[two] = order[two], order[one]
    return call.each(lambda state: moved(state, order.index))


def reshaping(call: Call) -> list[Field]:
    """View, flatten, squeeze and kin: a dimension that is merged or cut spreads its axis."""
    old, new = tuple(call.source.shape), call.shape
    if old == new or 0 in old:
        return call.each(lambda state: state)
    return call.each(lambda state: _reshaped(state, old, new))


@lru_cache(maxsize=4096)
def _reshaped(state: State, old: tuple[int, ...], new: tuple[int, ...]) -> State:
    if isinstance(state, Ramp):
        if old[state.dim] == 1:
            return Everywhere(state.low(0), state.high(0))
        state = as_lattice(state, old)
    if not isinstance(state, Lattice | Spread):
        return state
    places = reshaped(state.places, old, new)
    if places is not None and isinstance(state, Lattice):
        return settled(places, state.start, state.source, new)
    seen = spread(state, old)
    if places is None:
        cut = {dim for left, right in regrouped(old, new) if state.dims & set(left) for dim in right}
        places = list(whole_dims(cut, new))
    return Spread(tuple(sorted(places)), seen.low, seen.high) if places else Everywhere(seen.low, seen.high)


def unfolding(call: Call) -> list[Field]:
    """aten.unfold(x, dim, size, step): windows along `dim`, the places within a window along a new last dimension."""
    shape, (size, step) = call.source.shape, call.args[2:4]
    dim, last = positive(call.args[1], len(shape)), len(shape)

    def change(state: State) -> State:
        if isinstance(state, Ramp) and state.dim == dim:
            places = (Place(dim, 1, call.shape[dim], step), Place(last, 1, size, 1))
            return settled(places, 0, state, call.shape)
        return UNKNOWN if dim in dims_of(state) else state

    return call.each(change)


def columns(call: Call) -> list[Field]:
    """aten.im2col(x, kernel, dilation, padding, stride): channels and places of a window in one dimension."""
    first = call.source.dim() - 2
    kernel, dilation, padding, stride = (several(value, 2) for value in call.args[1:5])
    counts = [
        (call.source.shape[first + axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) // stride[axis]
        + 1
        for axis in (0, 1)
    ]

    def change(state: State) -> State:
        if not isinstance(state, Ramp) or state.dim < first:
            return UNKNOWN if dims_of(state) & {first - 1, first, first + 1} else state
        axis = state.dim - first
        places = (
            Place(first - 1, kernel[1] if axis == 0 else 1, kernel[axis], dilation[axis]),
            Place(first, counts[1] if axis == 0 else 1, counts[axis], stride[axis]),
        )
        return settled(places, -padding[axis], state, call.shape)

    return call.each(change)


def looking_up(call: Call) -> list[Field]:
    """aten.embedding(weight, indices): a vector along a new last dimension in place of each index."""
    return call.each(lambda state: state) if call.source is call.args[1] else [(UNKNOWN,) * len(call.field)]


def rolling(call: Call) -> list[Field]:
    """Roll and flip: harmless along dimensions that carry no axis."""
    position = 2 if call.name == "roll" else 1
    dims = set(dimensions(call.argument(position, "dims"), call.source.dim()))

    def change(state: State) -> State:
        return UNKNOWN if dims_of(state) & dims else state

    return call.each(change)


def copying(call: Call) -> list[Field]:
    """aten.copy_(target, source): what was in the target is gone."""
    source = call.args[1]
    field = call.field_of(source)
    if field is None:
        return independent(call)
    return [combined([(source.shape, field)], call.shape)]
