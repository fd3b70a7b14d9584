"""What `create_model` decided for whoever left it open, where the network is then another one: a line on each."""

from __future__ import annotations

from collections.abc import Collection

from striate.caller import either
from striate.models.card import Card
from striate.models.catalogue import get_card
from striate.models.convnet import ConvNet
from striate.models.options import defaults_of
from striate.models.stem import SMALL_SIDE
from striate.weights import WeightSource


def defaults_taken(model: ConvNet, asked: Collection[str] = ()) -> list[str]:
    """Lines on what of a network of the catalogue is not as on its card, and how to have the other.

    Args:
        model: as `create_model` made it.
        asked: the options that were asked for, of which nothing is to be said.
    """
    card, source = get_card(model.spec.name), model.weights_source
    told = [_stem(model, card, asked), _dense_layers(model, card), _auxiliary(model, card, asked)]
    if source is not None:
        told += [_brought(card, source, asked), _fresh(model, source), _channels(model, source)]
    return [line for line in told if line]


def _option(name: str, value: object) -> str:
    return either(f"--option {name}={str(value).lower()}", f"{name}={value!r}")


def _stem(model: ConvNet, card: Card, asked: Collection[str]) -> str:
    arguments = model.spec.arguments
    is_taken = arguments.get("stem") == "small" and "stem" not in asked and defaults_of(card).get("stem") is None
    if not is_taken or card.input_size <= SMALL_SIDE:  # what is made for small images is as on its card
        return ""
    return (
        f"{card.name} has its stem for small images ({SMALL_SIDE} pixels or less), which shrinks them less; "
        f"{_option('stem', 'paper')} gives it the paper's"
    )


def _dense_layers(model: ConvNet, card: Card) -> str:
    size = model.spec.arguments.get("input_size")
    if not card.fixed_size or not size or tuple(size) == (card.input_size, card.input_size):
        return ""
    return (
        f"the dense layers of {card.name} are built for images of {size[0]}x{size[1]}; "
        f"those of the paper are for {card.input_size}x{card.input_size}"
    )


def _auxiliary(model: ConvNet, card: Card, asked: Collection[str]) -> str:
    if not card.auxiliary_weight or model.auxiliary or "auxiliary" in asked:
        return ""
    adding = f"{_option('auxiliary', True)} adds them"
    return f"{card.name} is built without its auxiliary heads, which only training uses; {adding}"


def _brought(card: Card, source: WeightSource, asked: Collection[str]) -> str:
    own = defaults_of(card)
    brought = [
        f"{name}={value}"
        for name, value in source.options.items()
        if name in own and own[name] != value and name not in asked
    ]
    return f"the weights bring options of {card.name} that they need: {', '.join(brought)}" if brought else ""


def _fresh(model: ConvNet, source: WeightSource) -> str:
    if not model.fresh or source.num_classes == model.num_classes:
        return ""
    layers = ", ".join(model.fresh)
    return f"the weights are for {source.num_classes} classes: for {model.num_classes} {layers} is new"


def _channels(model: ConvNet, source: WeightSource) -> str:
    theirs = len(source.mean)
    return "" if model.in_channels == theirs else adapted(source.name, theirs, model.in_channels)


def adapted(weights: str, theirs: int, ours: int) -> str:
    """That filters for so many channels were adapted to others (`striate.weights.adapt_channels`)."""
    done = "summed" if ours == 1 else f"repeated in turn and scaled by {theirs}/{ours}"
    return f"the first convolution of '{weights}' is for {theirs} channels: its filters are {done} for {ours}"
