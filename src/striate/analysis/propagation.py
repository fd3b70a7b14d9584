"""How each aten operation changes the receptive field of what flows through it.

One function per kind of operation; an operation that is in no table gives `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from striate.analysis.fields import (
    UNKNOWN,
    Everywhere,
    Field,
    Ramp,
    Spread,
    State,
    Taps,
    Unknown,
    adaptive,
    gathered,
    merged,
    mixed,
    moved,
    resampled,
    transposed_window,
    window,
)


@dataclass(frozen=True)
class Call:
    """One aten operation at work; `field_of` gives a tensor's field, None where it does not depend on the input."""

    name: str
    args: Sequence[Any]
    kwargs: dict[str, Any]
    outputs: Sequence[torch.Tensor]
    field_of: Callable[[torch.Tensor], Field | None]
    tracked: Sequence[torch.Tensor]

    def argument(self, position: int, keyword: str, default: Any = None) -> Any:
        """A positional argument that may be left out or named."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(keyword, default)

    @property
    def source(self) -> torch.Tensor:
        """The first operand that depends on the input."""
        return self.tracked[0]

    @property
    def field(self) -> Field:
        """The field of `source`."""
        return self.field_of(self.source) or ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return tuple(self.outputs[0].shape)

    def each(self, change: Callable[[State], State]) -> list[Field]:
        """The field of `source` with every known state changed, for all outputs."""
        return [tuple(_changed(state, change) for state in self.field)] * len(self.outputs)


Rule = Callable[[Call], list[Field]]


def _changed(state: State, change: Callable[[State], State]) -> State:
    return state if state is None or isinstance(state, Unknown) else change(state)


def _several(value: Any, count: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    return values * count if len(values) == 1 else values


def _positive(dim: int, rank: int) -> int:
    return dim + rank if dim < 0 else dim


def _dims(value: Any, rank: int) -> tuple[int, ...]:
    if value is None or (isinstance(value, Sequence) and not value):
        return tuple(range(rank))
    return tuple(_positive(dim, rank) for dim in (value if isinstance(value, Sequence) else (value,)))


def combined(operands: Sequence[tuple[Sequence[int], Field]], shape: tuple[int, ...]) -> Field:
    """Merge operands broadcast to `shape`, axis by axis."""
    result: list[State] = []
    for axis in range(len(operands[0][1])):
        state: State = None
        for operand_shape, field in operands:
            state = merged(state, _broadcast(field[axis], tuple(operand_shape), shape), shape)
        result.append(state)
    return tuple(result)


def _broadcast(state: State, source: tuple[int, ...], target: tuple[int, ...]) -> State:
    extra = len(target) - len(source)
    if isinstance(state, Ramp) and source[state.dim] == 1 != target[state.dim + extra]:
        return Everywhere(state.low(0), state.high(0))
    return moved(state, lambda dim: dim + extra)


def elementwise(call: Call) -> list[Field]:
    """Arithmetic and activations: unit by unit, operands broadcast together."""
    operands = [(tensor.shape, call.field_of(tensor) or ()) for tensor in call.tracked]
    return [combined(operands, call.shape)] * len(call.outputs)


def windowed(call: Call, taps: Sequence[Taps], mixes_channels: bool | None) -> list[Field]:
    """Convolution, pooling and interpolation: `taps` per spatial dimension.

    `mixes_channels`: True for an ungrouped convolution, False for pooling, None for a grouped one.
    """
    shape, out_shape = tuple(call.source.shape), call.shape
    first = len(shape) - len(taps)

    def change(state: State) -> State:
        if isinstance(state, Ramp) and state.dim >= first:
            return gathered(state, taps[state.dim - first], shape[state.dim], out_shape[state.dim])
        if isinstance(state, Spread) and any(dim >= first for dim in state.dims):
            unmoved = all(taps[dim - first] == window(1) for dim in state.dims if dim >= first)
            if not unmoved:
                return UNKNOWN
        touched = {state.dim} if isinstance(state, Ramp) else getattr(state, "dims", set())
        if first - 1 in touched and mixes_channels is not False:
            return mixed(state, (first - 1,), shape) if mixes_channels else UNKNOWN
        return state

    return call.each(change)


def convolution(call: Call) -> list[Field]:
    """aten.convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)."""
    if call.source is not call.args[0] or len(call.tracked) > 1:
        return unknown(call)
    kernel = call.args[1].shape[2:]
    stride, padding, dilation = (_several(value, len(kernel)) for value in call.args[3:6])
    make = transposed_window if call.args[6] else window
    taps = [make(*numbers) for numbers in zip(kernel, stride, padding, dilation, strict=True)]
    return windowed(call, taps, mixes_channels=True if call.args[8] == 1 else None)


def pooling(rank: int, has_dilation: bool) -> Rule:
    """Max and average pooling over `rank` dimensions."""

    def rule(call: Call) -> list[Field]:
        kernel = _several(call.args[1], rank)
        stride = _several(call.argument(2, "stride") or kernel, rank)
        padding = _several(call.argument(3, "padding", 0), rank)
        dilation = _several(call.argument(4, "dilation", 1) if has_dilation else 1, rank)
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
        pairs = zip(call.source.shape[-rank:], call.shape[-rank:], strict=True)
        return windowed(call, [resampled(reach, *pair, reach > 1) for pair in pairs], mixes_channels=False)

    return rule


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
        return UNKNOWN if isinstance(state, Spread) and state.dims & padded else state

    return call.each(change)


def slicing(call: Call) -> list[Field]:
    """aten.slice(x, dim, start, end, step)."""
    rank = call.source.dim()
    dim = _positive(call.argument(1, "dim", 0), rank)
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
    dim = _positive(call.argument(2, "dim", 0), call.source.dim())
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
    dim = _positive(call.args[1], call.source.dim())
    return [_removed(call, dim, _positive(call.args[2], call.source.shape[dim]))]


def unbinding(call: Call) -> list[Field]:
    """aten.unbind(x, dim)."""
    dim = _positive(call.argument(1, "dim", 0), call.source.dim())
    return [_removed(call, dim, index) for index in range(len(call.outputs))]


def concatenation(call: Call) -> list[Field]:
    """aten.cat(tensors, dim): the branches' units side by side, so a later unit sees the hull of both."""
    dim = _positive(call.argument(1, "dim", 0), len(call.shape))
    # along the joined dimension an operand is shorter than the output, which merging must not take for broadcasting
    operands = [(call.shape, call.field_of(tensor) or ()) for tensor in call.tracked]
    return [_unless_along(combined(operands, call.shape), dim, operands)] * len(call.outputs)


