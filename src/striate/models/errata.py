"""The errata of the whole catalogue: those on the cards, those that belong to no network, and their measurement."""

from __future__ import annotations

import fnmatch
import functools
from typing import TYPE_CHECKING, Any

import torch

from striate.models.catalogue import get_card, list_models
from striate.models.convnet import ConvNet
from striate.models.create import create_model
from striate.models.erratum import Erratum, Measured

if TYPE_CHECKING:
    from striate.analysis.rows import Row

#: Errata that belong to no single network.
GENERAL = (
    Erratum(
        "1x3 then 3x1 in place of 3x3, where the width doubles, saves 30 %",
        "29.3 %, which is 1 - 1/sqrt 2",
    ),
    Erratum(
        "One network, several counts",
        "Keras counts a batch norm's two running statistics as (non-trainable) parameters, PyTorch does not; here they "
        "are buffers",
    ),
    Erratum(
        "FLOPs, where multiply-adds are meant",
        "a multiply-add is two FLOPs; fvcore's flop is one multiply-add, ptflops adds batch norm and pooling",
    ),
    Erratum(
        "Kernels share weights across channels",
        "across places; each channel has its own",
    ),
    Erratum(
        "A receptive-field table whose last map is 28x28 behind one of 14x14",
        "14x14, since no map grows without being enlarged",
    ),
)


def errata() -> list[tuple[Erratum, list[str]]]:
    """Every erratum with the networks on whose cards it stands, in the catalogue's order; the general ones last."""
    found: dict[str, tuple[Erratum, list[str]]] = {}
    for name in list_models():
        for erratum in get_card(name).errata:
            found.setdefault(str(erratum), (erratum, []))[1].append(name)
    for erratum in GENERAL:
        found[str(erratum)] = (erratum, [])
    return list(found.values())


def measure(figure: Measured) -> float:
    """What this code measures where the erratum says `figure.value`, on weightless tensors.

    Raises:
        ValueError: no layer has such a name and type, or the metric is unknown.
    """
    side = figure.input_size or get_card(figure.network).input_size
    form = (figure.network, side, tuple(figure.options.items()))
    if figure.metric == "parameters":
        value: float = sum(
            parameter.numel()
            for name, layer in _built(*form).named_modules()
            for parameter in layer.parameters(recurse=False)
            if _counts(figure, name, type(layer).__name__)
        )
    else:
        value = _of_rows(figure, _rows(*form))
    return value if figure.per is None else value / measure(figure.per)


def _of_rows(figure: Measured, rows: tuple[Row, ...]) -> float:
    rows = tuple(row for row in rows if _counts(figure, row.name, row.type))
    if not rows:
        raise ValueError(f"{figure.network} has no layer {' or '.join(figure.layers)} of type {figure.types}")
    last = rows[-1]
    if figure.metric == "multiply_adds":
        return sum(row.multiply_adds for row in rows)
    if figure.metric == "values":
        return sum(row.activation_bytes for row in rows) / 4
    if figure.metric == "side" and last.output_shape is not None:
        return last.output_shape[-1]
    if figure.metric == "receptive_field" and last.receptive_field is not None:
        return last.receptive_field[0]
    raise ValueError(f"'{figure.metric}' of {figure.network}: this is not measured")


def _counts(figure: Measured, layer: str, kind: str) -> bool:
    named = not figure.layers or any(fnmatch.fnmatchcase(layer, pattern) for pattern in figure.layers)
    return named and (not figure.types or kind in figure.types)


def _built(network: str, side: int, options: tuple[tuple[str, Any], ...]) -> ConvNet:
    with torch.device("meta"):
        return create_model(network, input_size=side, **dict(options))


@functools.lru_cache(maxsize=64)
def _rows(network: str, side: int, options: tuple[tuple[str, Any], ...]) -> tuple[Row, ...]:
    """One row per layer of a network without weights."""
    from striate.analysis import summary

    model = _built(network, side, options)
    return summary(model, (model.in_channels, side, side)).rows
