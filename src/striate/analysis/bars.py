"""Rows of bars: a name, and for each kind of figure a bar from zero, on one scale for all rows of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from striate.analysis.drawing import COLOURS, LONGEST_NAME, PAGE_WIDTH, SMALL, WORDS, literal, told_apart

#: Inches: a row; what is above the rows of a block; the words of a figure; and what is left beside and above it all.
ROW, HEADING, FIGURE, MARGIN = 0.15, 0.42, 0.52, 0.15
#: How many rows a picture on one page may have, in all of its blocks.
MOST_ROWS = 40


@dataclass(frozen=True)
class Panel:
    """One kind of figure.

    Attributes:
        title: what it is, with its unit.
        written: a figure as it is written beside its bar.
        limit: the most that is allowed, shown as a line; None where nothing is.
    """

    title: str
    written: Callable[[Any], str]
    limit: float | None = None


@dataclass(frozen=True)
class Bars:
    """One row.

    Attributes:
        name: what the figures are of.
        values: one for each panel; None where there is none.
        folded: they are the sum of several that are not shown, and have no bar.
        faint: it is there to be compared with.
    """

    name: str
    values: tuple[float | None, ...]
    folded: bool = False
    faint: bool = False


@dataclass(frozen=True)
class Block:
    """Rows under a heading."""

    heading: str
    rows: tuple[Bars, ...]


def height_of(blocks: Sequence[Block]) -> float:
    """Inches that they take on a sheet: with its words a page at most, where they keep to `MOST_ROWS`."""
    return MARGIN + sum(HEADING + ROW * max(len(block.rows), 1) for block in blocks)


def folded(rows: Sequence[Bars], most: int) -> tuple[Bars, ...]:
    """At most `most` rows in their order: those with the largest share of any figure, and below them the others' sum.

    Nothing is folded where `most` rows are enough, so the sums are the same in any case.
    """
    if len(rows) <= most:
        return tuple(rows)
    totals = [sum(row.values[panel] or 0 for row in rows) for panel in range(len(rows[0].values))]

    def largest_share(row: Bars) -> float:
        return max((value or 0) / total for value, total in zip(row.values, totals, strict=True) if total)

    order = sorted(range(len(rows)), key=lambda place: -largest_share(rows[place]))  # the first of equal ones
    kept = sorted(order[: most - 1])
    left = [rows[place] for place in sorted(order[most - 1 :])]
    sums = tuple(sum(row.values[panel] or 0 for row in left) for panel in range(len(totals)))
    return (*(rows[place] for place in kept), Bars(f"and {len(left)} others", sums, folded=True))


def draw_bars(body: Any, panels: Sequence[Panel], blocks: Sequence[Block], longest: int = LONGEST_NAME) -> None:
    """Draw each block's rows, the first on top, and one column of bars for each panel, onto a part of a figure.

    Names are cut to `longest` letters.
    """
    names = told_apart([row.name for block in blocks for row in block.rows], longest)
    widest = max(map(len, names), default=0) * 0.6 * SMALL / 72
    column = (PAGE_WIDTH - widest - 0.3) / len(panels)
    grid = body.subplots(
        len(blocks),
        len(panels),
        squeeze=False,
        height_ratios=[HEADING + ROW * len(block.rows) for block in blocks],
    )
    for number, panel in enumerate(panels):
        values = [row.values[number] or 0 for block in blocks for row in block.rows if not row.folded]
        top = max([*values, panel.limit or 0]) or 1
        for axis, block in zip(grid[:, number], blocks, strict=True):
            _column(axis, panel, COLOURS[number % len(COLOURS)], block.rows, number)
            axis.set_xlim(0, top * column / (column - FIGURE))  # room for the figures
            axis.set_ylim(max(len(block.rows), 1) - 0.4, -0.6)
        grid[0, number].set_title(panel.title, loc="left", fontsize=WORDS, color=COLOURS[number % len(COLOURS)])
    place = 0
    for row, block in enumerate(blocks):
        shown = names[place : place + len(block.rows)]
        place += len(block.rows)
        grid[row, 0].set_yticks(range(len(shown)), list(map(literal, shown)), fontsize=SMALL)
        if block.heading:
            _head(grid[row, 0], block.heading, first=row == 0)


def _column(axis: Any, panel: Panel, colour: str, rows: Sequence[Bars], number: int) -> None:
    # a bar for a sum would dwarf those beside it
    lengths = [0 if row.folded else row.values[number] or 0 for row in rows]
    bars = axis.barh(range(len(rows)), lengths, color=colour, height=0.72)
    for position, (length, row, bar) in enumerate(zip(lengths, rows, bars, strict=True)):
        bar.set_alpha(0.35 if row.faint else 1)
        value = row.values[number]
        if value:
            axis.annotate(
                f"{panel.written(value)}{' in all' if row.folded else ''}", (length, position), xytext=(2.5, 0),
                textcoords="offset points", va="center_baseline", fontsize=SMALL, color="0.2",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            )  # fmt: skip
    if panel.limit is not None:
        axis.axvline(panel.limit, color="black", linewidth=1, linestyle="--", zorder=1.5)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.tick_params(left=False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _head(axis: Any, heading: str, *, first: bool) -> None:
    """The name of a block above its rows; in the first one also above the titles of the panels."""
    axis.annotate(
        literal(heading), (0, 1), xytext=(0, 16 if first else 4), xycoords="axes fraction", textcoords="offset points",
        fontsize=WORDS, fontweight="bold", va="bottom",
    )  # fmt: skip
