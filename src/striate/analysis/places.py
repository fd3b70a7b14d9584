"""Where the labels of points in a chart go: beside their points, and none over another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from striate.analysis.drawing import SMALL, literal


@dataclass(frozen=True)
class Mark:
    """A point that wants a label.

    Attributes:
        text: the label.
        x: where it is, in the units of the axes.
        y: likewise.
        radius: of what is drawn there, in points.
    """

    text: str
    x: float
    y: float
    radius: float


#: A label may begin inside of a bubble that is wider than this, in points.
WIDE = 10.0


def label(axis: Any, marks: Sequence[Mark]) -> None:
    """Put each label, in this order, where it covers neither another one nor a point; thin lines lead to far ones."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    drawn = axis.get_figure(root=True)
    FigureCanvasAgg(drawn)
    drawn.draw_without_rendering()  # sets the layout, so that places on the page are known
    renderer = drawn.canvas.get_renderer()
    pixels = drawn.dpi / 72
    frame = axis.get_window_extent(renderer)
    centres = [axis.transData.transform((mark.x, mark.y)) for mark in marks]
    taken = [Bbox.from_bounds(x - 2, y - 2, 4, 4) for x, y in centres]
    for mark, (x, y) in zip(marks, centres, strict=True):
        text = axis.annotate(literal(mark.text), (mark.x, mark.y), fontsize=SMALL, ha="center", va="center")
        box = text.get_window_extent(renderer)
        text.remove()
        near = min(mark.radius, WIDE)
        for dx, dy in _offsets(near):  # none is left out: where all is taken the last place is as good as any
            across = 0 if abs(dx) < 1 else math.copysign(box.width / 2, dx)
            place = Bbox.from_bounds(
                x + dx * pixels + across - box.width / 2 - 1,
                y + dy * pixels - box.height / 2,
                box.width + 2,
                box.height,
            )
            inside = frame.x0 < place.x0 and place.x1 < frame.x1 and frame.y0 < place.y0 and place.y1 < frame.y1
            if inside and not any(place.overlaps(other) for other in taken):
                break
        taken.append(place)
        axis.annotate(
            literal(mark.text),
            (mark.x, mark.y),
            xytext=(dx + across / pixels, dy),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            arrowprops=(
                {"arrowstyle": "-", "lw": 0.4, "color": "0.5", "shrinkA": 0} if math.hypot(dx, dy) > near + 6 else None
            ),
        )


def _offsets(radius: float) -> Iterator[tuple[float, float]]:
    """Places for a label around its point in points, nearest first."""
    for distance in (2, 5, 9, 13, 18, 24, 30, 38, 46, 55, 65, 80, 100, 130):
        for angle in (0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240):
            turned = math.radians(angle)
            yield (radius + distance) * math.cos(turned), (radius + distance) * math.sin(turned)
