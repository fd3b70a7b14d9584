"""Layers by numbers, without a network: what each puts out, what it costs and sees, and the arithmetic of it.

The figures are measured, as those of any network; the arithmetic is that of the lectures (CS231n, "Convolutional
Networks", "Summary"), written out with this layer's numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from striate.analysis.rows import Row
from striate.analysis.summaries import summary
from striate.layers.from_words import channels_last, layers_from_words
from striate.layers.in_words import Words, parse


@dataclass(frozen=True)
class Step:
    """One layer of a chain.

    Attributes:
        words: what was said of it.
        input_shape: (C, H, W) or (units,), without the batch; likewise `output_shape`.
        parameters: weights and biases.
        multiply_adds: of one input.
        output_bytes: memory of the output, as float32.
        receptive_field: extent in values of the chain's input, per axis; None where each unit sees all, or where it
            differs from unit to unit.
        stride: values of the chain's input from one unit to the next, likewise.
        sees_all: each unit sees the whole input.
        arithmetic: what is computed, and how: ("parameters", "(5*5*3 + 1) * 10 = 760").
    """

    words: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    output_bytes: int
    receptive_field: tuple[int, ...] | None
    stride: tuple[float, ...] | None
    sees_all: bool
    arithmetic: tuple[tuple[str, str], ...]


def by_numbers(shape: Sequence[int], *words: str) -> list[Step]:
    """A step for each layer of a chain on one input.

    Args:
        shape: (C, H, W) of the input.
        words: of one layer each, such as "conv 10 5x5 pad 2"; see `striate.layers.in_words`.

    Raises:
        UsageError: words that say nothing, or a layer that does not fit what comes before it.
    """
    with torch.device("meta"):  # weights are counted, not made
        layers = layers_from_words(shape, *words)
    measured = summary(layers, tuple(shape))
    steps, before = [], tuple(shape)
    for text, row in zip(words, measured.root.children, strict=True):
        steps.append(_step(parse(text), before, row))
        before = steps[-1].output_shape
    return steps


def _step(words: Words, before: tuple[int, ...], row: Row) -> Step:
    assert row.output_shape is not None
    after = row.output_shape[1:]
    return Step(
        words=words.text,
        input_shape=before,
        output_shape=after,
        parameters=row.parameters,
        multiply_adds=row.multiply_adds,
        output_bytes=4 * math.prod(after),
        receptive_field=None if row.sees_all else row.receptive_field,
        stride=row.stride,
        sees_all=row.sees_all,
        arithmetic=tuple(_arithmetic(words, before, after, row)),
    )


def _arithmetic(words: Words, before: tuple[int, ...], after: tuple[int, ...], row: Row) -> Iterator[tuple[str, str]]:
    """What is computed, and how."""
    windows = words.windows()
    if windows:
        height, width = (window.arithmetic(size) for window, size in zip(windows, before[1:], strict=True))
        yield from [("side", height)] if height == width else [("height", height), ("width", width)]
    weights = _weights_of_one(words, before)
    if weights is None:
        return
    biased = f"({weights} + 1)" if words.bias else weights
    outputs = _times(after)
    if words.kind == "transposed":  # each input, not each output, meets the whole kernel
        weights += f"*{after[0]}"
        yield "parameters", f"{weights}{f' + {after[0]}' if words.bias else ''} = {row.parameters:,}"
        yield "mult-adds", f"{_times(before[1:])} places * {weights} = {row.multiply_adds:,}"
        return
    own = outputs if words.kind == "local" else after[0]  # a locally connected layer has weights for each place
    yield "parameters", f"{biased} * {own} = {row.parameters:,}"
    yield "mult-adds", f"{outputs} outputs * {weights} = {row.multiply_adds:,}"


def _weights_of_one(words: Words, before: tuple[int, ...]) -> str | None:
    """The weights of one filter or unit as a product; None for a layer without."""
    if words.kind == "dense":
        return _times(before)
    if words.kernel is None or words.kind == "pool":
        return None
    channels = 1 if words.kind == "depthwise" else before[0] // (words.groups or 1)
    return _times((channels, *words.kernel))


def _times(shape: Sequence[int]) -> str:
    """A shape as a product, channels last."""
    return "*".join(map(str, channels_last(shape) if len(shape) == 3 else shape))
