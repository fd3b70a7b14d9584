"""Figures of a network: ours measured when asked for, a peer's measured once and kept beside the catalogue.

What one pass costs is kept too, for a list of all networks, which takes a minute to measure.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from striate.models.catalogue import get_card
from striate.models.create import create_model

#: What `docs/generate.py peers` measured: network: library: figures.
PEER_FIGURES = Path(__file__).with_name("peer_figures.json")
#: What `docs/generate.py costs` measured: network: multiply-adds of one image of its card's size.
COSTS = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Figures:
    """What a network costs and sees on one image of its card's size.

    Attributes:
        source: "striate", or the library with its version.
        name: what the network is called there.
        input_size: side of the image, pixels.
        parameters: trainable values in weights and biases.
        multiply_adds: of one forward pass, in convolutions and matrix products; None where not measured.
        activation_bytes: of all layers' outputs in float32; None where not measured.
        receptive_field: of the last feature map, pixels; None where it is unknown or the whole image.
    """

    source: str
    name: str
    input_size: int
    parameters: int
    multiply_adds: int | None = None
    activation_bytes: int | None = None
    receptive_field: int | None = None


@functools.lru_cache(maxsize=256)
def measured(name: str) -> Figures:
    """The figures of our network as it is built by default, from a run on weightless tensors."""
    from striate.analysis import summary

    card = get_card(name)
    with torch.device("meta"):
        model = create_model(card.name)
    result = summary(model, (card.in_channels, card.input_size, card.input_size))
    return Figures(
        source="striate",
        name=card.name,
        input_size=card.input_size,
        parameters=result.parameters,
        multiply_adds=result.multiply_adds,
        activation_bytes=result.activation_bytes,
        receptive_field=result.receptive_field[0] if result.receptive_field else None,
    )


@functools.cache
def recorded_costs() -> dict[str, int]:
    """The multiply-adds of every network of this package as it is built by default, as `measured` found them."""
    return json.loads(COSTS.read_text(encoding="utf-8"))


def multiply_adds_of(name: str) -> int | None:
    """The recorded cost of a network; one that others have registered is measured, and None where that fails."""
    if name in recorded_costs():
        return recorded_costs()[name]
    try:
        return measured(name).multiply_adds
    except Exception:  # whatever is wrong with another's network, all are listed
        return None


def of_peers(name: str) -> tuple[Figures, ...]:
    """The recorded figures of the same network at its peers."""
    return tuple(Figures(**record) for record in _recorded().get(get_card(name).name, {}).values())


@functools.cache
def _recorded() -> dict[str, Any]:
    return json.loads(PEER_FIGURES.read_text(encoding="utf-8")) if PEER_FIGURES.is_file() else {}
