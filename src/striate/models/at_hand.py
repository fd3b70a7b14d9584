"""Pretrained weights on this machine: in the folders of `STRIATE_WEIGHTS`, in the cache, in the Hub's cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from striate.errors import StriateError
from striate.models.accuracy import form_of, has_form
from striate.models.card import Card
from striate.models.catalogue import cards
from striate.models.imagenet import imagenet_names
from striate.models.recognition import spec_in
from striate.weights import WeightSource, describe
from striate.weights.converted import KNOWN, network_in
from striate.weights.files import OWN_MODEL, classes_in, has_metadata, read_metadata
from striate.weights.hub import hub_file_at_hand
from striate.weights.keras import SUFFIXES as KERAS
from striate.weights.pickles import SUFFIXES as PICKLES
from striate.weights.places import folders
from striate.weights.remembered import is_of

#: Ends of the names of files that are looked at.
SUFFIXES = (".safetensors", *KERAS, *PICKLES)


@dataclass(frozen=True)
class AtHand:
    """One set of weights on this machine; `create_model(network, weights=path, **options)` uses it.

    Attributes:
        network: the network's name in the catalogue.
        options: what `create_model` has to be given beside the weights, which bring their own options.
        source: the record of the file.
        path: where it lies.
    """

    network: str
    source: WeightSource
    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)


def weights_at_hand() -> list[AtHand]:
    """Every set of pretrained weights on this machine, by the order of the folders and of the names in them.

    A file is known by its published name, where its checksum is right, by its content, or by what it says of itself.
    What cannot be read, or is of no network of the catalogue, is left out.
    """
    found = [at_hand for folder in folders() for at_hand in in_folder(folder)]
    for card in cards().values():
        for source in card.weights:
            path = hub_file_at_hand(source.repository, source.file) if source.repository else None
            if path is not None and not card.base:
                found.append(AtHand(card.name, source, path))
    return found


def in_folder(folder: Path) -> list[AtHand]:
    """The sets of weights that lie in a folder itself."""
    return list(filter(None, map(_known, _files(folder))))


def stands_for_usual(card: Card, places: Sequence[Path]) -> AtHand | None:
    """The first file in these folders that may stand for the usual weights of a network: its own, for their classes."""
    usual = card.weights[0]
    for folder in places:
        for at_hand in in_folder(folder):
            if at_hand.network == (card.base or card.name) and _same_classes(at_hand.source, usual):
                return at_hand
    return None


def _same_classes(source: WeightSource, usual: WeightSource) -> bool:
    theirs = source.classes if source.classes != imagenet_names() else ()
    return source.num_classes == usual.num_classes and theirs == usual.classes


def _files(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    yield from (path for path in paths if path.name.lower().endswith(SUFFIXES) and path.is_file())


def _known(path: Path) -> AtHand | None:
    with suppress(OSError, StriateError):
        return _published(path) or _converted(path) or _described(path)
    return None


def _published(path: Path) -> AtHand | None:
    """A file under its published name; of several networks that it fits, the one in the form that it needs."""
    named = [
        (card, source)
        for card in cards().values()
        for source in card.weights
        if source.file == path.name and not source.repository and not card.base
    ]
    if not named or not is_of(path, named[0][1].checksum):
        return None
    for card, source in named:
        if has_form(card, form_of(source, card.family), source.input_size):
            return AtHand(card.name, source, path)
    return AtHand(named[0][0].name, named[0][1], path)


def _converted(path: Path) -> AtHand | None:
    source = KNOWN.get(path.stat().st_size)
    if source is None or not is_of(path, source.checksum):
        return None
    return AtHand(network_in(source), replace(source, name=str(path), file=path.name), path)


def _described(path: Path) -> AtHand | None:
    """A file that says itself of which network it is."""
    spec = spec_in(path) if has_metadata(path) else None
    if spec is None or spec.origin or spec.name not in cards():
        return None
    card = cards()[spec.name]
    classes = classes_in(path)
    count = spec.arguments.get("num_classes") or len(classes) or card.num_classes
    source = replace(describe(path, card.input_size), num_classes=count, classes=classes)
    channels = spec.arguments.get("in_channels")
    own = OWN_MODEL in read_metadata(path)
    origin = source.origin or ("trained here" if own else "")
    given = {"in_channels": channels} if channels not in (None, card.in_channels) else {}
    return AtHand(card.name, replace(source, origin=origin), path, given)
