"""Accuracy against multiply-adds against parameters: a chart with a bubble per network.

A few networks have their names beside their bubbles. Many have numbers there, in the order of their accuracy, and the
names are listed below: as many names in one place could not be read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.analysis.drawing import COLOURS, SMALL, literal, log_ticks, sheet, told_apart
from striate.analysis.entry import Entry
from striate.analysis.places import Mark, label
from striate.errors import StriateError
from striate.units import count, percent, plural, trimmed

#: Area of a bubble in square points per million parameters, where they are few and where they are many.
AREA, AREA_OF_MANY = 3.5, 2.0
#: Sizes that the key shows, in parameters.
KEY = (1_000_000, 10_000_000, 50_000_000, 150_000_000)
#: Inches of the chart, of the key to areas, of a line of the key to colours, and of one of the list of names.
CHART, AREAS, COLOUR_LINE, LINE = 4.3, 0.42, 0.17, 0.13
#: So many networks have their names at their bubbles.
MOST_NAMES = 20
#: Columns of the key to colours and of the list.
COLOUR_COLUMNS, COLUMNS = 4, 3
#: What stands in the key for the families that have no colour of their own, and theirs.
OTHERS, OTHER = "other families", "0.6"
#: How near, in points of accuracy, a network comes to the best one that the reading compares it with.
NEAR = 5


def plot_accuracy(entries: Sequence[Entry], path: str | Path) -> Path:
    """Draw the entries that have an accuracy: top-1 over multiply-adds (logarithmic), a bubble's area its parameters.

    Raises:
        StriateError: none has one, or matplotlib is not installed.
    """
    shown = [entry for entry in entries if entry.accuracy is not None and entry.summary.multiply_adds]
    if not shown:
        elsewhere = ", ".join(f"{entry.name}: {entry.accuracy_source}" for entry in entries if entry.accuracy_source)
        raise StriateError(
            "none of these networks has a published top-1 on ImageNet in its form and at its size"
            f"{f' ({elsewhere})' if elsewhere else ''}, so there is nothing to draw"
        )
    shown.sort(key=lambda entry: (-(entry.accuracy or 0), entry.name))
    about = "Published accuracy of trained weights, each at the size of image that it was measured at."
    if len(shown) < len(entries):
        about += f" Left out, as they have none: {len(entries) - len(shown)} of {len(entries)}."
    title = f"Accuracy against cost of {plural(len(shown), 'network')}"
    numbered = len(shown) > MOST_NAMES
    colours = _colours([entry.group for entry in shown])
    key = COLOUR_LINE * math.ceil(len(colours) / COLOUR_COLUMNS)
    lines = math.ceil(len(shown) / COLUMNS) if numbered else 0
    parts = [CHART, AREAS + key, LINE * lines] if numbered else [CHART, AREAS + key]
    with sheet(path, sum(parts), title, about=about, reading=reading(shown)) as body:
        chart, keys, *below = body.subfigures(len(parts), 1, squeeze=False, height_ratios=parts)[:, 0]
        axis = chart.subplots()
        area = AREA_OF_MANY if numbered else AREA
        _draw(axis, shown, colours, area)
        _key(keys, colours, area, key)
        names = told_apart([entry.name for entry in shown], longer=0)
        if numbered:
            _list(below[0], names, lines)
            names = [str(number) for number in range(1, len(shown) + 1)]
        label(axis, _marks(shown, names, area))
    return Path(path)


def reading(entries: Sequence[Entry]) -> str:
    """A sentence on the most accurate network, and on what the cheapest one that comes near it saves."""
    best = max(entries, key=_accuracy)
    cost = best.summary.multiply_adds
    said = f"Most accurate is {best.name}, {percent(_accuracy(best))} for {count(cost)} multiply-adds"
    near = [entry for entry in entries if _accuracy(best) - _accuracy(entry) <= NEAR / 100]
    cheapest = min(near, key=lambda entry: entry.summary.multiply_adds)
    if cheapest is best:
        return f"{said}; none within {NEAR} points of it costs less."
    return (
        f"{said}; {cheapest.name} comes within {NEAR} points of it ({percent(_accuracy(cheapest))}) for "
        f"{percent(cheapest.summary.multiply_adds / cost)} of them."
    )


def _accuracy(entry: Entry) -> float:
    return entry.accuracy or 0.0


def _marks(entries: Sequence[Entry], names: Sequence[str], area: float) -> list[Mark]:
    """What stands at each bubble; those of small bubbles are placed first."""
    marks = [
        Mark(
            name,
            entry.summary.multiply_adds,
            100 * _accuracy(entry),
            math.sqrt(area * entry.summary.parameters / 1e6 / math.pi),
        )
        for entry, name in zip(entries, names, strict=True)
    ]
    return sorted(marks, key=lambda mark: mark.radius)


def _colours(groups: Sequence[str]) -> dict[str, str]:
    """Colours for the groups of several networks, as many as can be told apart; all others share one."""
    counts = Counter(group for group in groups if group)
    several = [group for group, number in counts.items() if number > 1]
    most = sorted(several, key=lambda group: (-counts[group], group))[: len(COLOURS)]
    found = dict(zip(sorted(most), COLOURS, strict=False))
    return {**found, OTHERS: OTHER} if found and set(groups) - set(found) else found


def _draw(axis: Any, entries: Sequence[Entry], colours: Mapping[str, str], area: float) -> None:
    entries = sorted(entries, key=lambda entry: -entry.summary.parameters)  # small bubbles above large ones
    costs = [entry.summary.multiply_adds for entry in entries]
    heights = [100 * _accuracy(entry) for entry in entries]
    axis.scatter(
        costs,
        heights,
        s=[area * entry.summary.parameters / 1e6 for entry in entries],
        c=[colours.get(entry.group, OTHER) for entry in entries],
        alpha=0.55,
        edgecolors="0.3",
        linewidths=0.5,
    )
    _set_axes(axis, costs, heights)


def _set_axes(axis: Any, costs: Sequence[float], heights: Sequence[float]) -> None:
    ends = min(costs) / 1.6, max(costs) * 1.8
    axis.set_xscale("log")
    axis.set_xlim(*ends)
    margin = max(1.5, 0.08 * (max(heights) - min(heights)))
    axis.set_ylim(min(heights) - margin, max(heights) + margin)
    log_ticks(axis.xaxis, *ends, _round_count)
    axis.set_xlabel("multiply-adds for one image, at each network's own input size")
    axis.set_ylabel("published top-1 on ImageNet, %")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _round_count(value: float) -> str:
    """A round number without its zeros: 50 M."""
    return trimmed(count(round(value)))


def _key(keys: Any, colours: Mapping[str, str], area: float, height: float) -> None:
    """What a bubble's area means and, in so many inches below, which family has which colour."""
    from matplotlib.lines import Line2D

    def bubble(size: float, colour: str) -> Line2D:
        style: Any = {"color": "none", "markerfacecolor": colour, "markeredgecolor": "0.3", "alpha": 0.55}
        return Line2D([], [], marker="o", markersize=2 * math.sqrt(size / math.pi), markeredgewidth=0.5, **style)

    style: Any = {"frameon": False, "fontsize": SMALL, "loc": "center left", "handletextpad": 0.8, "handlelength": 3}
    keys.legend(
        [Line2D([], [], color="none"), *(bubble(area * size / 1e6, OTHER) for size in KEY)],
        ["area: parameters", *map(_round_count, KEY)],
        ncols=1 + len(KEY),
        bbox_to_anchor=(0, 1 - AREAS / 2 / (AREAS + height)),
        **style,
    )
    if colours:
        keys.legend(
            [bubble(25, colour) for colour in colours.values()],
            list(colours),
            ncols=COLOUR_COLUMNS,
            bbox_to_anchor=(0.04, height / 2 / (AREAS + height)),
            **style,
        )


def _list(below: Any, names: Sequence[str], lines: int) -> None:
    """Which number is which network, in columns."""
    digits = len(str(len(names)))
    for place, name in enumerate(names):
        column, line = divmod(place, lines)
        number = str(place + 1).rjust(digits, "\u2007")  # a blank as wide as a digit
        where = 0.02 + column / COLUMNS, 1 - (line + 0.75) / lines
        below.text(*where, literal(f"{number}  {name}"), fontsize=SMALL)
