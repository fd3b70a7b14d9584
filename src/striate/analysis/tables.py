"""A summary as text, Markdown, CSV, plain types and a data frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from striate.analysis.costs import Costs
from striate.analysis.counting import COUNTED, times_text
from striate.analysis.rows import Row
from striate.errors import StriateError

if TYPE_CHECKING:
    import pandas

HEADER = (
    "layer",
    "type",
    "output",
    "parameters",
    "mult-adds",
    "FLOPs",
    "memory",
    "training",
    "field",
    "stride",
    "offset",
)
#: A column that only a network with frozen parameters has, after "parameters".
TRAINS = "trains"
TYPE_WIDTH = 17
TABLE_WIDTH = 132
LEAST_NAME_WIDTH = 16


def count_text(value: int) -> str:
    """A count with three or four figures: 149.5 M."""
    if value < 1000:
        return str(value)
    scaled, unit = _in_units(value, 1000, ("K", "M", "G", "T"), 999.95)
    return f"{scaled:.{1 if scaled >= 10 else 2}f} {unit}"


def bytes_text(value: int) -> str:
    """Memory in units of 1024: 784 KB."""
    if value < 1024:
        return f"{value} B"
    scaled, unit = _in_units(value, 1024, ("KB", "MB", "GB"), 1023.5)
    return f"{scaled:.{1 if scaled < 100 and unit != 'KB' else 0}f} {unit}"


def _in_units(value: int, step: int, units: tuple[str, ...], limit: float) -> tuple[float, str]:
    """`value` in the first unit in which it stays below `limit`, from which on it would be rounded to the next."""
    power = 1
    while power < len(units) and value / step**power >= limit:
        power += 1
    return value / step**power, units[power - 1]


def _shape_text(shape: tuple[int, ...] | None) -> str:
    return "not run" if shape is None else "×".join(map(str, shape))


def axes_text(values: tuple[float, ...] | None) -> str:
    """Numbers along axes: one where they are equal, else 3×5."""
    if not values:
        return ""
    shown = [f"{value:g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else "×".join(shown)


def _field_text(row: Row) -> str:
    if row.output_shape is None:
        return ""
    if row.sees_all:
        return "all"
    return axes_text(row.receptive_field) or "?"


def _arithmetic_text(row: Row, count: int) -> str:
    """A count, with a plus where some operation is not counted; nothing for nothing."""
    text = count_text(count) if count else ""
    return f"{text}+".lstrip() if row.not_counted else text


def _cells(row: Row, show_trains: bool) -> list[str]:
    cells = [row.name, row.type, _shape_text(row.output_shape)]
    cells.append("(reused)" if row.reused else (f"{row.parameters:,}" if row.parameters else ""))
    if show_trains:
        some = "all" if row.trainable == row.parameters else "part" if row.trainable else "none"
        cells.append(some if row.parameters else "")
    return [
        *cells,
        _arithmetic_text(row, row.multiply_adds),
        _arithmetic_text(row, row.flops),
        bytes_text(row.activation_bytes) if row.activation_bytes else "",
        "?" if row.kept_bytes is None else bytes_text(row.kept_bytes) if row.kept_bytes else "",
        _field_text(row),
        axes_text(row.stride),
        axes_text(row.offset),
    ]


def _grid(summary: Costs, depth: int | None) -> list[list[str]]:
    """The header and the rows."""
    show_trains = summary.trainable_parameters < summary.parameters
    header = list(HEADER)
    if show_trains:
        header.insert(header.index("parameters") + 1, TRAINS)
    return [header, *(_cells(row, show_trains) for row in summary.collapsed(depth))]


def _totals(summary: Costs) -> list[str]:
    frozen = summary.parameters - summary.trainable_parameters
    state = ", ".join(f"{name} {bytes_text(summary.optimizer_bytes(name))}" for name in ("momentum", "adam"))
    kept = summary.kept_bytes
    lines = [
        f"parameters    {summary.parameters:,} ({bytes_text(summary.parameter_bytes)}; "
        f"{summary.trainable_parameters:,} trainable, {frozen:,} frozen)",
        f"mult-adds     {summary.multiply_adds:,} ({count_text(summary.multiply_adds)})",
        f"FLOPs         {summary.flops:,} ({count_text(summary.flops)})",
        *([f"not counted   {times_text(summary.not_counted)}"] if summary.not_counted else []),
        f"activations   {bytes_text(summary.activation_bytes)}",
        f"training      {'not known: it fails in training mode' if kept is None else bytes_text(kept) + ' kept'}; "
        f"besides gradients {bytes_text(summary.gradient_bytes)}, the optimizer's state ({state})",
    ]
    field = summary.receptive_field
    if field is not None:
        unit = "pixels" if len(field) > 1 else "places"
        lines.append(f"field         {axes_text(field)} {unit}, of a unit of the last feature map")
    lines += [f"note          {note}" for note in summary.notes]
    return lines


def _input_text(summary: Costs) -> str:
    return ", ".join(_shape_text(shape) for shape in summary.input_shapes)


def _shortened(cell: str, width: int) -> str:
    return cell if len(cell) <= width else "…" + cell[len(cell) - width + 1 :]


def text(summary: Costs, depth: int | None) -> str:
    """An aligned table of at most 132 columns where names allow it, the totals, and what was counted."""
    lines = _grid(summary, depth)
    for cells in lines[1:]:
        cells[1] = _shortened(cells[1], TYPE_WIDTH)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
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


def markdown(summary: Costs, depth: int | None) -> str:
    """A Markdown table with the totals below."""
    header, *rows = _grid(summary, depth)
    lines = [f"| {' | '.join(header)} |", "|---|---|" + "---:|" * (len(header) - 2)]
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"{summary.name} on {_input_text(summary)}:", ""]
    lines += [f"- {' '.join(line.split())}" for line in _totals(summary)]
    lines += ["", *(f"- {' '.join(line.split())}" for line in _counted_lines())]
    return "\n".join([*lines, ""])


def _counted_lines() -> list[str]:
    """One line for each thing that is counted."""
    return COUNTED.replace("\n    ", " ").splitlines()


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
        "flops": row.flops,
        "activation_bytes": row.activation_bytes,
        "kept_bytes": row.kept_bytes,
        "receptive_field": listed(row.receptive_field),
        "stride": listed(row.stride),
        "offset": listed(row.offset),
        "sees_all": row.sees_all,
        "reused": row.reused,
        "not_counted": dict(row.not_counted),
    }


def plain(summary: Costs, depth: int | None) -> dict[str, Any]:
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
        "flops": summary.flops,
        "not_counted": summary.not_counted,
        "activation_bytes": summary.activation_bytes,
        "kept_bytes": summary.kept_bytes,
        "gradient_bytes": summary.gradient_bytes,
        "optimizer_bytes": {name: summary.optimizer_bytes(name) for name in ("sgd", "momentum", "adam")},
        "receptive_field": None if field is None else list(field),
        "rows": [_values(row) for row in summary.collapsed(depth)],
        "counted": COUNTED,
        "notes": list(summary.notes),
    }


def csv_text(summary: Costs, depth: int | None) -> str:
    """One line per row; sizes along several axes are joined by "x"."""
    rows = [_values(row) for row in summary.collapsed(depth)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: joined(value) for key, value in row.items()})
    return stream.getvalue()


def joined(value: Any) -> Any:
    """A value as one cell of CSV."""
    if isinstance(value, dict):
        return times_text(value)
    return "x".join(map(str, value)) if isinstance(value, list) else value


def data_frame(summary: Costs, depth: int | None) -> pandas.DataFrame:
    """A data frame with one line per row."""
    try:
        import pandas
    except ImportError as error:
        raise StriateError("to_pandas needs pandas: pip install 'striate[pandas]'") from error
    return pandas.DataFrame([_values(row) for row in summary.collapsed(depth)])
