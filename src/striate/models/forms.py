"""The forms of one network that compound scaling leads to, and the one of them that was found for a budget.

Depth, width and resolution grow together with one coefficient phi (Tan and Le, 2019, arXiv:1905.11946, section 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.errors import UsageError
from striate.models.budget import Cost, cost_of
from striate.models.card import Card, ModelSpec
from striate.models.options import defaults_of
from striate.models.stem import stem_for

AXES = ("depth", "width", "resolution")


@dataclass(frozen=True)
class Coefficients:
    """By how much depth, width and resolution grow when phi grows by one; the paper's found by grid search on B0."""

    alpha: float = 1.2
    beta: float = 1.1
    gamma: float = 1.15

    def __post_init__(self) -> None:
        if not all(1 <= value <= 4 for value in (self.alpha, self.beta, self.gamma)) or self.growth == 1:
            raise UsageError(f"{self}: each from 1 to 4, and not all of them 1")

    @property
    def growth(self) -> float:
        """Factor by which multiply-adds grow with each step of phi, before rounding."""
        return self.alpha * self.beta**2 * self.gamma**2


#: What the paper found by its grid search on B0.
OF_THE_PAPER = Coefficients()


@dataclass(frozen=True)
class Forms:
    """All forms of one network, from phi = 0, that of its card.

    Attributes:
        card: of the network.
        coefficients: growth of depth, width and resolution.
        axes: which of them grow.
        multiple_of: the resolution is rounded to a multiple of this many pixels.
    """

    card: Card
    coefficients: Coefficients
    axes: tuple[str, ...]
    multiple_of: int = 8

    @property
    def growth(self) -> dict[str, float]:
        """Factor of each axis for a step of phi."""
        values = (self.coefficients.alpha, self.coefficients.beta, self.coefficients.gamma)
        return {axis: value for axis, value in zip(AXES, values, strict=True) if axis in self.axes}

    def factors(self, phi: float) -> dict[str, float]:
        """What depth, width and resolution are multiplied with."""
        return {axis: self.growth[axis] ** phi for axis in self.axes}

    def at(self, phi: float) -> tuple[tuple[tuple[str, Any], ...], int]:
        """The options that make the form, and the side of its images."""
        defaults: Mapping[str, Any] = defaults_of(self.card)
        factors = self.factors(phi)
        grown = {axis: round(defaults[axis] * factors[axis], 4) for axis in self.axes if axis in defaults}
        if "stem" in defaults:  # the card's, or a small form would suddenly get the small stem
            grown["stem"] = stem_for((self.card.input_size, self.card.input_size))
        side = self.card.input_size * factors.get("resolution", 1)
        smallest = -(-self.card.min_size // self.multiple_of) * self.multiple_of
        return tuple(grown.items()), max(round(side / self.multiple_of) * self.multiple_of, smallest)

    def cost(self, phi: float) -> Cost:
        """What one image costs. Raises StriateError where the family cannot be built with such a width or size."""
        arguments, side = self.at(phi)
        return cost_of(self.card.name, (side, side), **dict(arguments))


@dataclass(frozen=True)
class Form:
    """One of them, which fits a budget.

    Attributes:
        spec: what builds it: `create_model(spec.name, **spec.arguments)`.
        phi: the compound coefficient.
        factors: what depth, width and resolution were multiplied with, by axis.
        input_size: side of its images, pixels.
        cost: of one image.
        latency: milliseconds for one image on this machine; None where no latency was asked for.
        limits: the budget.
        forms: among which it was found.
    """

    spec: ModelSpec
    phi: float
    factors: Mapping[str, float]
    input_size: int
    cost: Cost
    latency: float | None
    limits: Mapping[str, float] = field(default_factory=dict)
    forms: Forms | None = None
