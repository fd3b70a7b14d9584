"""The picture of a recommendation: the networks that fit, their published accuracy, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from striate.analysis.bars import MOST_ROWS, Bars, Block, Panel, draw_bars, height_of
from striate.analysis.drawing import sheet
from striate.errors import UsageError
from striate.models.recommendation import Recommendation, in_proportion
from striate.models.scaling_plot import costs_for, panels_for
from striate.units import count, percent, sizes, whole


def plot_recommendations(
    found: Sequence[Recommendation], path: str | Path, *, images: int, size: int, limits: Mapping[str, float]
) -> Path:
    """Draw a row of bars for each network, the best first: accuracy, multiply-adds, parameters, memory, latency.

    Args:
        found: what `recommend` answered.
        path: an .svg, .png or .pdf file.
        images: as `recommend` was asked.
        size: likewise.
        limits: likewise.

    Raises:
        UsageError: another suffix, or more networks than fit on a page.
        StriateError: matplotlib is not installed.
    """
    if not 1 <= len(found) <= MOST_ROWS:
        raise UsageError(f"{len(found)} networks to draw; a page has room for 1 to {MOST_ROWS}")
    costs = panels_for(dict(limits))
    panels = [Panel("top-1 (%)", lambda value: f"{value:.1f}"), *costs]
    rows = tuple(
        Bars(
            f"{one.name}, {one.input_size} px",
            (
                None if one.accuracy is None else 100 * one.accuracy,
                *costs_for(one.cost, one.latency, len(costs)),
            ),
        )
        for one in found
    )
    about = (
        f"Published top-1 on {found[0].measured_on}, and the costs of one image, whatever the weights"
        f"{'; dashed: the budget' if limits else ''}."
    )
    title = f"Networks for {whole(images)} images of {sizes((size, size))}"
    blocks = [Block("", rows)]
    with sheet(path, height_of(blocks), title, about=about, reading=reading(found[0], images)) as body:
        draw_bars(body, panels, blocks)
    return Path(path)


def reading(best: Recommendation, images: int) -> str:
    """A sentence on the first network: how accurate, with which weights, and what it costs of what is worth it."""
    accuracy = f"with {percent(best.accuracy)} at {best.input_size} px" if best.accuracy is not None else "by rank"
    start = f"from its weights '{best.weights}'" if best.weights else "from random weights"
    worth = in_proportion(images, best.input_size)
    return (
        f"{best.name} is the most accurate that fits, {accuracy}, and starts {start}; an image costs it "
        f"{count(best.cost.multiply_adds)} multiply-adds, {percent(best.cost.multiply_adds / worth, 0)} of the "
        f"{count(worth)} that so many images are worth."
    )
