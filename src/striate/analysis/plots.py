"""Where memory, parameters and arithmetic lie in a network, as bars; several networks stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from striate.analysis.rows import Row
from striate.errors import StriateError, UsageError

if TYPE_CHECKING:
    from striate.analysis.summaries import Summary

#: Title of each panel, the row's attribute, and what one unit of the axis is.
PANELS = (
    ("memory, KB", "activation_bytes", 1024),
    ("parameters, thousands", "parameters", 1000),
    ("multiply-adds, millions", "multiply_adds", 1_000_000),
)
SUFFIXES = (".svg", ".png", ".pdf")


def _costly(summary: Summary, depth: int | None) -> list[Row]:
    rows = summary.collapsed(depth)
    return [row for row in rows if any(getattr(row, attribute) for _, attribute, _ in PANELS)]


def plot_summaries(summaries: Sequence[Summary], path: str | Path, depth: int | None = None) -> Path:
    """Draw one line of three bar charts per network and write it to `path`.

    Raises:
        UsageError: the suffix is none of .svg, .png, .pdf.
        StriateError: matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot draw to '{path}': its name must end in {', '.join(SUFFIXES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise StriateError("plot needs matplotlib: pip install matplotlib") from error
    rows = [_costly(summary, depth) for summary in summaries]
    longest = max(map(len, rows), default=1)
    width = min(max(10.0, 0.45 * longest + 2), 40.0)
    figure = Figure(figsize=(width, 3 * len(PANELS) * len(summaries) + 1), layout="constrained")
    axes = figure.subplots(len(PANELS) * len(summaries), 1, squeeze=False)[:, 0]
    for index, (summary, network_rows) in enumerate(zip(summaries, rows, strict=True)):
        positions = range(len(network_rows))
        for panel, (title, attribute, unit) in enumerate(PANELS):
            axis = axes[index * len(PANELS) + panel]
            axis.bar(positions, [getattr(row, attribute) / unit for row in network_rows], color=f"C{panel}")
            axis.set_title(f"{summary.name}: {title}", loc="left", fontsize=10)
            axis.spines[["top", "right"]].set_visible(False)
            axis.set_xticks(positions, [row.name for row in network_rows], rotation=90, fontsize=7)
            if panel < len(PANELS) - 1:
                axis.set_xticklabels([])
    figure.savefig(path)
    return path
