"""The picture of gradient norms by layer, and what it says: whether the gradient vanishes, explodes or stays level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from striate.analysis.drawing import COLOURS, SMALL, listed, literal, log_ticks, sheet
from striate.analysis.gradients import Gradients
from striate.errors import UsageError
from striate.text_tables import shortened
from striate.units import plural, whole

MOST_LINES = 12
#: Up to this factor between output and input a gradient is said to stay level; beyond the other it is said to vanish
#: or explode, and in between to shrink or grow. Words of ours: the field draws no line.
LEVEL, FAR = 10, 100
#: How a line is drawn: so many networks have solid ones, the others dashed ones in the same colours.
SOLID = 6
#: Inches of the chart and of a line of the key.
CHART, LINE = 3.5, 0.16
LONGEST_LABEL, LONGEST_TITLE = 56, 44
MEASURED = "Root mean square of the loss's gradient with respect to the weights, one backward pass"


def towards_input(run: Gradients) -> float:
    """By how much the gradient grows on its way from the output to the input; below 1 it shrinks.

    The median of the first quarter of the layers (at least one) over that of the last: single layers stand out, such as
    a classifier, whose inputs are of another size than those of other layers. NaN where none reaches the last ones.
    """
    values = [layer.gradient_rms for layer in run.layers]
    quarter = max(1, len(values) // 4)
    first, last = median(values[:quarter]), median(values[-quarter:])
    return first / last if last else math.nan


def verdict(factor: float) -> str:
    """What a gradient does that is `factor` times as large at the input as at the output."""
    if not math.isfinite(factor):
        return "cannot be told"
    if factor < 1 / FAR:
        return "vanishes"
    if factor > FAR:
        return "explodes"
    return "shrinks" if factor < 1 / LEVEL else "grows" if factor > LEVEL else "stays level"


def factor_text(factor: float) -> str:
    """Such as "×0.41", "×2,800" or, far below 1, "1/5.2e+07"."""
    if not math.isfinite(factor):
        return "no gradient at the output"
    if 0 < factor < 1 / FAR:
        return f"1/{_number(1 / factor)}"
    return f"×{_number(factor)}"


def _number(value: float) -> str:
    """Two figures, and no exponent below a million."""
    rounded = float(f"{value:.2g}")
    return whole(rounded) if 10 <= rounded < 1e6 else f"{rounded:g}"


def reading(runs: Sequence[Gradients]) -> str:
    """A sentence on what the gradient does from the output to the input; of several networks, in which it does what."""
    factors = [towards_input(run) for run in runs]
    way = "From the output to the input (last quarter of the layers to the first, medians)"
    if len(runs) == 1:
        return f"{way} the gradient {verdict(factors[0])}: {factor_text(factors[0])}."
    found: dict[str, list[str]] = {}
    for run, factor in zip(runs, factors, strict=True):
        found.setdefault(verdict(factor), []).append(f"{shortened(run.label, LONGEST_TITLE)} ({factor_text(factor)})")
    said = [
        f"{word} in {listed(names) if len(names) <= 2 else f'{len(names)} of {len(runs)} networks'}"
        for word, names in found.items()
    ]
    return f"{way} the gradient {listed(said)}."


def plot_gradients(runs: Sequence[Gradients], path: str | Path) -> Path:
    """A line for each network, from its first layer to its last, on a logarithmic axis; .svg, .png or .pdf.

    Raises:
        UsageError: another ending, or more networks than can be told apart.
        StriateError: the file cannot be written.
    """
    if not 1 <= len(runs) <= MOST_LINES:
        raise UsageError(f"{len(runs)} networks to draw; lines are readable for 1 to {MOST_LINES}")
    alone = len(runs) == 1
    title = (
        f"Gradient by layer {f'of {shortened(runs[0].label, LONGEST_TITLE)}' if alone else f'in {len(runs)} networks'}"
    )
    height = CHART + (0 if alone else LINE * len(runs))
    with sheet(path, height, title, about=_about(runs), reading=reading(runs)) as body:
        _draw(body.subplots(), runs)
        if not alone:
            body.legend(loc="outside lower left", ncols=1, fontsize=SMALL, frameon=False, labelspacing=0.3)
    return Path(path)


def _about(runs: Sequence[Gradients]) -> str:
    """The weights, where all have the same, the images and the layers that have no place on a logarithmic axis."""
    weights = {run.weights for run in runs}
    images = {run.images for run in runs}
    said = [weights.pop()] if len(weights) == 1 else ["weights as the key says"]
    said += [images.pop()] if len(images) == 1 else ["each network on images of its own"]
    zero = sum(not layer.gradient_rms for run in runs for layer in run.layers)
    said += [f"not drawn: {plural(zero, 'layer')} whose gradient is 0"] if zero else []
    return f"{'; '.join(filter(None, [MEASURED, *said]))}."


def _draw(axes: Any, runs: Sequence[Gradients]) -> None:
    from matplotlib.ticker import MaxNLocator

    same = len({run.weights for run in runs}) == 1
    longest = max(len(run.layers) for run in runs)
    for number, run in enumerate(runs):
        values = [layer.gradient_rms or math.nan for layer in run.layers]  # a gradient of zero has no place here
        factor = towards_input(run)
        label = f"{shortened(run.label, LONGEST_LABEL)}{'' if same else f', {run.weights}'}"
        axes.plot(
            range(1, len(values) + 1),
            values,
            "-" if number < SOLID else "--",
            color=COLOURS[number % SOLID],
            marker="o",
            markersize=3 if longest <= 60 else 1.5,
            linewidth=1.3,
            label=literal(f"{label}: {verdict(factor)}, {factor_text(factor)}"),
        )
    axes.set_yscale("log")
    log_ticks(axes.yaxis, *axes.get_ylim())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.5, longest + 0.5)
    axes.set_xlabel("layer with weights, numbered from the input to the output")
    axes.set_ylabel("gradient, root mean square")
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
