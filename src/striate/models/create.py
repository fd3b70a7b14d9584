"""create_model: from a name to a network, with or without pretrained weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from striate.errors import UsageError
from striate.models.building import build
from striate.models.card import Card
from striate.models.catalogue import get_card
from striate.models.convnet import ConvNet
from striate.models.cutting import UNTIL, cut_after
from striate.models.options import HIDDEN, check_options
from striate.models.pretrained import options_needed, pretrained, put_in
from striate.models.recognition import told_whose


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    input_size: int | Sequence[int] | None = None,
    weights: str | Path | None = None,
    hidden: int | Sequence[int] | None = None,
    hidden_dropout: float | None = None,
    until: str | None = None,
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
        weights: the name of a source on the card ("imagenet", the network's usual ones), a publisher ("timm", "keras"),
            a repository of the Hugging Face Hub (`hf:ORG/NAME`), or the path of a run folder or of a file: safetensors,
            a state dict of PyTorch's (.pth), an HDF5 or .keras file of Keras's. With another
            `num_classes` than the weights have, the last layer is left fresh; with other `in_channels` the
            first convolution is adapted (`striate.weights.adapt_channels`). A network on another's base takes
            that network's weights; its own head is left fresh.
        hidden: widths of the head's hidden layers, in place of the network's own: 256, or (256, 128). Weights that
            have other ones, or none, leave all dense layers of the head fresh; by default as the weights, or the
            network, have them (`ConvNet.reset_head`).
        hidden_dropout: share of the outputs of those layers that is dropped in training; see there.
        until: the name of a stage with which the network ends: the mean of its map goes to a fresh classifier
            (`striate.models.cutting`). By default as the weights have it.
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
    with told_whose(card.name, weights):
        found = pretrained(card, weights) if weights is not None else None
    whole = found.source if found is not None and not found.of_base else None
    if hidden is None and whole is not None:
        hidden = whole.options.get(HIDDEN)
    if until is None and whole is not None:
        until = whole.options.get(UNTIL)
    if size is None and card.fixed_size and whole is not None:
        size = _size(card, whole.input_size)
    with told_whose(card.name, weights):
        needed = options_needed(card, found, options) if found is not None else {}
    model = build(
        card,
        {**needed, **options},
        num_classes=num_classes or (whole.num_classes if whole else None),
        in_channels=in_channels,
        size=size,
    )
    if until is not None:
        cut_after(model, until)
    if hidden is not None or hidden_dropout is not None:
        model.reset_head(model.num_classes, hidden, hidden_dropout)
    if found is not None:
        with told_whose(card.name, weights):
            put_in(model, found)
    return model if fully_convolutional is None else model.to_fully_convolutional(fully_convolutional)


def _size(card: Card, input_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    if input_size is None:
        return None
    pair = (input_size, input_size) if isinstance(input_size, int) else tuple(input_size)
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise UsageError(f"input_size is {input_size!r}; it must be a side in pixels or (height, width)")
    return pair[0], pair[1]
