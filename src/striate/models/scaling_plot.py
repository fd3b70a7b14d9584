"""The picture of a network scaled to a budget: what the largest form that fits costs, and the forms around it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from striate.analysis.bars import Bars, Block, Panel, draw_bars, height_of
from striate.analysis.drawing import listed, sheet
from striate.errors import StriateError
from striate.models.budget import LIMITS, Cost, limit_written, written
from striate.models.forms import Form
from striate.units import percent, sizes

#: Heads of the panels; the figures of `LIMITS` in its order.
TITLES = {
    "multiply_adds": "multiply-adds",
    "parameters": "parameters",
    "memory": "memory (bytes)",
    "latency": "latency (ms)",
}
#: How many whole values of phi are shown below and above the one that fits.
AROUND = 2
LONGEST_LABEL = 46


def panels_for(limits: dict[str, float]) -> list[Panel]:
    """A panel for each kind of cost, latency only where it is limited; the budget is its line."""
    return [
        Panel(title, partial(_written, kind), limits.get(kind))
        for kind, title in TITLES.items()
        if kind != "latency" or kind in limits
    ]


def _written(kind: str, value: float) -> str:
    return f"{value:.1f} ms" if kind == "latency" else written(kind, value)


def costs_for(cost: Cost, latency: float | None, panels: int) -> tuple[float | None, ...]:
    """The figures of so many panels."""
    return (cost.multiply_adds, cost.parameters, cost.memory, latency)[:panels]


def plot_form(scaled: Form, path: str | Path) -> Path:
    """Draw rows of bars for the form that fits, for that of the card and for those around it; dashed is the budget.

    Raises:
        UsageError: the suffix is none of .svg, .png, .pdf.
        StriateError: matplotlib is not installed.
    """
    panels = panels_for(dict(scaled.limits))
    rows = tuple(_rows(scaled, len(panels)))
    about = (
        "Multiply-adds, parameters and memory of weights and activations for one image, whatever the weights; dashed: "
    )
    about += "the budget."
    if scaled.forms is not None:
        growth = listed([f"{axis} ×{factor:g}" for axis, factor in scaled.forms.growth.items()])
        about += f" A step of phi: {growth}. phi 0: the network of the card."
    blocks = [Block("", rows)]
    title = f"{scaled.spec.name} scaled to a budget: images of {sizes((scaled.input_size,) * 2)}"
    with sheet(path, height_of(blocks), title, about=about, reading=reading(scaled)) as body:
        draw_bars(body, panels, blocks, longest=LONGEST_LABEL)
    return Path(path)


def reading(scaled: Form) -> str:
    """A sentence on the coefficients that fit the budget and what they cost of it."""
    factors = listed([f"{axis} ×{factor:.3f}" for axis, factor in scaled.factors.items()])
    spent = {**vars(scaled.cost), "latency": scaled.latency}
    costs = [
        f"{_written(kind, spent[kind])} {words} ({percent(spent[kind] / limit, 0)} of the {limit_written(kind, limit)} "
        "allowed)"
        for kind, words in LIMITS.items()
        if (limit := scaled.limits.get(kind)) and spent[kind] is not None
    ]
    return f"The largest form that fits has phi {scaled.phi:.2f}: {factors}; it costs {listed(costs)}."


def _rows(scaled: Form, panels: int) -> Iterator[Bars]:
    """From the smallest form to the largest; those that the family cannot be built in are left out."""
    others = {0.0} if scaled.forms is not None else set()
    if scaled.forms is not None:
        others |= {math.floor(scaled.phi) - step for step in range(AROUND)}
        others |= {math.ceil(scaled.phi) + step for step in range(AROUND)}
    for phi in sorted(others | {scaled.phi}):
        if phi == scaled.phi:
            values = costs_for(scaled.cost, scaled.latency, panels)
            yield Bars(_label(phi, dict(scaled.factors), scaled.input_size), values)
        elif scaled.forms is not None:
            try:
                cost = scaled.forms.cost(phi)
            except StriateError:
                continue
            label = _label(phi, scaled.forms.factors(phi), scaled.forms.at(phi)[1])
            yield Bars(label, costs_for(cost, None, panels), faint=True)


def _label(phi: float, factors: dict[str, float], side: int) -> str:
    grown = [f"{axis} ×{factor:.2f}" for axis, factor in factors.items() if axis != "resolution"]
    return ", ".join([f"phi {phi:.2f}".removesuffix(".00") + (":" if grown else ""), *grown, f"{side} px"]).replace(
        ":,", ":"
    )
