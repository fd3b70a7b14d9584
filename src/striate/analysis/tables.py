"""A summary as text, Markdown, CSV, plain types and a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.analysis.costs import Costs
from striate.analysis.counting import COUNTED, WHAT_IS_COUNTED, counted_text
from striate.analysis.rows import Row
from striate.errors import StriateError
from striate.text_tables import Column, Table, csv_text, described, shortened_path
from striate.units import along_axes, binary_size, count, sizes, tally, whole

if TYPE_CHECKING:
    import pandas


COLUMNS = (
    Column("layer", right=False, least=24, cut=shortened_path),
    Column("type", right=False, rank=1, least=11),
    Column("output"),
    Column("parameters"),
    Column("mult-adds"),
    Column("FLOPs", rank=5),
    Column("memory"),
    Column("training", rank=4),
    Column("field"),
    Column("stride", rank=3),
    Column("offset", rank=6),
)
#: A column that only a network with frozen parameters has, after "parameters".
TRAINS = Column("trains", rank=2)
#: Headings of the totals are as wide in every summary.
HEADING_WIDTH = 12


def _field_text(row: Row) -> str:
    if row.output_shape is None:
        return ""
    if row.sees_all:
        return "all"
    return along_axes(row.receptive_field) or "?"


def _arithmetic_text(row: Row, amount: int) -> str:
    """A count, with a plus where some operation is not counted; nothing for nothing."""
    return (count(amount, tenths=True) if amount else "") + "+" * bool(row.not_counted)


def _cells(row: Row, show_trains: bool) -> list[str]:
    cells = [row.name, row.type, "not run" if row.output_shape is None else sizes(row.output_shape)]
    cells.append("(reused)" if row.reused else (whole(row.parameters) if row.parameters else ""))
    if show_trains:
        some = "all" if row.trainable == row.parameters else "part" if row.trainable else "none"
        cells.append(some if row.parameters else "")
    return [
        *cells,
        _arithmetic_text(row, row.multiply_adds),
        _arithmetic_text(row, row.flops),
        binary_size(row.activation_bytes) if row.activation_bytes else "",
        "?" if row.kept_bytes is None else binary_size(row.kept_bytes) if row.kept_bytes else "",
        _field_text(row),
        along_axes(row.stride),
        along_axes(row.offset),
    ]


def _table(summary: Costs, depth: int | None) -> Table:
    show_trains = summary.trainable_parameters < summary.parameters
    columns = list(COLUMNS)
    if show_trains:
        columns.insert([column.header for column in columns].index("parameters") + 1, TRAINS)
    return Table(columns, [_cells(row, show_trains) for row in summary.collapsed(depth)])


def cells(summary: Costs, depth: int | None) -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the rows of the table, as words."""
    table = _table(summary, depth)
    return [column.header for column in table.columns], [list(row) for row in table.rows]


def _totals(summary: Costs) -> list[tuple[str, str]]:
    frozen = summary.parameters - summary.trainable_parameters
    state = ", ".join(f"{name} {binary_size(summary.optimizer_bytes(name))}" for name in ("momentum", "adam"))
    kept = "not known: it fails in training mode" if summary.training else "not measured"
    if summary.kept_bytes is not None:
        kept = f"{binary_size(summary.kept_bytes)} kept"
    parameters = f"{binary_size(summary.parameter_bytes)}; {whole(summary.trainable_parameters)} trainable"
    lines = [
        ("parameters", f"{whole(summary.parameters)} ({parameters}, {whole(frozen)} frozen)"),
        ("mult-adds", f"{whole(summary.multiply_adds)} ({count(summary.multiply_adds, tenths=True)})"),
        ("FLOPs", f"{whole(summary.flops)} ({count(summary.flops, tenths=True)})"),
        *([("not counted", tally(summary.not_counted))] if summary.not_counted else []),
        ("activations", binary_size(summary.activation_bytes)),
        (
            "training",
            f"{kept}; besides gradients {binary_size(summary.gradient_bytes)}, the optimizer's state ({state})",
        ),
    ]
    field = summary.receptive_field
    if field is not None:
        unit = "pixels" if len(field) > 1 else "places"
        lines.append(("field", f"{along_axes(field)} {unit}, of a unit of the last feature map"))
    return lines + [("note", note) for note in summary.notes]


def _title(summary: Costs) -> str:
    return f"{summary.name} on {', '.join(map(sizes, summary.input_shapes))}"


def text(summary: Costs, depth: int | None, width: int | None = None) -> str:
    """An aligned table that fits `width`, the totals, and what was counted; whole without a width."""
    table = _table(summary, depth)
    totals = described([*table.left_out(width), *_totals(summary)], width, HEADING_WIDTH)
    return "\n".join([_title(summary), table.text(width), totals, counted_text(width)])


def markdown(summary: Costs, depth: int | None) -> str:
    """A Markdown table with the totals below."""
    lines = [*_table(summary, depth).markdown(), "", f"{_title(summary)}:", ""]
    lines += [f"- {heading} {said}" for heading, said in _totals(summary)]
    return "\n".join([*lines, "", *(f"- {heading} {said}" for heading, said in WHAT_IS_COUNTED), ""])


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


def as_csv(summary: Costs, depth: int | None) -> str:
    """One line per row; sizes along several axes are joined by "x"."""
    rows = [_values(row) for row in summary.collapsed(depth)]
    return csv_text([{**row, "not_counted": tally(row["not_counted"])} for row in rows])


def data_frame(summary: Costs, depth: int | None) -> pandas.DataFrame:
    """A data frame with one line per row."""
    try:
        import pandas
    except ImportError as error:
        raise StriateError("to_pandas needs pandas: pip install 'striate[pandas]'") from error
    return pandas.DataFrame([_values(row) for row in summary.collapsed(depth)])
