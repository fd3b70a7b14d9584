"""Which published accuracy belongs to which form of a network: the one source for cards, `compare` and `recommend`.

A figure holds for the form, the size of image and the crop that it was measured with, and stands beside no other
network's cost. Published weights often need another form than the paper describes (a ResNet-50's stride in the 3x3):
their accuracy is then that of the network which has this form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from striate.models.card import Card
from striate.models.catalogue import families
from striate.models.options import defaults_of
from striate.models.stem import stem_for
from striate.weights import IMAGENET, ONE_CROP, Figure, WeightSource, key_tables


@dataclass(frozen=True)
class Accuracy:
    """A figure that holds for a network as it is built, and the weights with which it was measured, if one can have
    them.
    """

    figure: Figure
    weights: WeightSource | None = None

    @property
    def value(self) -> float:
        """The share of right answers."""
        assert self.figure.value is not None
        return self.figure.value

    @property
    def source(self) -> str:
        """Who says so, in a few words."""
        return self.figure.source if self.weights is None else f"weights '{self.weights.name}' of {self.figure.source}"


def form_of(source: WeightSource, family: str) -> dict[str, Any]:
    """The options that make a network the one that these weights were measured in."""
    table = key_tables(family).get(source.style)
    return {**(table.options if table else {}), **source.options}


def accuracies(card: Card, data: str = IMAGENET, metric: str = "top1") -> Iterator[tuple[Accuracy, Mapping[str, Any]]]:
    """Every figure on the card for these data, with one crop, and the options of the form that it holds for."""
    for source in card.weights:
        for figure in source.accuracy:
            if _counts(figure, data, metric):
                yield Accuracy(figure, source), form_of(source, card.family)
    for figure in card.published:
        if _counts(figure, data, metric):
            yield Accuracy(figure), figure.options


def _counts(figure: Figure, data: str, metric: str) -> bool:
    return (figure.metric, figure.data, figure.crop) == (metric, data, ONE_CROP) and figure.value is not None


def accuracy_of(card: Card, data: str = IMAGENET, size: int | None = None) -> Accuracy | None:
    """The top-1 accuracy of the network as its card describes it, on images of `size` (by default the card's).

    That of the best weights which anybody can have, in this form and at this size; without any, the best of what its
    paper or others print. None where nobody has published one.
    """
    size = card.input_size if size is None else size
    held = [
        accuracy
        for accuracy, options in accuracies(card, data)
        if accuracy.figure.input_size == size and has_form(card, options, size)
    ]
    return max(held, key=lambda accuracy: (accuracy.weights is not None, accuracy.value), default=None)


def has_form(card: Card, options: Mapping[str, Any], size: int) -> bool:
    """Whether the network of this card, built for images of `size`, has these options."""
    own = defaults_of(card)
    if "stem" in own:
        own["stem"] = stem_for((size, size), own["stem"])  # type: ignore[arg-type]
    return all(own[name] == value for name, value in options.items() if name in own)


def measured_as(card: Card) -> str | None:
    """The network of the same family whose form this card's weights need, where it is not this one."""
    for source in card.weights:
        if has_form(card, form_of(source, card.family), source.input_size):
            return None
    files = {source.file for source in card.weights}
    for other in families()[card.family].cards:
        shared = [source for source in other.weights if source.file in files]
        if any(has_form(other, form_of(source, other.family), source.input_size) for source in shared):
            return other.name
    return None
