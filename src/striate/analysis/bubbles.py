"""Accuracy against multiply-adds against parameters: a chart with a bubble per network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from striate.analysis.drawing import figure, save
from striate.analysis.entry import Entry
from striate.errors import StriateError
from striate.units import count, trimmed

#: Area of a bubble in square points per million parameters.
AREA = 7.0
#: Sizes that the key shows, in parameters.
KEY = (1_000_000, 10_000_000, 50_000_000, 150_000_000)


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
    shown.sort(key=lambda entry: -entry.summary.parameters)  # small bubbles above large ones
    drawn = figure(path, 13, 8.5)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    axis = drawn.subplots()
    groups = sorted({entry.group for entry in shown})
    colours = _colours(len(groups))
    costs = [entry.summary.multiply_adds for entry in shown]
    heights = [100 * (entry.accuracy or 0) for entry in shown]
    axis.scatter(
        costs,
        heights,
        s=[AREA * entry.summary.parameters / 1e6 for entry in shown],
        c=[colours[groups.index(entry.group)] for entry in shown],
        alpha=0.55,
        edgecolors="0.3",
        linewidths=0.5,
    )
    _set_axes(axis, costs, heights)
    _key(axis)
    FigureCanvasAgg(drawn)
    drawn.draw_without_rendering()  # sets the layout, so that places on the page are known
    _label_all(drawn, axis, shown, costs, heights)
    return save(drawn, path)


def _colours(count: int) -> list[Any]:
    from matplotlib import colormaps

    names = ("tab10",) if count <= 10 else ("tab20", "tab20b")
    wheel = [colour for name in names for colour in colormaps[name].colors]  # type: ignore[attr-defined]
    return [wheel[i % len(wheel)] for i in range(count)]


def _set_axes(axis: Any, costs: Sequence[float], heights: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_xscale("log")
    axis.set_xlim(min(costs) / 1.6, max(costs) * 1.8)
    margin = max(1.5, 0.08 * (max(heights) - min(heights)))
    axis.set_ylim(min(heights) - margin, max(heights) + margin)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _round_count(value)))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("multiply-adds for one image, at each network's own input size")
    axis.set_ylabel("published top-1 on ImageNet, %")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _round_count(value: float) -> str:
    """A round number without its zeros: 50 M."""
    return trimmed(count(round(value)))


def _key(axis: Any) -> None:
    """What a bubble's area means, in the lower right corner."""
    handles = [axis.scatter([], [], s=AREA * size / 1e6, color="0.6", alpha=0.55, edgecolors="0.3") for size in KEY]
    labels = [_round_count(size) for size in KEY]
    axis.legend(
        handles, labels, title="parameters", loc="lower right", labelspacing=1.6, borderpad=1.2, handletextpad=1.6
    )


def _offsets(radius: float) -> Iterator[tuple[float, float]]:
    """Places for a label around its bubble in points, nearest first."""
    for distance in (radius + 2, radius + 9, radius + 18, radius + 30, radius + 45, radius + 62):
        for angle in (0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240):
            yield distance * math.cos(math.radians(angle)), distance * math.sin(math.radians(angle))


def _label_all(
    drawn: Any, axis: Any, entries: Sequence[Entry], costs: Sequence[float], heights: Sequence[float]
) -> None:
    """Put each name where it covers neither another name nor the middle of a bubble; thin lines lead to far ones."""
    from matplotlib.transforms import Bbox

    points_to_pixels = drawn.dpi / 72
    renderer = drawn.canvas.get_renderer()
    frame = axis.get_window_extent(renderer)
    centres = axis.transData.transform(list(zip(costs, heights, strict=True)))
    taken = [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in centres]
    taken.append(axis.get_legend().get_window_extent(renderer))
    order = sorted(range(len(entries)), key=lambda i: entries[i].summary.parameters)
    for index in order:
        radius = math.sqrt(AREA * entries[index].summary.parameters / 1e6 / math.pi)
        near = min(radius, 14.0)  # names of large bubbles stand inside them
        text = axis.annotate(entries[index].name, (costs[index], heights[index]), fontsize=7)
        box = text.get_window_extent(renderer)
        text.remove()
        for dx, dy in _offsets(near):
            across = 0 if abs(dx) < 1 else math.copysign(box.width / 2, dx)
            x = centres[index][0] + dx * points_to_pixels + across
            y = centres[index][1] + dy * points_to_pixels
            place = Bbox.from_bounds(x - box.width / 2 - 1, y - box.height / 2, box.width + 2, box.height)
            inside = frame.x0 < place.x0 and place.x1 < frame.x1 and frame.y0 < place.y0 and place.y1 < frame.y1
            if inside and not any(place.overlaps(other) for other in taken):
                taken.append(place)
                far = math.hypot(dx, dy) > near + 6
                axis.annotate(
                    entries[index].name,
                    (costs[index], heights[index]),
                    xytext=((x - centres[index][0]) / points_to_pixels, (y - centres[index][1]) / points_to_pixels),
                    textcoords="offset points",
                    ha="center",
                    va="center",
                    fontsize=7,
                    arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "0.5", "shrinkA": 0} if far else None,
                )
                break
