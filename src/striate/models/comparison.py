"""`compare`: networks of the catalogue side by side, with what they are published to reach."""

from __future__ import annotations

from collections.abc import Callable

import torch

from striate.analysis import Comparison, Entry, Summary, summary
from striate.errors import UsageError
from striate.models.accuracy import accuracy_of, measured_as
from striate.models.card import Card
from striate.models.catalogue import get_card, list_models, title_of
from striate.models.create import create_model


def published() -> list[str]:
    """The networks that have a published top-1 on ImageNet, in the catalogue's order."""
    return [name for name in list_models() if accuracy_of(get_card(name)) is not None]


def compare(
    *networks: str, input_size: int | None = None, progress: Callable[[str], None] = lambda _: None
) -> Comparison:
    """Measure networks of the catalogue, each on one image of its card's size (or of `input_size`).

    Without names, all networks that have a published top-1 on ImageNet. `progress` is told each name.

    Raises:
        UsageError: an unknown name.
        InputError: `input_size` is smaller than one of them can work on.
    """
    names = networks or published()
    if not all(isinstance(name, str) for name in names):
        raise UsageError("compare takes names of networks; for modules use striate.analysis.Comparison")
    entries = []
    for name in names:
        card = get_card(name)
        progress(title_of(name))
        with torch.device("meta"):
            model = create_model(card.name, input_size=input_size)
        side = card.input_size if input_size is None else input_size
        entries.append(as_entry(card, summary(model, (card.in_channels, side, side)), title_of(name)))
    return Comparison(tuple(entries))


def as_entry(card: Card, measured: Summary, title: str) -> Entry:
    """A network of the catalogue as its card describes it, measured, as an entry of a comparison.

    Its accuracy is one that was measured on this form and this size of image; where its weights need another form, the
    entry says which network has it.
    """
    sides = measured.input_shapes[0][2:]
    found = accuracy_of(card, size=sides[0]) if len(set(sides)) == 1 else None
    if found is not None:
        return Entry(title, measured, found.value, found.source, card.family)
    elsewhere = measured_as(card)
    return Entry(title, measured, None, f"see {elsewhere}" if elsewhere else "", card.family)
