"""Where memory, parameters and arithmetic lie in a network, as bars; several networks stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from striate.analysis.costs import Costs
from striate.analysis.drawing import figure, save
from striate.analysis.rows import Row
from striate.errors import UsageError
from striate.units import binary_size, count

#: Title of each panel, the row's attribute, and how a bar's value is written.
PANELS = (
    ("memory of outputs", "activation_bytes", binary_size),
    ("parameters", "parameters", partial(count, tenths=True)),
    ("multiply-adds", "multiply_adds", partial(count, tenths=True)),
)
MOST_BARS = 48
MOST_NETWORKS = 6
LONGEST_NAME = 28


def _costly(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if any(getattr(row, attribute) for _, attribute, _ in PANELS)]


def _shown(summary: Costs, depth: int | None) -> list[Row]:
    """The rows at `depth`; without one at the greatest depth that gives at most `MOST_BARS` bars.

    Where one level has too many and the next too few, layers without parameters and arithmetic are left out first.
    """
    if depth is not None:
        return _costly(summary.collapsed(depth))
    deepest = max((row.depth for row in summary.rows), default=1)
    shown = _costly(summary.collapsed(1))
    for level in range(deepest, 1, -1):
        rows = _costly(summary.collapsed(level))
        weighted = [row for row in rows if row.parameters or row.multiply_adds]
        if len(rows) <= MOST_BARS:
            return rows
        if len(shown) < MOST_BARS / 4 and len(weighted) <= MOST_BARS:
            return weighted
    return shown


def plot_summaries(
    summaries: Sequence[Costs],
    path: str | Path,
    depth: int | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Path:
    """Draw three bar charts per network, one network beside the other, and write the picture to `path`.

    Bars run from the first layer, on top, to the last; the axes of one kind of cost are the same for all networks.

    Args:
        summaries: the networks.
        path: an .svg, .png or .pdf file.
        depth: levels of modules to show; by default as many as give a readable number of bars.
        names: of the networks; by default their classes.

    Raises:
        UsageError: the suffix is none of those, or more networks than fit beside each other.
        StriateError: matplotlib is not installed.
    """
    if not 1 <= len(summaries) <= MOST_NETWORKS:
        raise UsageError(f"{len(summaries)} networks to draw; bars by layer are readable for 1 to {MOST_NETWORKS}")
    rows = [_shown(summary, depth) for summary in summaries]
    titles = names or [summary.name for summary in summaries]
    most = max(map(len, rows))
    drawn = figure(path, max(11.0, 9.0 * len(summaries)), max(3.0, 1.4 + 0.19 * most))
    blocks = drawn.subfigures(1, len(summaries), squeeze=False)[0]
    for block, title, network_rows in zip(blocks, titles, rows, strict=True):
        block.suptitle(title, fontsize=12, fontweight="bold")
        axes = block.subplots(1, len(PANELS), sharey=True)
        for number, axis in enumerate(axes):
            top = max((getattr(row, PANELS[number][1]) for shown in rows for row in shown), default=0)
            _panel(axis, number, network_rows, top or 1)
        axes[0].set_yticks(range(len(network_rows)), [_label(row.name) for row in network_rows], fontsize=7)
        axes[0].set_ylim(most - 0.4, -0.6)
    return save(drawn, path)


def _panel(axis: Any, number: int, rows: Sequence[Row], top: float) -> None:
    title, attribute, written = PANELS[number]
    values = [getattr(row, attribute) for row in rows]
    axis.barh(range(len(rows)), values, color=f"C{number}", height=0.72)
    for position, value in enumerate(values):
        if value:
            axis.text(value + 0.012 * top, position, written(value), va="center", fontsize=6, color="0.25")
    axis.set_title(title, loc="left", fontsize=9)
    axis.set_xlim(0, 1.24 * top)  # room for the values
    axis.set_xticks([])
    axis.tick_params(left=False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _label(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else "…" + name[1 - LONGEST_NAME :]
