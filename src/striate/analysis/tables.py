"""A summary as text, Markdown, CSV, plain types and a data frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from striate.analysis.counting import COUNTED
from striate.analysis.rows import Row
from striate.errors import StriateError

if TYPE_CHECKING:
    import pandas

    from striate.analysis.summaries import Summary

HEADER = ("layer", "type", "output", "parameters", "mult-adds", "memory", "field", "stride", "offset")
TYPE_WIDTH = 17
TABLE_WIDTH = 110
LEAST_NAME_WIDTH = 16


def count_text(value: int) -> str:
    """A count with three or four figures: 149.5 M."""
    if value < 1000:
        return str(value)
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if value >= size:
            scaled = value / size
            return f"{scaled:.{1 if scaled >= 10 else 2}f} {unit}"
    return str(value)


def bytes_text(value: int) -> str:
    """Memory in units of 1024: 784 KB."""
    for unit, size in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if value >= size:
            scaled = value / size
            return f"{scaled:.{1 if scaled < 100 and unit != 'KB' else 0}f} {unit}"
    return f"{value} B"


def _shape_text(shape: tuple[int, ...] | None) -> str:
    return "not run" if shape is None else "×".join(map(str, shape))


def _axes_text(values: tuple[float, ...] | None) -> str:
    if not values:
        return ""
    shown = [f"{value:g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else "×".join(shown)


def _field_text(row: Row) -> str:
    if row.output_shape is None:
        return ""
    if row.sees_all:
        return "all"
    return _axes_text(row.receptive_field) or "?"


def _cells(row: Row) -> list[str]:
    return [
        row.name,
        row.type,
        _shape_text(row.output_shape),
        "(reused)" if row.reused else (f"{row.parameters:,}" if row.parameters else ""),
        count_text(row.multiply_adds) if row.multiply_adds else "",
        bytes_text(row.activation_bytes) if row.activation_bytes else "",
        _field_text(row),
        _axes_text(row.stride),
        _axes_text(row.offset),
    ]


def _totals(summary: Summary) -> list[str]:
    frozen = summary.parameters - summary.trainable_parameters
    field = summary.receptive_field
    lines = [
        f"parameters    {summary.parameters:,} ({bytes_text(summary.parameter_bytes)}; "
        f"{summary.trainable_parameters:,} trainable, {frozen:,} frozen)",
        f"mult-adds     {summary.multiply_adds:,} ({count_text(summary.multiply_adds)})",
        f"activations   {bytes_text(summary.activation_bytes)}",
    ]
    if field is not None:
        lines.append(f"field         {_axes_text(field)} pixels, of a unit of the last feature map")
    return lines


def _input_text(summary: Summary) -> str:
    return ", ".join(_shape_text(shape) for shape in summary.input_shapes)


def _shortened(cell: str, width: int) -> str:
    return cell if len(cell) <= width else "…" + cell[len(cell) - width + 1 :]


def text(summary: Summary, depth: int | None) -> str:
    """An aligned table of about 110 columns, the totals, and what was counted."""
    lines = [list(HEADER)]
    for row in summary.collapsed(depth):
        cells = _cells(row)
        cells[1] = _shortened(cells[1], TYPE_WIDTH)
        lines.append(cells)
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    rest = sum(widths[1:]) + 2 * (len(widths) - 1)
    widths[0] = min(widths[0], max(TABLE_WIDTH - rest, LEAST_NAME_WIDTH))
    for line in lines:
        line[0] = _shortened(line[0], widths[0])
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    body = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    title = f"{summary.name} on {_input_text(summary)}"
    return "\n".join([title, rule, body[0], rule, *body[1:], rule, *_totals(summary), COUNTED])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def markdown(summary: Summary, depth: int | None) -> str:
    """A Markdown table with the totals below."""
    lines = [f"| {' | '.join(HEADER)} |", "|---|---|" + "---:|" * (len(HEADER) - 2)]
    for row in summary.collapsed(depth):
        cells = [cell.replace("|", "\\|") for cell in _cells(row)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"{summary.name} on {_input_text(summary)}:", ""]
    lines += [f"- {' '.join(line.split())}" for line in _totals(summary)]
    return "\n".join([*lines, "", COUNTED, ""])


def _values(row: Row) -> dict[str, Any]:
    def listed(values: tuple[float, ...] | None) -> list[float] | None:
        return None if values is None else list(values)

    return {
        "name": row.name,
        "type": row.type,
        "depth": row.depth,
        "output_shape": listed(row.output_shape),
        "parameters": row.parameters,
        "trainable": row.trainable,
        "multiply_adds": row.multiply_adds,
        "activation_bytes": row.activation_bytes,
        "receptive_field": listed(row.receptive_field),
        "stride": listed(row.stride),
        "offset": listed(row.offset),
        "sees_all": row.sees_all,
        "reused": row.reused,
    }


def plain(summary: Summary, depth: int | None) -> dict[str, Any]:
    """Totals and rows in types that JSON can hold."""
    field = summary.receptive_field
    return {
        "name": summary.name,
        "input_shapes": [list(shape) for shape in summary.input_shapes],
        "parameters": summary.parameters,
        "trainable_parameters": summary.trainable_parameters,
        "parameter_bytes": summary.parameter_bytes,
        "buffers": summary.buffers,
        "multiply_adds": summary.multiply_adds,
        "activation_bytes": summary.activation_bytes,
        "receptive_field": None if field is None else list(field),
        "rows": [_values(row) for row in summary.collapsed(depth)],
        "counted": COUNTED,
    }


def csv_text(summary: Summary, depth: int | None) -> str:
    """One line per row; sizes along several axes are joined by "x"."""
    rows = [_values(row) for row in summary.collapsed(depth)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _joined(value) for key, value in row.items()})
    return stream.getvalue()


def _joined(value: Any) -> Any:
    return "x".join(f"{item:g}" for item in value) if isinstance(value, list) else value


def data_frame(summary: Summary, depth: int | None) -> pandas.DataFrame:
    """A data frame with one line per row."""
    try:
        import pandas
    except ImportError as error:
        raise StriateError("to_pandas needs pandas: pip install 'striate[pandas]'") from error
    return pandas.DataFrame([_values(row) for row in summary.collapsed(depth)])
