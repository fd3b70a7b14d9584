"""Gradient norms of several networks side by side: text, Markdown, CSV, a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from striate.analysis.drawing import figure, save
from striate.analysis.gradients import Gradients, LayerGradient
from striate.errors import UsageError

MEANING = "Root mean square of the loss's gradient with respect to each layer's weights, one backward pass."
MOST_LINES = 12
TABLE_WIDTH = 132


def aligned(runs: Sequence[Gradients]) -> list[tuple[str, list[LayerGradient | None]]]:
    """Each layer's name with its gradient in every run, None where a network has no such layer, in their order."""
    names: list[str] = []
    for run in runs:
        place = 0
        for layer in run.layers:
            if layer.name in names:
                place = names.index(layer.name) + 1
            else:
                names.insert(place, layer.name)
                place += 1
    found = [{layer.name: layer for layer in run.layers} for run in runs]
    return [(name, [layers.get(name) for layers in found]) for name in names]


def _grid(runs: Sequence[Gradients], headers: Sequence[str]) -> list[list[str]]:
    rows = [["layer", *headers]]
    for name, layers in aligned(runs):
        rows.append([name, *("" if layer is None else f"{layer.gradient_rms:.2e}" for layer in layers)])
    rows.append(["first / last", *(f"{run.first_to_last:.2e}" for run in runs)])
    rows.append(["loss", *(f"{run.loss:.4g}" for run in runs)])
    return rows


def text(runs: Sequence[Gradients]) -> str:
    """An aligned table, a column for each network; numbered ones where the names would not fit side by side."""
    labels = [run.label for run in runs]
    lines = _lines(_grid(runs, labels))
    below: list[str] = []
    if max(map(len, lines)) > TABLE_WIDTH:
        lines = _lines(_grid(runs, [f"({number})" for number in range(1, len(runs) + 1)]))
        below = [f"({number}) {label}" for number, label in enumerate(labels, 1)]
    rule = "─" * max(map(len, lines))
    return "\n".join([MEANING, rule, lines[0], rule, *lines[1:-2], rule, *lines[-2:], *below])


def _lines(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def markdown(runs: Sequence[Gradients]) -> str:
    """A Markdown table, a column for each network."""
    header, *rows = [[cell.replace("|", "\\|") for cell in row] for row in _grid(runs, [run.label for run in runs])]
    lines = [f"| {' | '.join(header)} |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), "", MEANING, ""])


def csv_text(runs: Sequence[Gradients]) -> str:
    """A line for each layer of each network, with a header."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["network", "layer", "type", "weights", "weight_norm", "gradient_norm", "gradient_rms"])
    for run in runs:
        for layer in run.layers:
            figures = (layer.weights, layer.weight_norm, layer.gradient_norm, layer.gradient_rms)
            writer.writerow([run.label, layer.name, layer.type, *figures])
    return written.getvalue()


def plot_gradients(runs: Sequence[Gradients], path: str | Path) -> Path:
    """A line for each network, from its first layer to its last, on a logarithmic axis; .svg, .png or .pdf.

    Raises:
        UsageError: another ending, or more networks than can be told apart.
        StriateError: the file cannot be written.
    """
    if not 1 <= len(runs) <= MOST_LINES:
        raise UsageError(f"{len(runs)} networks to draw; lines are readable for 1 to {MOST_LINES}")
    drawn = figure(path, 9.0, 5.0)
    from matplotlib.ticker import MaxNLocator  # after `figure` has said it where matplotlib is missing

    axes = drawn.subplots()
    for number, run in enumerate(runs):
        values = [layer.gradient_rms or float("nan") for layer in run.layers]  # a gradient of zero has no place here
        places = range(1, len(values) + 1)
        axes.plot(places, values, "-" if number < 6 else "--", marker="o", markersize=3, linewidth=1.5, label=run.label)
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("layer with weights, from the input")
    axes.set_ylabel("gradient, root mean square")
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return save(drawn, path)
