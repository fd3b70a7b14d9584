"""Networks of the Hugging Face Hub, `hf:ORG/NAME`: which network a repository's weights are for, and how it is fed.

What timm's repositories say of themselves is understood: `config.json` with the architecture by timm's name, the number
of classes, perhaps their names, and how images are fed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.errors import StriateError, UsageError
from striate.models.accuracy import form_of, has_form
from striate.models.card import Card
from striate.models.catalogue import cards, own_name
from striate.weights import WeightSource
from striate.weights.hub import CONFIG, WEIGHTS, hub_file, repository_named
from striate.weights.images import TIMM
from striate.weights.source import HUB

#: Names of ImageNet's classes in WordNet, which are not looked up.
_WORDNET = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class HubModel:
    """What a repository says of itself.

    Attributes:
        architecture: timm's name of the network.
        network: the name in the catalogue, else `timm:NAME`.
        source: the record of its weights.
    """

    architecture: str
    network: str
    source: WeightSource

    def fits(self, card: Card) -> bool:
        """Whether these are weights for the network of a card."""
        return card.name == self.network or card.peers.get("timm") == self.architecture

    def path(self) -> Path:
        """Its file of weights, fetched where it is not on this machine; raises as `hub_file`."""
        return hub_file(self.source.repository, *WEIGHTS)


def hub_model(weights: str) -> HubModel:
    """What the repository `hf:ORG/NAME[@REVISION]` says of itself.

    Raises:
        UsageError: it is written otherwise.
        StriateError: its config.json cannot be had (offline, the line says where to put it), or is none of timm's.
    """
    repository = repository_named(weights)
    path = hub_file(repository, CONFIG)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        architecture = config.get("architecture")
        if not isinstance(architecture, str):
            raise StriateError(
                f"{weights}: its {CONFIG} names no 'architecture' of timm's; use the file of its weights by its path"
            )
        source = _source(weights, config)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise StriateError(f"{weights}: {path} cannot be understood ({error!r})") from error
    return HubModel(architecture, _network(architecture, source), source)


def _source(weights: str, config: dict[str, Any]) -> WeightSource:
    fed = {**config, **(config.get("pretrained_cfg") or {})}
    _, height, width = fed.get("input_size") or (3, 224, 224)
    crop = float(fed.get("crop_pct") or 0.875)
    if not 0 < crop <= 1 or height != width or height < 1:
        raise ValueError(f"images of {width}x{height} pixels, {crop:g} of the resized")
    classes = int(config.get("num_classes", fed.get("num_classes", 1000)))
    names = tuple(map(str, config.get("label_names") or fed.get("label_names") or ()))
    named = len(names) == classes and not all(map(_WORDNET.fullmatch, names))
    return WeightSource(
        name=weights,
        file=WEIGHTS[0],
        url=weights,
        origin=f"Hugging Face Hub, {weights.removeprefix(HUB)}",
        licence=str(fed.get("license") or ""),
        num_classes=classes,
        input_size=int(height),
        mean=_statistic(fed.get("mean") or TIMM.mean),
        std=_statistic(fed.get("std") or TIMM.std),
        crop_fraction=crop,
        interpolation="bilinear" if fed.get("interpolation") == "bilinear" else "bicubic",
        style="timm",
        classes=names if named else (),
    )


def _statistic(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _network(architecture: str, source: WeightSource) -> str:
    """The network of the catalogue that timm calls so, of several the one in the form that its weights need."""
    named = [card for card in cards().values() if card.peers.get("timm") == architecture]
    fitting = [card for card in named if has_form(card, form_of(source, card.family), card.input_size)]
    if fitting or named:
        return (fitting or named)[0].name
    own = own_name(architecture)
    return own if own in cards() and "timm" in cards()[own].peers else f"timm:{architecture}"


def network_at_hub(weights: str) -> str:
    """The network of the catalogue whose weights a repository holds.

    Raises:
        UsageError: the catalogue has no such network; the line names it at timm.
        StriateError: as `hub_model`.
    """
    found = hub_model(weights)
    if found.network not in cards():
        raise UsageError(
            f"{weights}: weights of {found.network}, which is not in the catalogue; name it as the network."
        )
    return found.network
