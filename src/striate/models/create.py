"""create_model: from a name to a network, with or without pretrained weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from striate.errors import StriateError, UsageError, unknown
from striate.models.card import Card, ModelSpec
from striate.models.catalogue import check_options, defaults_of, families, get_card
from striate.models.convnet import ConvNet, InputError
from striate.models.stem import stem_for
from striate.weights import (
    WeightSource,
    adapt_channels,
    describe,
    key_tables,
    load_state,
    locate,
    read_state,
    recognise,
    rename,
)
from striate.weights.files import read_checked_pickle
from striate.weights.keras import SUFFIXES, keras_source, read_keras
from striate.weights.loading import AUXILIARY, CLASSIFIER, first_convolution


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    input_size: int | Sequence[int] | None = None,
    weights: str | Path | None = None,
    fully_convolutional: str | None = None,
    **options: Any,
) -> ConvNet:
    """Build a network of the catalogue.

    Args:
        name: its name or an alias (`list_models()`).
        num_classes: outputs; by default the weights' number, without weights the card's.
        in_channels: channels of the images; by default the card's.
        input_size: side of the images in pixels, or (height, width). Networks with dense layers on the
            feature map are built for it; networks for large images take their small stem at 64 pixels or
            less, unless weights bring another.
        weights: the name of a source on the card ("imagenet"), or the path of a safetensors file or of an HDF5
            file as Keras Applications publishes them. With another
            `num_classes` than the weights have, the last layer is left fresh; with other `in_channels` the
            first convolution is adapted (`striate.weights.adapt_channels`).
        fully_convolutional: "average" or "map" turns the dense layers into convolutions once the weights are in
            (`ConvNet.to_fully_convolutional`); `input_size` is then the smallest size that has one place.
        options: the family's own, e.g. `stride_in="3x3"`. Weights bring the options they need; contradicting
            them is an error.

    Returns:
        A `ConvNet` whose `spec` rebuilds it and whose `weights_source` tells how the weights want their
        images.

    Raises:
        UsageError: unknown name, option or source, or an impossible value.
        InputError: `input_size` is smaller than the network can work on.
        StriateError: weights that cannot be had or do not fit.
    """
    card = get_card(name)
    check_options(card, options)
    for argument, value in (("num_classes", num_classes), ("in_channels", in_channels)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise UsageError(f"{argument} is {value!r}; it must be a whole number of at least 1")
    size = _size(card, input_size)
    source, state = _weights(card, weights) if weights is not None else (None, {})
    if size is None and card.fixed_size and source is not None:
        size = _size(card, source.input_size)
    needed = _needed(card, source, options)
    arguments: dict[str, Any] = {
        "num_classes": num_classes or (source.num_classes if source else card.num_classes),
        "in_channels": in_channels or card.in_channels,
        "input_size": list(size) if size else None,
        **defaults_of(card),
        **needed,
        **options,
    }
    if "stem" in arguments:
        arguments["stem"] = stem_for(size, arguments["stem"])
    _check_size(card, size, arguments.get("stem"))
    model = families()[card.family].build(card.name, **{**arguments, "input_size": size})
    assert isinstance(model, ConvNet)
    model.spec = ModelSpec(card.name, arguments)
    model.input_size = size or (card.input_size, card.input_size)
    if source is not None:
        _load(model, state, source)
    return model if fully_convolutional is None else model.to_fully_convolutional(fully_convolutional)


def _size(card: Card, input_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    if input_size is None:
        return None
    pair = (input_size, input_size) if isinstance(input_size, int) else tuple(input_size)
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise UsageError(f"input_size is {input_size!r}; it must be a side in pixels or (height, width)")
    return pair[0], pair[1]


def _check_size(card: Card, size: tuple[int, int] | None, stem: str | None) -> None:
    smallest = card.smallest(stem)
    if size is not None and min(size) < smallest:
        raise InputError(
            f"{card.name} cannot work on images of {size[0]}x{size[1]} pixels; "
            f"the smallest it takes is {smallest}x{smallest}"
        )


def _weights(card: Card, weights: str | Path) -> tuple[WeightSource, dict[str, Tensor]]:
    """The record, with what follows from the tensors, and the tensors under our names.

    The record gets the options that its publisher's networks have.
    """
    named = {source.name: source for source in card.weights}
    if str(weights) in named:
        source = named[str(weights)]
        path = locate(source)
        state = read_state(path) if path.suffix == ".safetensors" else read_checked_pickle(path)
    elif isinstance(weights, Path) or "/" in weights or "\\" in weights or Path(weights).suffix:
        path = Path(weights).expanduser()
        if path.suffix in SUFFIXES:
            state, source = read_keras(path), keras_source(path, card.input_size)
        else:
            state, source = read_state(path), describe(path, card.input_size)
    elif not named:
        others = ", ".join(other.name for other in families()[card.family].cards if other.weights)
        have = f" ({others} of its family have)" if others else ""
        raise UsageError(f"{card.name} has no published weights{have}; weights takes the path of a safetensors file")
    else:
        raise unknown(f"weights of {card.name}", str(weights), named)
    with torch.device("meta"):
        wanted = create_model(card.name).state_dict()
    table = key_tables(card.family).get(recognise(state, wanted, card.family, str(path)))
    ours = rename(state, table)
    if CLASSIFIER + "weight" not in ours:
        raise StriateError(f"{path}: the file has no {CLASSIFIER}weight; give it the whole network's tensors")
    if table is not None:
        implied = {key: value for key, value in table.options.items() if key in defaults_of(card)}
        source = replace(source, options={**implied, **source.options})
        if table.caffe_images and str(weights) not in named:
            source, ours = _from_caffe(source, ours)
        if table.imagenet_images and str(weights) not in named:
            usual = WeightSource("", "")
            source = replace(source, mean=usual.mean, std=usual.std)
    return replace(source, num_classes=len(ours[CLASSIFIER + "weight"])), ours


def _from_caffe(source: WeightSource, state: dict[str, Tensor]) -> tuple[WeightSource, dict[str, Tensor]]:
    """The record and the tensors for our images, of weights that know blue before red and 0 to 255 less the mean."""
    first = next(key for key, value in state.items() if value.dim() == 4)
    means = (123.68, 116.779, 103.939)
    source = replace(source, mean=tuple(mean / 255 for mean in means), std=(1 / 255,) * 3)
    return source, {**state, first: state[first].flip(1)}


def _needed(card: Card, source: WeightSource | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the weights need, checked against what the family has and what was asked for."""
    if source is None:
        return {}
    known = defaults_of(card)
    needed = {}
    for option, value in source.options.items():
        if option not in known:
            # a family without this choice has PyTorch's habit
            if {"padding": "symmetric", "norm_eps": 1e-5}.get(option) != value:
                raise UsageError(f"{source.name}: needs {option}={value!r}, which {card.name} does not have")
            continue
        if option in options and options[option] != value:
            raise UsageError(
                f"weights '{source.name}' of {card.name} need {option}={value!r} "
                f"and {option}={options[option]!r} was asked for; leave the option out, or the weights"
            )
        needed[option] = value
    return needed


def _load(model: ConvNet, state: dict[str, Tensor], source: WeightSource) -> None:
    first = first_convolution(model)
    if first is not None and first[0] + ".weight" in state:
        key = first[0] + ".weight"
        state = {**state, key: adapt_channels(state[key], first[1].in_channels)}
    if not model.auxiliary:  # heads that only training used
        state = {key: value for key, value in state.items() if not key.startswith(AUXILIARY)}
    state = dict(model.fitted(state))
    fresh = source.num_classes != model.num_classes
    auxiliary = tuple(f"{AUXILIARY}{name}.classifier." for name in model.auxiliary)
    load_state(model, state, where=source.name, leave=(CLASSIFIER, *auxiliary) if fresh else ())
    model.weights_source = source
