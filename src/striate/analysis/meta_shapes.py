"""Operations on weightless tensors: shapes told at once where PyTorch would be slow to tell them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def _empty_like(x: Tensor) -> Tensor:
    """`torch.empty_like`, which on "meta" takes long to find out the strides."""
    return x.new_empty(x.shape) if x.is_contiguous() else torch.empty_like(x)


def _asked_empty_like(x: Tensor, **others: Any) -> Tensor:
    """The shape of `torch.empty_like`, with which dropout begins; with another type or layout it is PyTorch's."""
    asked = any(value is not None for value in others.values())
    return _ATEN.empty_like.default(x, **others) if asked else _empty_like(x)


def _like_input(func: Any) -> Callable[..., Any]:
    """The shape of an operation on each value; integers, which many turn into floating numbers, are PyTorch's."""
    return lambda x, *args, **kwargs: _empty_like(x) if x.is_floating_point() else func(x, *args, **kwargs)


def _elementwise(func: Any) -> Callable[..., Any]:
    """The shape of an operation on two tensors of one floating type, or one and a number; others are PyTorch's."""

    def result(x: Tensor, y: Any, **others: Any) -> Any:
        if not others and isinstance(x, Tensor) and x.is_floating_point():
            if isinstance(y, Tensor) and y.dtype == x.dtype:
                if x.shape == y.shape:
                    return _empty_like(x)
                shape = _broadcast(x.shape, y.shape)
                return func(x, y) if shape is None else x.new_empty(shape)
            if isinstance(y, int | float):
                return _empty_like(x)
        return func(x, y, **others)

    return result


def _broadcast(first: torch.Size, second: torch.Size) -> list[int] | None:
    """The common shape, as `torch.broadcast_shapes`, which imports symbolic shapes; None where there is none."""
    rank = max(len(first), len(second))
    pairs = [((1,) * (rank - len(a)) + tuple(a)) for a in (first, second)]
    if any(one != other and 1 not in (one, other) for one, other in zip(*pairs, strict=True)):
        return None
    return [other if one == 1 else one for one, other in zip(*pairs, strict=True)]


def _cat(tensors: list[Tensor], dim: int = 0) -> Tensor:
    """The shape of tensors of one type joined along an axis."""
    first = tensors[0]
    others = [[side for axis, side in enumerate(x.shape) if axis != dim % x.dim()] for x in tensors]
    if any(x.dtype != first.dtype for x in tensors) or any(sides != others[0] for sides in others):
        return _ATEN.cat.default(tensors, dim)  # with PyTorch's promotion of types, or its error
    sides = list(first.shape)
    sides[dim] = sum(x.shape[dim] for x in tensors)
    return first.new_empty(sides)


