"""Gradient norms of several networks side by side: text, Markdown, CSV."""

from __future__ import annotations

from collections.abc import Sequence

from striate.analysis.gradients import Gradients, LayerGradient
from striate.text_tables import Column, Table, csv_text, described, shortened_path, wrapped

MEANING = "Root mean square of the loss's gradient with respect to each layer's weights, one backward pass."
#: Where nobody says how wide a table may be.
USUAL_WIDTH = 132
#: Columns that a layer's name has at least, and a network's figures with the gap before them at most.
NAME, FIGURES = 24, 11


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


def _table(runs: Sequence[Gradients], headers: Sequence[str]) -> Table:
    rows = [
        [name, *("" if layer is None else f"{layer.gradient_rms:.2e}" for layer in layers)]
        for name, layers in aligned(runs)
    ]
    totals = [
        ["first / last", *(f"{run.first_to_last:.2e}" for run in runs)],
        ["loss", *(f"{run.loss:.4g}" for run in runs)],
    ]
    layer = Column("layer", right=False, least=NAME, cut=shortened_path)
    return Table([layer, *map(Column, headers)], rows, totals)


def text(runs: Sequence[Gradients], width: int | None = None) -> str:
    """An aligned table, a column for each network; numbered ones where the names would not fit side by side.

    Of more networks than `width` has room for the tables stand below each other.
    """
    labels = [run.label for run in runs]
    if (table := _table(runs, labels)).fits(width or USUAL_WIDTH):
        return _lines([table], width)
    numbers = [f"({number})" for number in range(1, len(runs) + 1)]
    aside = len(runs) if width is None else max(1, (width - NAME) // FIGURES)
    parts = [slice(first, first + aside) for first in range(0, len(runs), aside)]
    tables = [_table(runs[part], numbers[part]) for part in parts]
    return "\n".join([_lines(tables, width), *map(" ".join, zip(numbers, labels, strict=True))])


def _lines(tables: Sequence[Table], width: int | None) -> str:
    said = dict(pair for table in tables for pair in table.left_out(width))
    lines = [wrapped(MEANING, width), *(table.text(width) for table in tables)]
    return "\n".join([*lines, *([described(said.items(), width)] if said else [])])


def markdown(runs: Sequence[Gradients]) -> str:
    """A Markdown table, a column for each network."""
    return "\n".join([*_table(runs, [run.label for run in runs]).markdown(), "", MEANING, ""])


def as_csv(runs: Sequence[Gradients]) -> str:
    """A line for each layer of each network, with a header."""
    return csv_text(
        [
            {
                "network": run.label,
                "layer": layer.name,
                "type": layer.type,
                "weights": layer.weights,
                "weight_norm": layer.weight_norm,
                "gradient_norm": layer.gradient_norm,
                "gradient_rms": layer.gradient_rms,
            }
            for run in runs
            for layer in run.layers
        ]
    )