def _unless_along(field: Field, dim: int, operands: Sequence[tuple[Sequence[int], Field]]) -> Field:
    """Units of different operands lie behind one another along `dim`: no common stride there."""
    result = []
    for axis, state in enumerate(field):
        along = any(isinstance(other[axis], Ramp) and other[axis].dim == dim for _, other in operands)
        result.append(UNKNOWN if along else state)
    return tuple(result)


def stacking(call: Call) -> list[Field]:
    """aten.stack(tensors, dim)."""
    dim = _positive(call.argument(1, "dim", 0), len(call.shape))
    operands = [
        (call.shape, tuple(moved(state, lambda old: old + (old >= dim)) for state in call.field_of(tensor) or ()))
        for tensor in call.tracked
    ]
    return [combined(operands, call.shape)]


def permutation(call: Call) -> list[Field]:
    """Transpose and permute."""
    rank = call.source.dim()
    order = list(range(rank))
    if call.name == "permute":
        order = [_positive(dim, rank) for dim in call.args[1]]
    elif rank > 1:
        one, two = (0, 1) if call.name in ("t", "numpy_T") else (_positive(dim, rank) for dim in call.args[1:3])
        order[one], order[two] = order[two], order[one]
    return call.each(lambda state: moved(state, order.index))


@lru_cache(maxsize=4096)
def _regrouped(old: tuple[int, ...], new: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Which dimensions of `new` hold each dimension of `old` after a reshape; those of size 1 hold nothing."""
    olds = [(dim, size) for dim, size in enumerate(old) if size != 1]
    news = [(dim, size) for dim, size in enumerate(new) if size != 1]
    groups: dict[int, tuple[int, ...]] = {}
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
        groups.update({dim: tuple(target for target, _ in right) for dim, _ in left})
    return groups


def reshaping(call: Call) -> list[Field]:
    """View, flatten, squeeze and kin: a dimension that is merged or cut spreads its axis."""
    old, new = tuple(call.source.shape), call.shape
    if old == new or 0 in old:
        return call.each(lambda state: state)
    groups = _regrouped(old, new)

    def change(state: State) -> State:
        if isinstance(state, Ramp):
            if state.dim not in groups:
                return Everywhere(state.low(0), state.high(0))
            targets = groups[state.dim]
            if len(targets) == 1 and new[targets[0]] == old[state.dim]:
                return moved(state, lambda dim: targets[0])
            union = state.union(old[state.dim])
            return Spread(frozenset(targets), union.low, union.high)
        if isinstance(state, Spread):
            dims = frozenset(target for dim in state.dims for target in groups.get(dim, ()))
            return Spread(dims, state.low, state.high)
        return state

    return call.each(change)


def reduction(call: Call) -> list[Field]:
    """Mean, sum, maximum and kin over some dimensions; `max(x, y)` of two tensors is elementwise."""
    if isinstance(call.argument(1, "dim"), torch.Tensor):
        return elementwise(call)
    shape = tuple(call.source.shape)
    dims = _dims(call.argument(1, "dim"), len(shape))
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


def _softmax_dims(call: Call) -> Sequence[int]:
    return _dims(call.args[1], call.source.dim())


def _layer_norm_dims(call: Call) -> Sequence[int]:
    rank = call.source.dim()
    return range(rank - len(call.args[1]), rank)


def _group_norm_dims(call: Call) -> Sequence[int]:
    return range(1, call.source.dim())


def _batch_norm_dims(call: Call) -> Sequence[int]:
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
            blended = tuple(mixed(state, _dims(dims, len(shape)), shape) for state in field)
            operands.append((call.shape, blended))
    return [combined(operands, call.shape)] * len(call.outputs)


def rolling(call: Call) -> list[Field]:
    """Roll and flip: harmless along dimensions that carry no axis."""
    position = 2 if call.name == "roll" else 1
    dims = set(_dims(call.argument(position, "dims"), call.source.dim()))

    def change(state: State) -> State:
        touched = {state.dim} if isinstance(state, Ramp) else getattr(state, "dims", set())
        return UNKNOWN if touched & dims else state

    return call.each(change)


def independent(call: Call) -> list[Field]:
    """New tensors of a given shape or filled with a number: they depend on nothing."""
    return [(None,) * len(call.field)] * len(call.outputs)


def unknown(call: Call) -> list[Field]:
    """Any other operation."""
    return [(UNKNOWN,) * len(call.field)] * len(call.outputs)


def copying(call: Call) -> list[Field]:
    """aten.copy_(target, source): what was in the target is gone."""
    source = call.args[1]
    field = call.field_of(source)
    if field is None:
        return independent(call)
    return [combined([(source.shape, field)], call.shape)]


def _table() -> dict[str, Rule]:
    rules: dict[str, Rule] = {
        "convolution": convolution,
        "addmm": product(1, 2, 0),
        "mm": product(0, 1, 0),
        "bmm": product(0, 1, 1),
        "baddbmm": product(1, 2, 1),
        "_softmax": blending(_softmax_dims),
        "_log_softmax": blending(_softmax_dims),
        "_safe_softmax": blending(_softmax_dims),
        "native_layer_norm": blending(_layer_norm_dims),
        "_fused_rms_norm": blending(_layer_norm_dims),
        "native_group_norm": blending(_group_norm_dims),
        "constant_pad_nd": padding,
        "slice": slicing,
        "select": selecting,
        "unbind": unbinding,
        "cat": concatenation,
        "stack": stacking,
        "copy": copying,
        "roll": rolling,
        "flip": rolling,
        "pixel_shuffle": pixel_shuffle,
        "pixel_unshuffle": pixel_shuffle,
        "channel_shuffle": elementwise,
        "native_channel_shuffle": elementwise,
    }
    same = "add sub mul div relu hardtanh hardswish hardsigmoid gelu silu elu selu celu leaky_relu mish prelu"
    same += " _prelu_kernel threshold softplus log_sigmoid_forward clone contiguous _to_copy detach alias lift_fresh"
    same += " clamp native_dropout expand broadcast_to rrelu_with_noise glu_jvp softshrink hardshrink"
    shapes = "view _unsafe_view _reshape_alias reshape flatten unflatten squeeze unsqueeze"
    reductions = "mean sum amax amin max min var std var_mean std_mean prod linalg_vector_norm norm logsumexp"
    reductions += " argmax argmin any all"
    fresh = "zeros_like ones_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty new_full"
    fresh += " new_empty_strided bernoulli zero fill uniform normal sym_size"
    attentions = "flash_attention flash_attention_for_cpu efficient_attention cudnn_attention"
    norms = "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm"
    for names, rule in (
        (same, elementwise),
        (shapes, reshaping),
        (reductions, reduction),
        (fresh, independent),
        (norms, blending(_batch_norm_dims)),
        ("permute transpose t numpy_T swapaxes", permutation),
        ("split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unsafe_chunk", splitting),
    ):
        rules.update(dict.fromkeys(names.split(), rule))
    for name in attentions.split():
        rules[f"_scaled_dot_product_{name}"] = attention
    for rank in (1, 2, 3):
        rules[f"max_pool{rank}d_with_indices"] = rules[f"max_pool{rank}d"] = pooling(rank, has_dilation=True)
        rules[f"avg_pool{rank}d"] = pooling(rank, has_dilation=False)
        for name in (f"adaptive_avg_pool{rank}d", f"_adaptive_avg_pool{rank}d", f"adaptive_max_pool{rank}d"):
            rules[name] = adaptive_pooling(rank)
        rules[f"reflection_pad{rank}d"] = rules[f"replication_pad{rank}d"] = padding
        rules[f"upsample_nearest{rank}d"] = interpolation(rank, reach=1)
        rules[f"_upsample_nearest_exact{rank}d"] = unknown
    rules["upsample_linear1d"] = interpolation(1, reach=2)
    rules["upsample_bilinear2d"] = interpolation(2, reach=2)
    rules["upsample_bicubic2d"] = interpolation(2, reach=4)
    rules["upsample_trilinear3d"] = interpolation(3, reach=2)
    return rules


RULES = _table()


def propagated(call: Call, pointwise: bool) -> list[Field]:
    """The fields of the outputs of `call`, which has at least one operand that depends on the input."""
    rule = RULES.get(call.name)
    if rule is None:
        rule = elementwise if pointwise else unknown
    return rule(call)
