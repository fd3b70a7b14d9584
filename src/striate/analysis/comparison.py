"""Networks side by side: what each costs and sees, and what it is published to reach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.analysis import bubbles, plots
from striate.analysis.counting import WHAT_IS_COUNTED, counted_text
from striate.analysis.entry import Entry
from striate.text_tables import Column, Table, csv_text, described
from striate.units import along_axes, binary_size, count, sizes, tally, whole

COLUMNS = (
    Column("network", right=False, least=20),
    Column("input", rank=4),
    Column("parameters"),
    Column("mult-adds"),
    Column("FLOPs", rank=6),
    Column("activations", rank=2),
    Column("training", rank=5),
    Column("field", rank=3),
    Column("top-1 %", rank=1),
    Column("top-1 from", right=False, rank=7, least=16),
)


@dataclass(frozen=True)
class Comparison:
    """Several networks' totals; `str()` gives a table."""

    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int | None = None) -> str:
        """A table that fits `width` columns of a terminal, with what was counted; whole without a width."""
        table = self._table()
        said = [*table.left_out(width), *self._not_counted()]
        return "\n".join([table.text(width), *([described(said, width, 12)] if said else []), counted_text(width)])

    def _table(self) -> Table:
        return Table(COLUMNS, [*map(_cells, self.entries)])

    def _not_counted(self) -> list[tuple[str, str]]:
        """A line for each network with operations that no rule counts."""
        return [
            ("not counted", f"{entry.name}: {tally(entry.summary.not_counted)}")
            for entry in self.entries
            if entry.summary.not_counted
        ]

    def to_markdown(self) -> str:
        """A Markdown table."""
        said = [f"- {heading} {text}" for heading, text in (*self._not_counted(), *WHAT_IS_COUNTED)]
        return "\n".join([*self._table().markdown(), "", *said, ""])

    def to_csv(self) -> str:
        """One line per network with plain numbers, and a header."""
        return csv_text([{**row, "not_counted": tally(row["not_counted"])} for row in self.to_dicts()])

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per network, of plain types that JSON can hold."""
        return [entry.to_dict() for entry in self.entries]

    def plot(self, path: str | Path, depth: int | None = None) -> Path:
        """Bars of memory, parameters and multiply-adds by layer, networks below each other (.svg, .png, .pdf)."""
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
    some_not = "+" * bool(summary.not_counted)
    return [
        entry.name,
        sizes(summary.input_shapes[0][1:]) if summary.input_shapes else "",
        whole(summary.parameters),
        count(summary.multiply_adds, tenths=True) + some_not,
        count(summary.flops, tenths=True) + some_not,
        binary_size(summary.activation_bytes),
        "?" if summary.kept_bytes is None else binary_size(summary.kept_bytes),
        "all" if summary.sees_all else along_axes(summary.receptive_field) or "?",
        "" if entry.accuracy is None else f"{100 * entry.accuracy:.1f}",
        entry.accuracy_source,
    ]
