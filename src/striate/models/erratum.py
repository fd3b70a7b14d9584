"""Errata: what is printed wrong, what is right, and the figures in it that this code measures itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measured:
    """A figure that an erratum says is right, as a measurement of a network of the catalogue.

    Attributes:
        value: what is right, rounded as the erratum has it.
        metric: "parameters", "multiply_adds", "values" (in layers' outputs), "side" (of the last layer's map, pixels)
            or "receptive_field" (of the last layer, pixels).
        network: its name.
        layers: shell patterns of the layers that count; all of them where empty.
        types: the only types of layers that count; all where empty.
        options: of the network, where they are not the card's.
        input_size: side of the image, pixels; the card's where None.
        within: how far the rounding may be off, as a share of the value.
        per: a figure that this one is divided by.
    """

    value: float
    metric: str
    network: str
    layers: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    input_size: int | None = None
    within: float = 0.0
    per: Measured | None = None


@dataclass(frozen=True)
class Erratum:
    """Something often printed wrong.

    Attributes:
        printed: what is printed, and by whom.
        right: what is right.
        figures: those of `right` that can be measured; see `striate.models.errata.measure`.
    """

    printed: str
    right: str
    figures: tuple[Measured, ...] = ()

    def __str__(self) -> str:
        return f"printed: {self.printed}; right: {self.right}"


def macs(value: float, network: str, **what: Any) -> Measured:
    """Multiply-adds as printed with two or three digits."""
    return Measured(value, "multiply_adds", network, **{"within": 0.01, **what})


def params(value: float, network: str, **what: Any) -> Measured:
    """A count of parameters, exact unless `within` is given."""
    return Measured(value, "parameters", network, **what)
