"""Receptive fields through reductions, normalisations and matrix products: units see one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from striate.analysis.fields import (
    Field,
    State,
    mixed,
    moved,
)
from striate.analysis.operation import (
    Call,
    Rule,
    combined,
    dimensions,
    elementwise,
)


def reduction(call: Call) -> list[Field]:
    """Mean, sum, maximum and kin over some dimensions; `max(x, y)` of two tensors is elementwise."""
    if len(call.tracked) > 1 or isinstance(call.argument(1, "dim"), torch.Tensor):
        return elementwise(call)
    shape = tuple(call.source.shape)
    position = 2 if call.name in ("linalg_vector_norm", "norm") else 1  # after the order of the norm
    dims = dimensions(call.argument(position, "dim"), len(shape))
    kept = len(call.shape) == len(shape)
    return call.each(lambda state: _reduced(state, dims, shape, kept))


def _reduced(state: State, dims: tuple[int, ...], shape: tuple[int, ...], kept: bool) -> State:
    blended = mixed(state, dims, shape)
    return blended if kept else moved(blended, lambda dim: dim - sum(gone < dim for gone in dims))


def blending(dims_of: Callable[[Call], Sequence[int]]) -> Rule:
    """Softmax and normalisations: the shape stays, units along some dimensions see one another."""

    def rule(call: Call) -> list[Field]:
        shape, dims = tuple(call.source.shape), dims_of(call)
        return call.each(lambda state: mixed(state, dims, shape))

    return rule


def softmax_dims(call: Call) -> Sequence[int]:
    """The dimension that a softmax sums over."""
    return dimensions(call.args[1], call.source.dim())


def layer_norm_dims(call: Call) -> Sequence[int]:
    """The last dimensions, as many as the normalised shape has."""
    rank = call.source.dim()
    return range(rank - len(call.args[1]), rank)


def group_norm_dims(call: Call) -> Sequence[int]:
    """All but the batch: the mean is one over channels and the whole map."""
    return range(1, call.source.dim())


def batch_norm_dims(call: Call) -> Sequence[int]:
    """With running statistics a batch norm works unit by unit; with the batch's own it sees the whole map."""
    uses_batch = call.name != "_native_batch_norm_legit_no_training" and (
        call.args[3] is None or isinstance(call.args[3], bool) or bool(call.args[5])
    )
    return [dim for dim in range(call.source.dim()) if dim != 1] if uses_batch else []


def product(first: int, second: int, batch_dims: int) -> Rule:
    """Matrix products of `args[first]` and `args[second]`: the inner dimension is summed over."""

    def rule(call: Call) -> list[Field]:
        rows, columns = batch_dims, batch_dims + 1
        operands = []
        for position, inner in ((first, columns), (second, rows)):
            tensor = call.args[position]
            field = call.field_of(tensor)
            if field is not None:
                shape = tuple(tensor.shape)
                operands.append((call.shape, tuple(mixed(state, (inner,), shape) for state in field)))
        added = call.args[0]
        if first == 1 and call.field_of(added) is not None:
            operands.append((tuple(added.shape), call.field_of(added) or ()))
        return [combined(operands, call.shape)]

    return rule


def attention(call: Call) -> list[Field]:
    """Fused scaled dot-product attention: every query sees all keys and values."""
    query, key, value = call.args[:3]
    operands = []
    for tensor, dims in ((query, (-1,)), (key, (-2, -1)), (value, (-2,))):
        field, shape = call.field_of(tensor), tuple(tensor.shape)
        if field is not None:
            blended = tuple(mixed(state, dimensions(dims, len(shape)), shape) for state in field)
            operands.append((call.shape, blended))
    mask = call.kwargs.get("attn_mask")
    field = None if mask is None else call.field_of(mask)
    if mask is not None and field is not None:  # a query sees what all its scores are masked by
        row = (*mask.shape[:-1], 1)
        operands.append((row, tuple(mixed(state, (len(row) - 1,), tuple(mask.shape)) for state in field)))
    return [combined(operands, call.shape)] * len(call.outputs)