def _convolution(
    x: Tensor, weight: Tensor, bias: Any, stride: list[int], padding: list[int], dilation: list[int], *others: Any
) -> Tensor:
    """The shape of a plain convolution; transposed and impossible ones are PyTorch's, with its errors."""
    transposed, _, groups = others
    axes = x.dim() - 2
    alike = x.dim() == weight.dim() and x.dtype == weight.dtype and not transposed and x.is_contiguous()
    if alike and len(stride) == len(padding) == len(dilation) == axes > 0:
        spans = [x.shape[2 + i] + 2 * padding[i] - dilation[i] * (weight.shape[2 + i] - 1) - 1 for i in range(axes)]
        if min(spans) >= 0 and x.shape[1] == weight.shape[1] * groups and weight.shape[0] % groups == 0:
            return x.new_empty((len(x), len(weight), *(span // stride[i] + 1 for i, span in enumerate(spans))))
    result = _ATEN.convolution.default(x, weight, bias, stride, padding, dilation, *others)
    if 0 in result.shape[2:]:  # PyTorch 2.6 says nothing
        raise RuntimeError(f"the kernel {tuple(weight.shape[2:])} is larger than its padded input {tuple(x.shape[2:])}")
    return result


def _batch_norm(x: Tensor, *args: Any, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The shapes of a batch norm: its output, and the batch's mean and deviation when training."""
    statistics = x.shape[1] if len(args) > 4 and args[4] is True else 0
    return _empty_like(x), x.new_empty(statistics), x.new_empty(statistics)


def _pooled_shape(
    x: Tensor, kernel: list[int], stride: list[int], padding: list[int], dilation: list[int], ceil_mode: bool
) -> tuple[int, ...] | None:
    """The shape after pooling a batch of images; None where PyTorch had better say."""
    if x.dim() != 4 or not x.is_contiguous() or not x.is_floating_point():
        return None
    sides = []
    for axis in (0, 1):
        size, (k, p, d) = x.shape[2 + axis], (values[axis % len(values)] for values in (kernel, padding, dilation))
        s = (stride or kernel)[axis % len(stride or kernel)]
        span = size + 2 * p - d * (k - 1) - 1
        if span < 0 or s < 1 or d < 1 or not 0 <= 2 * p <= k or not size:
            return None
        side = (-(-span // s) if ceil_mode else span // s) + 1
        sides.append(side - 1 if ceil_mode and (side - 1) * s >= size + p else side)
    return (*x.shape[:2], *sides)


def _max_pool(
    x: Tensor, kernel: list[int], stride: Any = (), padding: Any = (0,), dilation: Any = (1,), ceil_mode: bool = False
) -> tuple[Tensor, Tensor]:
    """The shapes of a maximum pooling: its output, and where each was found."""
    shape = _pooled_shape(x, kernel, stride, padding, dilation, ceil_mode)
    if shape is None:
        return _ATEN.max_pool2d_with_indices.default(x, kernel, stride, padding, dilation, ceil_mode)
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.int64)


def _average_pool(
    x: Tensor, kernel: list[int], stride: Any = (), padding: Any = (0,), ceil_mode: bool = False, *others: Any
) -> Tensor:
    """The shape of an average pooling."""
    shape = _pooled_shape(x, kernel, stride, padding, [1], ceil_mode)
    if shape is None:
        return _ATEN.avg_pool2d.default(x, kernel, stride, padding, ceil_mode, *others)
    return x.new_empty(shape)


def _layer_norm(x: Tensor, shape: list[int], *_: Any, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The shapes of a layer norm: its output, and a mean and deviation for each run of values."""
    statistics = (*x.shape[: x.dim() - len(shape)], *[1] * len(shape))
    return _empty_like(x), x.new_empty(statistics), x.new_empty(statistics)


def _batch_norm_without_training(x: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
    return _empty_like(x), x.new_empty(0), x.new_empty(0)


def _mean(x: Tensor, axes: Any, keepdim: bool = False, **others: Any) -> Tensor:
    """The shape of a mean over some axes."""
    plain = not others and x.is_floating_point() and x.is_contiguous()
    if not plain or not axes or any(not -x.dim() <= axis < x.dim() for axis in axes):
        return _ATEN.mean.dim(x, axes, keepdim, **others)
    gone = {axis % x.dim() for axis in axes}
    if keepdim:
        return x.new_empty([1 if axis in gone else side for axis, side in enumerate(x.shape)])
    return x.new_empty([side for axis, side in enumerate(x.shape) if axis not in gone])


def _embedding(weight: Tensor, indices: Tensor, *others: Any) -> Tensor:
    """The shape of rows looked up; up to PyTorch 2.8 it looks any numbers up on "meta", or tells it in other words."""
    if indices.is_floating_point():
        raise RuntimeError(f"indices of the scalar type Long or Int are expected, not {indices.dtype}")
    return _ATEN.embedding.default(weight, indices, *others)


def _attention(query: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
    """The shapes of a fused attention: its output, and one sum per query and head."""
    batch, heads, queries = query.shape[:3]
    return _empty_like(query), query.new_empty(batch, queries, heads, dtype=torch.float)


_ATEN = torch.ops.aten
_FUSED_ATTENTION = _ATEN._scaled_dot_product_flash_attention_for_cpu.default
#: Frequent operations of plain shape, for which PyTorch would first import its compiler, which takes seconds.
_SHORTCUTS: dict[Any, Callable[..., Any]] = {
    _ATEN.native_batch_norm.default: _batch_norm,
    _ATEN._native_batch_norm_legit_no_training.default: _batch_norm_without_training,
    **{
        func.default: _like_input(func.default)
        for func in (
            _ATEN.relu,
            _ATEN.hardtanh,
            _ATEN.sigmoid,
            _ATEN.silu,
            _ATEN.gelu,
            _ATEN.tanh,
            _ATEN.elu,
            _ATEN.neg,
        )
    },
    _ATEN.empty_like.default: _asked_empty_like,
    _ATEN.div_.Scalar: lambda x, by: x if x.is_floating_point() else _ATEN.div_.Scalar(x, by),
    _ATEN.convolution.default: _convolution,
    _ATEN.max_pool2d_with_indices.default: _max_pool,
    _ATEN.avg_pool2d.default: _average_pool,
    _ATEN.cat.default: _cat,
    _ATEN.native_layer_norm.default: _layer_norm,
    **{
        func: _elementwise(func)
        for func in (
            _ATEN.add.Tensor,
            _ATEN.sub.Tensor,
            _ATEN.rsub.Scalar,
            _ATEN.mul.Tensor,
            _ATEN.div.Tensor,
            _ATEN.pow.Tensor_Scalar,
        )
    },
    _ATEN.embedding.default: _embedding,
    _ATEN.mean.dim: _mean,
    _FUSED_ATTENTION: _attention,
    _ATEN.addmm.default: lambda bias, x, weight, **_: x.new_empty(len(x), weight.shape[1]),
}


def run(func: Any, args: Any, kwargs: dict[str, Any], operands: list[Tensor]) -> tuple[Any, Any, dict[str, Any]]:
    """The result of `func`, and the arguments it was given, constants among them brought to "meta"."""
    on_meta = sum(operand.is_meta for operand in operands)
    if not on_meta:
        return func(*args, **kwargs), args, kwargs
    if on_meta == len(operands):
        return _SHORTCUTS.get(func, func)(*args, **kwargs), args, kwargs
    args, kwargs = _on_meta(args), _on_meta(kwargs)
    return func(*args, **kwargs), args, kwargs


def _on_meta(value: Any) -> Any:
    """Constants that the network made on the processor, brought to the weightless tensors they meet."""
    if isinstance(value, Tensor):
        return value if value.is_meta or value.dim() == 0 else value.to("meta")
    if isinstance(value, (tuple, list)):
        return type(value)(_on_meta(item) for item in value)
    if isinstance(value, dict):
        return {key: _on_meta(item) for key, item in value.items()}
    return value


def _fits(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, grouped: bool) -> bool:
    """Whether the fused operation takes these as they are."""
    if query.dim() != 4 or query.shape[-1] != key.shape[-1] or key.shape != value.shape:
        return False
    in_groups, masks_expanded = _fused_forms()
    heads = query.shape[1] == key.shape[1] or (grouped and in_groups and query.shape[1] % key.shape[1] == 0)
    scores = torch.Size((*query.shape[:3], key.shape[2]))
    masked = mask is None or (
        not mask.requires_grad
        and _broadcast(mask.shape, scores) == list(scores)
        and (masks_expanded or not mask.is_floating_point() or mask.stride(-1) == 1)
    )
    return heads and masked and len(query) == len(key)


@functools.cache
def _fused_forms() -> tuple[bool, bool]:
    """Whether this PyTorch fuses attention of fewer heads for keys, and with masks expanded along the keys.

    Asked of it, on real tensors: from 2.6 to 2.14 it learnt to.
    """
    x = torch.zeros(1, 2, 2, 8)
    groups = torch._fused_sdp_choice(x, x[:, :1], x[:, :1], enable_gqa=True)
    expanded = torch._fused_sdp_choice(x, x, x, torch.zeros(1, 2, 2, 1).expand(-1, -1, -1, 2))
    return bool(groups), bool(expanded)


@contextmanager
def fused_attention() -> Iterator[None]:
    """While active, attention of weightless tensors is one operation, as it is on real ones.

    PyTorch would take it apart there, and the scores, which the fused operation never holds, would be counted.
    """
    torchs = functional.scaled_dot_product_attention
    _fused_forms()  # now, while nothing is watched

    def attention(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        **others: Any,
    ) -> Tensor:
        if query.is_meta and not dropout_p and _fits(query, key, value, attn_mask, bool(others.get("enable_gqa"))):
            if attn_mask is not None and attn_mask.dtype is torch.bool:
                attn_mask = torch.where(attn_mask.to("meta"), 0.0, -torch.inf).to(query.dtype)
            scale = others.get("scale")
            return _FUSED_ATTENTION(query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale)[0]
        return torchs(query, key, value, attn_mask, dropout_p, is_causal, **others)

    functional.scaled_dot_product_attention = attention  # type: ignore[assignment]
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = torchs
