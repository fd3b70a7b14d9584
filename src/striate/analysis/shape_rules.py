"""Receptive fields through slices, joins, transposes and reshapes: units move and keep what they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import torch

from striate.analysis.fields import (
    UNKNOWN,
    Everywhere,
    Field,
    Ramp,
    Spread,
    State,
    gathered,
    moved,
    window,
)
from striate.analysis.operation import (
    Call,
    combined,
    dimensions,
    independent,
    positive,
)


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
        return UNKNOWN if isinstance(state, Spread) and dim in state.dims else state

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
    def change(state: State) -> State:
        if isinstance(state, Ramp) and state.dim == dim:
            return Everywhere(state.low(index), state.high(index))
        if isinstance(state, Spread) and dim in state.dims:
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
    operands = [(call.shape, call.field_of(tensor) or ()) for tensor in call.tracked]
    return [_unless_along(combined(operands, call.shape), dim, operands)] * len(call.outputs)


def _unless_along(field: Field, dim: int, operands: Sequence[tuple[Sequence[int], Field]]) -> Field:
    """Units of different operands lie behind one another along `dim`: no common stride there."""
    result = []
    for axis, state in enumerate(field):
        states = [other[axis] for _, other in operands]
        along = any(isinstance(other, Ramp) and other.dim == dim for other in states)
        result.append(UNKNOWN if along else state)
    return tuple(result)


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


@lru_cache(maxsize=4096)
def _regrouped(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[tuple[list[int], list[int]], ...]:
    """Which dimensions of `old` become which of `new` in a reshape; those of size 1 are left out."""
    olds = [(dim, size) for dim, size in enumerate(old) if size != 1]
    news = [(dim, size) for dim, size in enumerate(new) if size != 1]
    groups = []
    while olds and news:
        left, right = [olds.pop(0)], [news.pop(0)]
        old_size, new_size = left[0][1], right[0][1]
        while old_size != new_size:
            if old_size < new_size:
                left.append(olds.pop(0))
                old_size *= left[-1][1]
            else:
                right.append(news.pop(0))
                new_size *= right[-1][1]
        groups.append(([dim for dim, _ in left], [dim for dim, _ in right]))
    return tuple(groups)


def reshaping(call: Call) -> list[Field]:
    """View, flatten, squeeze and kin: a dimension that is merged or cut spreads its axis."""
    old, new = tuple(call.source.shape), call.shape
    if old == new or 0 in old:
        return call.each(lambda state: state)
    return call.each(lambda state: _reshaped(state, old, new))


def _reshaped(state: State, old: tuple[int, ...], new: tuple[int, ...]) -> State:
    if isinstance(state, Ramp):
        dims, union = frozenset((state.dim,)), state.union(old[state.dim])
        low, high = union.low, union.high
    elif isinstance(state, Spread):
        dims, low, high = state.dims, state.low, state.high
    else:
        return state
    groups = [group for group in _regrouped(old, new) if dims & set(group[0])]
    if not groups:  # only dimensions of size 1 carry it
        return Everywhere(low, high)
    if all(len(left) == len(right) for left, right in groups) and all(
        old[a] == new[b] for left, right in groups for a, b in zip(left, right, strict=True)
    ):
        renamed = {a: b for left, right in groups for a, b in zip(left, right, strict=True)}
        return moved(state, lambda dim: renamed.get(dim, dim))

    def placed(some: frozenset[int]) -> frozenset[int]:
        return frozenset(dim for left, right in groups if some & set(left) for dim in right)

    sweeps = state.sweeps if isinstance(state, Spread) else frozenset((dims,))
    spread = Spread(placed(dims), low, high, frozenset(filter(None, map(placed, sweeps))))
    if len(groups) > 1:
        return spread
    left, right = groups[0]
    if isinstance(state, Spread) and state.inner is not None and len(left) == 1:
        if tuple(new[dim] for dim in right) == state.sizes:
            return moved(state.inner, lambda position: right[position])
    elif len(right) == 1:
        inner = moved(state, left.index)
        if isinstance(inner, (Ramp, Spread)):
            return replace(spread, sizes=tuple(old[dim] for dim in left), inner=inner)
    return spread


def rolling(call: Call) -> list[Field]:
    """Roll and flip: harmless along dimensions that carry no axis."""
    position = 2 if call.name == "roll" else 1
    dims = set(dimensions(call.argument(position, "dims"), call.source.dim()))

    def change(state: State) -> State:
        touched = {state.dim} if isinstance(state, Ramp) else getattr(state, "dims", set())
        return UNKNOWN if touched & dims else state

    return call.each(change)


def copying(call: Call) -> list[Field]:
    """aten.copy_(target, source): what was in the target is gone."""
    source = call.args[1]
    field = call.field_of(source)
    if field is None:
        return independent(call)
    return [combined([(source.shape, field)], call.shape)]
