"""A network of the catalogue with the first weights that its layers draw: what pretrained ones are then put into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from striate.models.card import Card, ModelSpec
from striate.models.catalogue import families, get_card
from striate.models.convnet import ConvNet
from striate.models.network import InputError
from striate.models.options import defaults_of
from striate.models.stem import stem_for


def build(
    card: Card,
    options: Mapping[str, Any],
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    size: tuple[int, int] | None = None,
) -> ConvNet:
    """Build a card's network.

    Args:
        card: the network's.
        options: those of its family that are not to be as on the card.
        num_classes: outputs; by default the card's.
        in_channels: channels of the images; by default the card's.
        size: (height, width) of the images; None where nothing was asked for.

    Returns:
        The network, whose `spec` rebuilds it.

    Raises:
        InputError: `size` is smaller than the network can work on.
    """
    arguments: dict[str, Any] = {
        "num_classes": num_classes or card.num_classes,
        "in_channels": in_channels or card.in_channels,
        "input_size": list(size) if size else None,
        **defaults_of(card),
        **options,
    }
    if "stem" in arguments:
        arguments["stem"] = stem_for(size, arguments["stem"])
    _check_size(card, size, arguments.get("stem"))
    model = families()[card.family].build(card.name, **{**arguments, "input_size": size})
    assert isinstance(model, ConvNet)
    model.spec = ModelSpec(card.name, arguments)
    model.input_size = size or (card.input_size, card.input_size)
    return model


def weightless(name: str) -> ConvNet:
    """The network of that name as its card has it, on "meta": its parts, and the names and shapes of its tensors."""
    with torch.device("meta"):
        return build(get_card(name), {})


def _check_size(card: Card, size: tuple[int, int] | None, stem: str | None) -> None:
    smallest = card.smallest(stem)
    if size is not None and min(size) < smallest:
        raise InputError(
            f"{card.name} cannot work on images of {size[0]}x{size[1]} pixels; "
            f"the smallest it takes is {smallest}x{smallest}"
        )
