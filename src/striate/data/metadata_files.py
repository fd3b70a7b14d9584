"""Tables of what images are in JSON lines and in Parquet, as rows of cells in words like those of a CSV file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from striate.data.csv_file import Table, text_of
from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.parquet_rows import declared_names, opened
from striate.data.parquet_shard import opened_shard
from striate.data.table_splits import Row
from striate.data.tree import Place
from striate.errors import StriateError

#: Between the several values of a cell.
BETWEEN = "|"


def read_json_lines(path: Place) -> Table:
    """The rows of a file with a JSON object in each line; a line that holds none is skipped.

    Raises:
        StriateError: it is no text, or no line holds an object.
    """
    where, objects, skipped = printable(path), [], []
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            objects.append((number, value))
        else:
            skipped.append(Skipped(f"{where}:{number}", "the line holds no JSON object"))
    if not objects:
        raise StriateError(f"{where} holds no lines of JSON objects")
    return table_of(path, objects, skipped)


def read_parquet_table(path: Place) -> Table:
    """The rows of a Parquet file of words, numbers and lists; numbers of named classes are their names.

    Raises:
        StriateError: it is damaged.
    """
    with opened(printable(path)):
        file = opened_shard(path)
        schema = file.schema_arrow
        columns = {name: file.read([name]).column(0).to_pylist() for name in schema.names}
    for name, values in columns.items():
        if names := declared_names(schema, name):
            columns[name] = [_named(value, names) for value in values]
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return table_of(path, list(enumerate(rows, 1)), [])


def table_of(path: Place, objects: Sequence[tuple[int, Mapping[str, Any]]], skipped: Sequence[Skipped]) -> Table:
    """A table of objects with their lines; what one lacks is empty."""
    names = dict.fromkeys(str(name) for _, found in objects for name in found)
    columns: dict[str, str] = {}
    for name in names:
        if name.strip():
            columns.setdefault(name.strip().lower().replace(" ", "_"), name)
    rows: list[Row] = [
        (line, {name: in_words(found.get(name)) for name in columns.values()}) for line, found in objects
    ]
    return Table(path, columns, rows, tuple(skipped))


def in_words(value: Any) -> str:
    """A value as a CSV cell would hold it: several with | between, nothing for none."""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list | tuple):
        return BETWEEN.join(map(in_words, value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _named(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None
