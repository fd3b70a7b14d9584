"""Compound scaling: a network made larger or smaller until it just fits a budget.

Depth, width and resolution grow together as alpha^phi, beta^phi and gamma^phi with one coefficient phi (Tan and Le,
2019, arXiv:1905.11946, section 3.3). With alpha beta^2 gamma^2 = 2 each step of phi doubles the multiply-adds. A
family without a depth option scales in width and resolution alone, as MobileNet does (Howard et al., 2017,
arXiv:1704.04861, section 3.3 and 3.4).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.caller import either
from striate.errors import StriateError, UsageError, unknown
from striate.models.budget import LIMITS, latency_of, written
from striate.models.card import Card, ModelSpec
from striate.models.catalogue import cards, families, get_card
from striate.models.convnet import ConvNet
from striate.models.create import create_model
from striate.models.forms import AXES, OF_THE_PAPER, Coefficients, Form, Forms
from striate.models.options import options_of
from striate.models.scaling_plot import plot_form

#: Where the search for phi begins and ends, and how finely it looks.
PHI = (-12.0, 12.0)
STEP = 1 / 64


def coefficient_grid(budget: float = 2.0, step: float = 0.05, tolerance: float = 0.05) -> Iterator[Coefficients]:
    """The coefficients among which the paper's grid search chooses: alpha beta^2 gamma^2 = budget, within `tolerance`.

    The paper trains each of them at phi = 1 and keeps the most accurate.
    """
    values = [round(1 + step * i, 4) for i in range(int((budget - 1) / step) + 1)]
    for alpha, beta, gamma in itertools.product(values, repeat=3):
        if alpha * beta**2 * gamma**2 > 1 and abs(alpha * beta**2 * gamma**2 / budget - 1) <= tolerance:
            yield Coefficients(alpha, beta, gamma)


@dataclass(frozen=True)
class Scaled(Form):
    """A network that fits the budget: its figures (`Form`), built and drawn."""

    def build(self, **arguments: Any) -> ConvNet:
        """The network itself; `arguments` as `create_model` takes them (num_classes, in_channels)."""
        return create_model(self.spec.name, **{**self.spec.arguments, **arguments})

    def plot(self, path: str | Path) -> Path:
        """Bars of what this form costs, of the budget, and of the forms around it (.svg, .png, .pdf)."""
        return plot_form(self, path)


def axes_of(card: Card) -> tuple[str, ...]:
    """Along which axes a network can be scaled."""
    options = options_of(families()[card.family])
    return tuple(axis for axis in AXES if axis in options or axis == "resolution")


def scale(
    name: str,
    limits: Mapping[str, float],
    *,
    coefficients: Coefficients = OF_THE_PAPER,
    axes: Sequence[str] | None = None,
    multiple_of: int = 8,
) -> Scaled:
    """The largest form of a network within `limits`.

    Args:
        name: the network to start from (phi = 0), with the width, depth and input size of its card.
        limits: the most it may cost, by the keys of `striate.models.budget.LIMITS`; latency is measured here.
        coefficients: growth of depth, width and resolution.
        axes: which of them to scale; by default all the family has.
        multiple_of: the resolution is rounded to a multiple of this many pixels.

    Raises:
        UsageError: no or unknown limits, an axis that the family does not have.
        StriateError: even the smallest form costs more; the line says how much.
    """
    card = get_card(name)
    axes = _checked(card, limits, axes)
    forms = Forms(card, coefficients, axes, multiple_of)
    if all(growth == 1 for growth in forms.growth.values()):
        raise UsageError(f"{', '.join(axes)} of {card.name} do not grow with {coefficients}")

    @functools.cache
    def latency(arguments: tuple[tuple[str, Any], ...], side: int) -> float:
        return latency_of(card.name, (side, side), **dict(arguments))

    def fits(phi: float) -> bool:
        try:
            costs = forms.cost(phi)
        except StriateError:
            return False  # a width or size that the family cannot be built with
        if any(costs.get(kind) > limit for kind, limit in limits.items() if kind != "latency"):
            return False
        return "latency" not in limits or latency(*forms.at(phi)) <= limits["latency"]

    low, high = PHI
    if not fits(low):
        smallest = forms.cost(low)
        least = ", ".join(f"{written(kind, smallest.get(kind))} {LIMITS[kind]}" for kind in limits if kind != "latency")
        raise StriateError(f"{card.name} cannot be made so small; its smallest form costs {least or 'more time'}")
    while high - low > STEP:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    arguments, side = forms.at(low)
    return Scaled(
        spec=ModelSpec(card.name, {"input_size": [side, side], **dict(arguments)}),
        phi=low,
        factors=forms.factors(low),
        input_size=side,
        cost=forms.cost(low),
        latency=latency(arguments, side) if "latency" in limits else None,
        limits=dict(limits),
        forms=forms,
    )


def _checked(card: Card, limits: Mapping[str, float], axes: Sequence[str] | None) -> tuple[str, ...]:
    """The axes, when they and the limits are possible."""
    if not limits:
        budgets = either("--macs, --params, --memory or --latency", ", ".join(LIMITS))
        raise UsageError(f"scaling needs a budget: {budgets}")
    for kind, limit in limits.items():
        if kind not in LIMITS:
            raise unknown("budget", kind, LIMITS)
        if not limit > 0:
            raise UsageError(f"a budget of {limit} {LIMITS[kind]}; it must be positive")
    have = axes_of(card)
    for axis in axes or ():
        if axis not in AXES:
            raise unknown("axis", axis, AXES)
        if axis not in have:
            able = sorted({other.family for other in cards().values() if axis in axes_of(other)})
            raise UsageError(f"{card.name} has no option '{axis}'; families that have: {', '.join(able)}")
    if axes is None and have == ("resolution",):
        able = sorted({other.family for other in cards().values() if "width" in axes_of(other)})
        raise UsageError(
            f"{card.name} has neither width nor depth to scale; families that have: {', '.join(able)}. "
            "Its resolution alone is scaled where the axes are 'resolution'"
        )
    return tuple(axes or have)
