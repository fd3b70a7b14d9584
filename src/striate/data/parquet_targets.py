"""Parquet columns that hold several labels or values for each image, in place of one class."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.asked import Asked, column_asked, labels_of
from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.listing import SPLITS, Listing, Part, class_name, sorted_classes
from striate.data.parquet_rows import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    column_called,
    contents_of,
    declared_names,
    opened,
    readable,
)
from striate.data.parquet_shard import Content, opened_shard
from striate.data.table_columns import Said
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from striate.data.tree import Place
from striate.errors import StriateError

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns of labels or values, where none is named.
TARGET_COLUMNS = (*LABEL_COLUMNS, "tags", "attributes", "classes", "objects", "value", "score", "y")


@dataclass(eq=False)
class _Rows:
    """The usable rows of one file, and the names of its labels or values where it has them."""

    names: tuple[str, ...]
    said: list[Said] = field(default_factory=list)
    encoded: list[Content] = field(default_factory=list)
    row_names: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def kind_in(file: Place, asked: Asked) -> str:
    """What the label columns of a file hold, by their types, unless the caller says it.

    Lists of words or whole numbers, and columns of truth values, are several labels; lists of fractions are values, and
    so are single numbers with fractions and several columns of numbers.

    Raises:
        StriateError: a column is missing, or the file is damaged.
        UsageError: there is no column of a name that was asked for, or it holds the images.
    """
    import pyarrow as pa

    where = printable(file)
    with opened(where):
        opened_file = opened_shard(file)
        schema = opened_file.schema_arrow
        columns = _columns(schema, asked, where) if asked.target or asked.task is None else []
        if asked.task is not None:
            return asked.task
        kinds = [schema.field(column).type for column in columns]
        if _is_list(kinds[0]):
            return REGRESSION if pa.types.is_floating(kinds[0].value_type) else MULTI_LABEL
        if len(columns) > 1:
            return REGRESSION if any(map(pa.types.is_floating, kinds)) else MULTI_LABEL
        if pa.types.is_floating(kinds[0]):
            values = opened_file.read(columns)[columns[0]].to_pylist()
            known = [value for value in values if value is not None and math.isfinite(value)]
            return REGRESSION if any(value != int(value) for value in known) else SINGLE_LABEL
    return SINGLE_LABEL


def list_targets(
    files: Mapping[str, Sequence[Place]],
    called: Mapping[Place, str],
    kind: str,
    asked: Asked,
    notes: tuple[str, ...],
    divided: bool,
    in_place: bool = False,
) -> Listing:
    """List the images of Parquet files with several labels or values each, by split.

    Args:
        files: of each split.
        called: what each file is called in reports.
        kind: "multi-label" or "regression".
        asked: what the caller says.
        notes: what was noticed before.
        divided: whether the files tell the splits apart.
        in_place: leave the images where they are, to be read when they are needed.

    Raises:
        StriateError: no image or label column, one of another type, files whose values are not the same ones.
    """
    read = {
        split: [_read(file, called[file], kind, asked, in_place) for file in files[split]]
        for split in SPLITS
        if split in files
    }
    tables = [table for of_split in read.values() for table in of_split]
    names = _names(tables, kind)
    parts = {}
    for split, of_split in read.items():
        said = [found for table in of_split for found in table.said]
        encoded: list[Any] = [content for table in of_split for content in table.encoded]
        row_names = [name for table in of_split for name in table.row_names]
        parts[split] = Part(encoded, row_names, _labels(said, names, kind))
    skipped = tuple(entry for table in tables for entry in table.skipped)
    what = "several labels for each image" if kind == MULTI_LABEL else "values to predict"
    return Listing(names, parts, skipped, (*notes, f"{what}: {_shown(names)}"), divided, task=kind, table=True)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:3]) + (", …" if len(names) > 3 else "")


def _names(tables: Sequence[_Rows], kind: str) -> tuple[str, ...]:
    """The names of all labels or values."""
    declared = list(dict.fromkeys(table.names for table in tables))
    if kind == REGRESSION:
        if len(declared) > 1:
            raise StriateError(
                f"the files do not hold the same values: {_shown(declared[0])} and {_shown(declared[1])}"
            )
        return declared[0]
    used = {name for table in tables for said in table.said for name in said if isinstance(name, str)}
    order = list(dict.fromkeys(name for names in declared for name in names))
    return (*order, *sorted_classes(used - set(order)))


def _labels(said: Sequence[Said], names: Sequence[str], kind: str) -> np.ndarray:
    if kind == REGRESSION:
        return np.array(said, np.float64).reshape(len(said), len(names))
    return labels_of([frozenset(map(str, found)) for found in said], names)


def _read(file: Place, name: str, kind: str, asked: Asked, in_place: bool) -> _Rows:
    where = printable(file)
    with opened(where):
        opened_file = opened_shard(file)
        schema = opened_file.schema_arrow
        image = column_called(schema, IMAGE_COLUMNS, where, "image")
        columns = _columns(schema, asked, where)
        table = opened_file.read(columns)
        contents, paths = contents_of(opened_file, image, file, name, len(table) if in_place else None)
        values = [table[column].to_pylist() for column in columns]
    names, say = _reader(schema, columns, values, kind, where)
    rows = _Rows(names)
    for row, (content, path, *cells) in enumerate(zip(contents, paths, *values, strict=True)):
        row_name = f"{name}[{row}]"
        try:
            said = say(cells)
            content = readable(content, path, file)
        except ValueError as error:
            rows.skipped.append(Skipped(row_name, str(error)))
            continue
        rows.said.append(said)
        rows.encoded.append(content)
        rows.row_names.append(row_name)
    return rows


def _columns(schema: pa.Schema, asked: Asked, where: str) -> list[str]:
    """The columns of the labels."""
    if not asked.target:
        return [column_called(schema, TARGET_COLUMNS, where, "label")]
    by_name: dict[str, str] = {}
    for column in schema.names:
        by_name.setdefault(column.lower(), column)
    image = column_called(schema, IMAGE_COLUMNS, where, "image")
    return [column_asked(name, by_name, where, image) for name in asked.target]


def _reader(
    schema: pa.Schema, columns: Sequence[str], values: Sequence[list[Any]], kind: str, where: str
) -> tuple[tuple[str, ...], Callable[[list[Any]], Said]]:
    """The names of labels or values as far as the file says them, and what reads the cells of a row."""
    import pyarrow as pa

    types = [schema.field(column).type for column in columns]
    listed = _is_list(types[0])
    if kind == REGRESSION:
        width = next((len(cell) for cell in values[0] if cell), 1) if listed else 1
        names = declared_names(schema, columns[0])
        if len(columns) > 1 or not listed:
            names = tuple(map(class_name, columns))
        elif len(names) != width:
            several = tuple(f"{columns[0]}[{place}]" for place in range(width))
            names = several if width > 1 else (class_name(columns[0]),)
        return names, lambda cells: _numbers(cells[0] if listed else cells, len(names))
    if len(columns) > 1:
        names = tuple(map(class_name, columns))
        return names, lambda cells: frozenset(name for name, cell in zip(names, cells, strict=True) if _yes(cell))
    if not listed:
        raise StriateError(
            f"{where}: column '{columns[0]}' is {types[0]}; several labels are a list, or several columns"
        )
    names = declared_names(schema, columns[0])
    if pa.types.is_boolean(types[0].value_type):
        width = next((len(cell) for cell in values[0] if cell), 0)
        names = names if len(names) == width else tuple(map(str, range(width)))
        return names, lambda cells: _flags(cells[0], names)
    return names, lambda cells: _named(cells[0], names)


def _numbers(cells: Any, count: int) -> tuple[float, ...]:
    if cells is None or any(cell is None for cell in cells):
        raise ValueError("the row has no value")
    found = tuple(map(float, cells))
    if len(found) != count:
        raise ValueError(f"the row has {len(found)} values, not {count}")
    if not all(map(math.isfinite, found)):
        raise ValueError("a value is no finite number")
    return found


def _yes(cell: Any) -> bool:
    if cell in (None, False, 0):
        return False
    if cell not in (True, 1):
        raise ValueError(f"{cell!r} is neither yes nor no")
    return True


def _flags(cells: Any, names: Sequence[str]) -> frozenset[str]:
    if cells is None or len(cells) != len(names):
        raise ValueError(f"the row has {len(cells or ())} truth values, not {len(names)}")
    return frozenset(name for name, cell in zip(names, cells, strict=True) if cell)


def _named(cells: Any, names: Sequence[str]) -> frozenset[str]:
    """The labels of a row: words, or numbers of declared names; a list without any is an image without labels."""
    if cells is None:
        raise ValueError("the row has no labels")
    found = set()
    for cell in cells:
        if isinstance(cell, str):
            found.add(class_name(cell))
        elif cell is not None and names:
            if not 0 <= cell < len(names):
                raise ValueError(f"label {cell} is outside the {len(names)} names")
            found.add(names[cell])
        elif cell is not None:
            found.add(str(cell))
    return frozenset(found - {""})


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
