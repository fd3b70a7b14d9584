"""`compare`: networks of the catalogue side by side, with what their papers say they reach."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch

from striate.analysis import Comparison, Entry, Summary, summary
from striate.errors import UsageError
from striate.models.card import Card
from striate.models.catalogue import get_card, list_models
from striate.models.create import create_model

#: Data sets whose accuracy is not ImageNet's, as they are named in parentheses on cards.
OTHERS = ("MNIST", "CIFAR", "Fashion", "cats and dogs", "SVHN")


def published_accuracy(card: Card) -> tuple[float, str] | None:
    """Top-1 on ImageNet as a fraction, and who says so: the paper where it prints one, else the weights' publisher."""
    text = card.published.get("top1_error", "")
    number = re.match(r"[0-9.]+", text)
    if number and card.num_classes == 1000 and not any(f"({other}" in text for other in OTHERS):
        source = re.search(r"\((.*)\)", text)
        return 1 - float(number[0]) / 100, source[1] if source else "paper"
    for source_of_weights in card.weights:
        for what, value in source_of_weights.accuracy.items():
            if "ImageNet val" in what:
                return value, f"weights of {source_of_weights.origin}"
    return None


def compare(
    *networks: str, input_size: int | None = None, progress: Callable[[str], None] = lambda _: None
) -> Comparison:
    """Measure networks of the catalogue, each on one image of its card's size (or of `input_size`).

    Without names, all networks that have a published top-1 on ImageNet. `progress` is told each name.

    Raises:
        UsageError: an unknown name.
        InputError: `input_size` is smaller than one of them can work on.
    """
    names = networks or [name for name in list_models() if published_accuracy(get_card(name)) is not None]
    if not all(isinstance(name, str) for name in names):
        raise UsageError("compare takes names of networks; for modules use striate.analysis.Comparison")
    entries = []
    for name in names:
        card = get_card(name)
        progress(card.name)
        with torch.device("meta"):
            model = create_model(card.name, input_size=input_size)
        side = card.input_size if input_size is None else input_size
        entries.append(as_entry(card, summary(model, (card.in_channels, side, side))))
    return Comparison(tuple(entries))


def as_entry(card: Card, measured: Summary) -> Entry:
    """A network of the catalogue, measured, as an entry of a comparison."""
    accuracy, source = published_accuracy(card) or (None, "")
    return Entry(card.name, measured, accuracy, source, card.family)
