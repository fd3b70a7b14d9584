"""Charts as inline SVG: drawn by matplotlib, coloured by the page's style sheet, the same bytes every time.

A chart is drawn in stand-in colours, which are then replaced by the page's CSS variables: so it follows a
light or a dark page. Text stays text, in the page's font; sizes are in CSS pixels at full scale.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from markupsafe import Markup, escape

from striate.training.metrics import Calibration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Stand-in colour to CSS variable.
INK = {
    "#010203": "var(--muted)",
    "#010204": "var(--line)",
    "#010205": "var(--train)",
    "#010206": "var(--val)",
}
MUTED, LINE, TRAIN, VAL = INK
WIDTH, HEIGHT, SQUARE, FONT = 280, 190, 320, 11


class Curve(NamedTuple):
    """One line of a chart, `values[i]` at `epochs[i]`; NaN leaves a gap; the colour is a stand-in."""

    label: str
    epochs: Sequence[float]
    values: Sequence[float]
    colour: str


def curves(name: str, lines: Sequence[Curve], *, share: bool = False, from_zero: bool = False) -> Markup:
    """A chart of values against epochs, or "" where no value is finite.

    Args:
        name: what is drawn; also keeps the chart's ids apart from other charts'.
        lines: the curves.
        share: values are shares in [0, 1], printed in percent.
        from_zero: the vertical axis starts at 0.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    values = np.array([value for line in lines for value in line.values], dtype=float)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Markup("")
    with _canvas(name, _described(name, lines, share)) as chart:
        axes: Axes = chart.axes
        epochs = [epoch for line in lines for epoch in line.epochs]
        for line in lines:
            drawn = np.where(np.isfinite(line.values), line.values, np.nan).astype(float)
            axes.plot(line.epochs, drawn, color=line.colour, linewidth=1.75, solid_capstyle="round")
            alone = _isolated(drawn)
            axes.plot(np.asarray(line.epochs)[alone], drawn[alone], "o", color=line.colour, markersize=4.5)
        axes.margins(x=0.02)
        if len(set(epochs)) == 1:
            axes.set_xlim(epochs[0] - 0.5, epochs[0] + 0.5)
        wide = not share and not from_zero and finite.min() > 0 and finite.max() / finite.min() > 30
        if wide:
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.minorticks_off()
        else:
            axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
            if from_zero:
                axes.set_ylim(0, float(finite.max()) * 1.06 or 1.0)
            if share:
                spread = max(float(np.ptp(finite)), 0.02)
                axes.set_ylim(max(0.0, finite.min() - 0.06 * spread), min(1.0, finite.max() + 0.06 * spread) + 1e-3)
                axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g} %"))
            else:
                axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
        axes.grid(axis="y", color=LINE, linewidth=1)
        axes.set_xlabel("epoch", loc="right")
    return chart.svg


def reliability(calibration: Calibration) -> Markup:
    """Accuracy against confidence, a dot for each bin by its share of images, and the ideal diagonal."""
    from matplotlib.ticker import FuncFormatter

    text = f"Reliability diagram; expected calibration error {calibration.ece:.1%}"
    with _canvas("reliability", text, SQUARE, SQUARE) as chart:
        axes: Axes = chart.axes
        used = calibration.images > 0
        confidence, accuracy = calibration.confidence[used], calibration.accuracy[used]
        share = calibration.images[used] / calibration.images.sum()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(3, 3))
        axes.vlines(confidence, confidence, accuracy, color=VAL, linewidth=1 + 6 * np.sqrt(share), clip_on=False)
        axes.scatter(confidence, accuracy, s=12 + 160 * share, color=TRAIN, zorder=3, clip_on=False)
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.03)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %"))
        axes.grid(color=LINE, linewidth=1)
        axes.set_xlabel("confidence", loc="right")
    return chart.svg


def confidence_histogram(right: np.ndarray, wrong: np.ndarray, bins: int = 15) -> Markup:
    """How many images were predicted with which confidence: the right ones, the wrong ones on top."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    edges = np.linspace(0, 1, bins + 1)
    low, high = np.histogram(right, edges)[0], np.histogram(wrong, edges)[0]
    with _canvas("confidence", "Histogram of confidence, right and wrong predictions", SQUARE) as chart:
        axes: Axes = chart.axes
        middle, width = (edges[:-1] + edges[1:]) / 2, 0.8 / bins
        axes.bar(middle, low, width, color=TRAIN, linewidth=0)
        axes.bar(middle, high, width, bottom=low, color=VAL, linewidth=0)
        axes.set_xlim(0, 1)
        axes.xaxis.set_ticks([0, 0.25, 0.5, 0.75, 1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %"))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(axis="y", color=LINE, linewidth=1)
        axes.set_xlabel("confidence", loc="right")
    return chart.svg


def agreement(name: str, true: np.ndarray, predicted: np.ndarray) -> Markup:
    """Predicted values against true ones, a dot for each image, and the diagonal on which they would agree."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    together = np.concatenate([true, predicted])
    low, high = float(together.min()), float(together.max())
    margin = 0.04 * (high - low) or 1.0
    with _canvas(f"agreement-{name}", f"{name}: predicted against true values", SQUARE, SQUARE) as chart:
        axes: Axes = chart.axes
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1, dashes=(3, 3))
        axes.scatter(true, predicted, s=9, color=TRAIN, alpha=0.55, linewidth=0, zorder=3)
        axes.set_xlim(low - margin, high + margin)
        axes.set_ylim(low - margin, high + margin)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=5))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
        axes.grid(color=LINE, linewidth=1)
        axes.set_xlabel("true", loc="right")
    return chart.svg


