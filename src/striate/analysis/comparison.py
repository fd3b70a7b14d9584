"""Networks side by side: what each costs and sees, and what it is published to reach."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.analysis import bubbles, plots
from striate.analysis.counting import COUNTED, times_text
from striate.analysis.entry import Entry
from striate.analysis.tables import bytes_text, count_text, joined

HEADER = (
    *("network", "input", "parameters", "mult-adds", "FLOPs", "activations", "training", "field"),
    *("top-1 %", "top-1 from"),
)


@dataclass(frozen=True)
class Comparison:
    """Several networks' totals; `str()` gives a table."""

    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        lines = self._grid()
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        texts = [
            "  ".join(
                cell.ljust(width) if column in (0, len(HEADER) - 1) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([texts[0], rule, *texts[1:], rule, *self._not_counted(), COUNTED])

    def _grid(self) -> list[list[str]]:
        return [list(HEADER), *map(_cells, self.entries)]

    def _not_counted(self) -> list[str]:
        """A line for each network with operations that no rule counts."""
        return [
            f"not counted   {entry.name}: {times_text(entry.summary.not_counted)}"
            for entry in self.entries
            if entry.summary.not_counted
        ]

    def to_markdown(self) -> str:
        """A Markdown table."""
        header, *rows = (f"| {' | '.join(cells)} |" for cells in self._grid())
        said = [*self._not_counted(), *COUNTED.replace("\n    ", " ").splitlines()]
        counted = [f"- {' '.join(line.split())}" for line in said]
        return "\n".join([header, "|---|" + "---:|" * (len(HEADER) - 2) + "---|", *rows, "", *counted, ""])

    def to_csv(self) -> str:
        """One line per network with plain numbers, and a header."""
        stream = io.StringIO()
        rows = self.to_dicts()
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: joined(value) for key, value in row.items()})
        return stream.getvalue()

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per network, of plain types that JSON can hold."""
        return [entry.to_dict() for entry in self.entries]

    def plot(self, path: str | Path, depth: int | None = None) -> Path:
        """Bars of memory, parameters and multiply-adds by layer, one network beside the other (.svg, .png, .pdf)."""
        names = [entry.name for entry in self.entries]
        return plots.plot_summaries([entry.summary for entry in self.entries], path, depth, names=names)

    def plot_accuracy(self, path: str | Path) -> Path:
        """Accuracy against multiply-adds, a network's area its parameters (.svg, .png, .pdf).

        Raises:
            StriateError: none of the networks has a published accuracy.
        """
        return bubbles.plot_accuracy(self.entries, path)


def _cells(entry: Entry) -> list[str]:
    summary = entry.summary
    field, shape = summary.receptive_field, summary.input_shapes[0] if summary.input_shapes else ()
    accuracy = "" if entry.accuracy is None else f"{100 * entry.accuracy:.1f}"
    return [
        entry.name,
        _joined(shape[1:]),
        f"{summary.parameters:,}",
        count_text(summary.multiply_adds) + "+" * bool(summary.not_counted),
        count_text(summary.flops) + "+" * bool(summary.not_counted),
        bytes_text(summary.activation_bytes),
        "?" if summary.kept_bytes is None else bytes_text(summary.kept_bytes),
        "all" if summary.sees_all else "?" if field is None else _joined(field if len(set(field)) > 1 else field[:1]),
        accuracy,
        entry.accuracy_source,
    ]


def _joined(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))
