"""Layers made from words for an input of a known shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import nn

from striate.errors import UsageError
from striate.layers.activation import activation
from striate.layers.conv import SameConv2d, SamePool2d
from striate.layers.in_words import SAME, Pair, Words, parse
from striate.layers.local import LocallyConnected2d
from striate.layers.measure import output_shape
from striate.layers.normalisation import LocalResponseNorm
from striate.layers.pooling import L2Pool2d, SumPool2d


def layers_from_words(shape: Sequence[int], *words: str) -> nn.Sequential:
    """The layers that the words tell, one after the other, for inputs (N, *shape).

    Args:
        shape: (C, H, W), without the batch.
        words: of one layer each; `striate.layers.in_words` says how.

    Raises:
        UsageError: words that say nothing, or a layer that does not fit what comes before it.
    """
    layers, current = nn.Sequential(), tuple(shape)
    for text in words:
        said = parse(text)
        try:
            layer = _make(said, current)
            current = output_shape(layer, (1, *current))[1:]
        except (TypeError, OverflowError):  # PyTorch's, of numbers beyond 64 bits
            raise UsageError(f"'{text}' takes more values than can be counted") from None
        except RuntimeError as error:
            before, reason = "x".join(map(str, channels_last(current))), str(error).splitlines()[0]
            raise UsageError(f"'{text}' does not fit an input of {before}: {reason}") from None
        layers.append(layer)
    return layers


def channels_last(shape: Sequence[int]) -> tuple[int, ...]:
    """(C, H, W) as (H, W, C), the order of the lectures."""
    return (*shape[1:], shape[0])


def _make(words: Words, shape: tuple[int, ...]) -> nn.Module:
    """The layer for inputs (N, *shape)."""
    if words.kind not in _MAKERS:
        return activation(words.kind)
    if len(shape) != 3 and words.kind not in ("dense", "norm", "dropout", "flatten"):
        raise UsageError(f"'{words.text}' needs a map of rows and columns; before it are {shape[0]:,} values in a row")
    windows = words.windows()
    for window, size, side in zip(windows or (), shape[1:], ("height", "width"), strict=False):
        if not window.places(size):
            raise UsageError(
                f"'{words.text}' does not fit: a kernel that spans {window.extent} values, on a {side} of {size}"
                + (f" padded by {window.padding} at both ends" if window.padding else "")
            )
    return _MAKERS[words.kind](words, shape)


def _convolution(words: Words, shape: tuple[int, ...]) -> nn.Module:
    assert words.kernel is not None
    channels = shape[0]
    filters = words.number or channels
    groups = channels if words.kind == "depthwise" else words.groups or 1
    if channels % groups or filters % groups:
        raise UsageError(f"'{words.text}': {groups} groups cannot divide {channels} channels into {filters} filters")
    layer = SameConv2d if words.padding == SAME else nn.Conv2d
    return layer(
        channels,
        filters,
        words.kernel,
        stride=words.stride or 1,
        padding=_padding(words),
        dilation=words.dilation or 1,
        groups=groups,
        bias=words.bias,
    )


def _transposed(words: Words, shape: tuple[int, ...]) -> nn.Module:
    assert words.kernel is not None
    assert words.number is not None
    if words.padding == SAME:
        raise UsageError(f"'{words.text}': a transposed convolution has no padding 'same'; say how many rows")
    stride, groups = words.stride or 1, words.groups or 1
    if shape[0] % groups or words.number % groups:
        raise UsageError(
            f"'{words.text}': {groups} groups cannot divide {shape[0]} channels into {words.number} filters"
        )
    return nn.ConvTranspose2d(
        shape[0], words.number, words.kernel, stride=stride, padding=_padding(words), groups=groups, bias=words.bias
    )


def _local(words: Words, shape: tuple[int, ...]) -> nn.Module:
    assert words.kernel is not None
    assert words.number is not None
    if words.padding == SAME:
        raise UsageError(f"'{words.text}': a locally connected layer has no padding 'same'; say how many rows")
    size: Pair = (shape[1], shape[2])
    stride, padding = words.stride or 1, _padding(words)
    return LocallyConnected2d(
        shape[0], words.number, size, words.kernel, stride=stride, padding=padding, bias=words.bias
    )


def _pool(words: Words, shape: tuple[int, ...]) -> nn.Module:
    assert words.kernel is not None
    kind, stride = words.pooling or "max", words.stride or words.kernel
    if words.padding == SAME:
        if kind not in ("max", "average") or len({*words.kernel}) > 1 or len({*stride}) > 1:
            raise UsageError(f"'{words.text}': padding 'same' is for square windows of pool max and pool average")
        return SamePool2d(kind, words.kernel[0], stride[0])
    padding = _padding(words)
    if any(2 * pad > side for pad, side in zip(padding, words.kernel, strict=True)):
        raise UsageError(f"'{words.text}': a pooling is padded by half its kernel at most")
    makers: dict[str, Callable[..., nn.Module]] = {
        "max": nn.MaxPool2d,
        "average": nn.AvgPool2d,
        "sum": SumPool2d,
        "l2": L2Pool2d,
    }
    return makers[kind](words.kernel, stride, padding)


def _global(words: Words, shape: tuple[int, ...]) -> nn.Module:
    kind = words.pooling or "average"
    if kind not in ("max", "average"):
        raise UsageError(f"'{words.text}': over the whole map there is global average and global max")
    return nn.AdaptiveMaxPool2d(1) if kind == "max" else nn.AdaptiveAvgPool2d(1)


def _dense(words: Words, shape: tuple[int, ...]) -> nn.Module:
    assert words.number is not None
    dense = nn.Linear(math.prod(shape), words.number, bias=words.bias)
    return dense if len(shape) == 1 else nn.Sequential(nn.Flatten(), dense)


def _norm(words: Words, shape: tuple[int, ...]) -> nn.Module:
    return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])


def _padding(words: Words) -> Pair:
    return words.padding if isinstance(words.padding, tuple) else (0, 0)


_MAKERS: dict[str, Callable[[Words, tuple[int, ...]], nn.Module]] = {
    "conv": _convolution,
    "depthwise": _convolution,
    "transposed": _transposed,
    "local": _local,
    "pool": _pool,
    "global": _global,
    "dense": _dense,
    "norm": _norm,
    "lrn": lambda words, shape: LocalResponseNorm(),
    "dropout": lambda words, shape: nn.Dropout(),
    "flatten": lambda words, shape: nn.Flatten(),
}