def precision_and_recall(
    name: str, recall: np.ndarray, precision: np.ndarray, at: tuple[float, float] | None
) -> Markup:
    """Precision at each recall, as steps, and a dot `at` the threshold in use."""
    from matplotlib.ticker import FuncFormatter

    with _canvas(f"precision-{name}", f"{name}: precision against recall", SQUARE, HEIGHT) as chart:
        axes: Axes = chart.axes
        axes.step([0, *recall], [precision[0], *precision], where="pre", color=TRAIN, linewidth=1.75)
        if at is not None:
            axes.plot(*at, "o", color=VAL, markersize=6, clip_on=False, zorder=3)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.03)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %"))
        axes.grid(color=LINE, linewidth=1)
        axes.set_xlabel("recall", loc="right")
    return chart.svg


class _Chart:
    axes: Any
    svg: Markup


@contextmanager
def _canvas(name: str, description: str, width: int = WIDTH, height: int = HEIGHT) -> Iterator[_Chart]:
    """Axes to draw on; when the block ends, `svg` is the finished chart."""
    from matplotlib import style
    from matplotlib.figure import Figure

    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "striate",
        "font.family": "DejaVu Sans",
        "font.size": FONT,
        "path.simplify": True,
        "path.simplify_threshold": 0.5,
        "axes.unicode_minus": True,
    }
    with style.context(["default", settings]):  # whatever the user's own matplotlibrc says
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        left, bottom, top = 44 / width, 36 / height, 1 - 8 / height
        axes = figure.add_axes((left, bottom, 1 - left - 16 / width, top - bottom))
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(MUTED)
        axes.tick_params(length=0, pad=6, labelcolor=MUTED)
        axes.xaxis.label.set_color(MUTED)
        chart = _Chart()
        chart.axes = axes
        yield chart
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True)
    chart.svg = _inline(buffer.getvalue(), name, description)


def _inline(svg: str, name: str, description: str) -> Markup:
    """The bare <svg> element of a matplotlib file: no namespaces, sizes or fonts, and ids of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.S)
    view = re.search(r'viewBox="[^"]+"', svg)
    assert view is not None
    label = f'role="img" aria-label="{escape(description)}"'
    svg = re.sub(r"<svg[^>]*>", f'<svg class="chart" {view[0]} {label}>', svg, count=1)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)  # older matplotlib's way
    svg = re.sub(r" ?font-family: [^;\"]*;?| transform=\"rotate\(-?0 [^\"]*\"", "", svg)
    svg = re.sub(r' id="(?:figure|axes|patch|line2d|matplotlib\.axis|xtick|ytick|text)_\d+"', "", svg)
    svg = re.sub(r' (?:d|x|y|width|height|transform)="[^"]+"', _two_decimals, svg)
    prefix = re.sub(r"\W+", "-", name)
    for used in sorted(set(re.findall(r' id="([^"]+)"', svg))):
        svg = re.sub(rf'((?: id="|#)){re.escape(used)}(?=["\)])', rf"\g<1>{prefix}-{used}", svg)
    for stand_in, variable in INK.items():
        svg = svg.replace(stand_in, variable)
    return Markup(re.sub(r">\s+<", "><", svg).strip())


def _two_decimals(attribute: re.Match[str]) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])


def _isolated(values: np.ndarray) -> np.ndarray:
    """Which values have no finite neighbour: a line would not show them."""
    known = np.pad(np.isfinite(values), 1)
    return known[1:-1] & ~known[:-2] & ~known[2:]


def _described(name: str, lines: Sequence[Curve], share: bool) -> str:
    parts = []
    for line in lines:
        known = [value for value in line.values if np.isfinite(value)]
        if known:
            first, last = (f"{value:.1%}" if share else f"{value:.4g}" for value in (known[0], known[-1]))
            parts.append(f"{line.label} from {first} to {last}")
    return f"{name}: {'; '.join(parts)}"
