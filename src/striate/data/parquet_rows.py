"""The rows of one Parquet file: encoded images, and labels as positions in the file's own class names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Skipped
from striate.data.decode import UnreadableImage, read_file
from striate.data.images import printable
from striate.data.listing import class_name, index_labels, sorted_classes
from striate.data.parquet_shard import Content, column_bytes, column_paths, holds_images, opened_shard, shard_of
from striate.data.tree import Place, child
from striate.errors import StriateError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

IMAGE_COLUMNS = ("image", "img", "picture")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "class_name", "category")
#: What labels are: positions in class names of the file, numbers without names, or the names themselves.
NAMED, NUMBERS, STRINGS = "named", "numbers", "strings"
#: The number that published sets give to images whose class is kept secret.
NO_LABEL = -1
#: Why a row of such a number is skipped.
HIDDEN = f"label {NO_LABEL}, which stands for no label"


@dataclass(eq=False)
class ParquetRows:
    """The usable rows of one file.

    Attributes:
        where: the file's path, for errors.
        name: what it is called in reports.
        kind: NAMED, NUMBERS or STRINGS.
        label_columns: the column of the labels, and others that could be it.
        declared: the class names in its metadata, in their order.
        rows: how many rows it has, usable or not.
        hidden: how many of them have no label.
        encoded: the bytes of each usable row's image, or where they lie; row_names likewise.
        names: the classes that `codes` are positions in; codes is int64 (len(encoded),).
    """

    where: str
    name: str
    kind: str
    label_columns: tuple[str, ...]
    declared: tuple[str, ...]
    rows: int
    hidden: int = 0
    encoded: list[Content] = field(default_factory=list)
    row_names: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    names: tuple[str, ...] = ()
    codes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def used(self) -> set[str]:
        """The classes that have rows."""
        return {self.names[code] for code in np.unique(self.codes)}

    def labels_in(self, classes: Sequence[str]) -> np.ndarray:
        """The labels as positions in `classes`, by name, int64 (N,)."""
        positions = {name: position for position, name in enumerate(classes)}
        by_code = np.array([positions.get(name, -1) for name in self.names], dtype=np.int64)
        return by_code[self.codes] if len(self.codes) else self.codes

    def take_names(self, names: tuple[str, ...], lender: str = "") -> None:
        """Read the numbers, which have no names yet, as positions in `names`.

        Raises StriateError naming the first row whose number is none.
        """
        numbers = np.array([int(name) for name in self.names], dtype=np.int64)
        labels = numbers[self.codes] if len(self.codes) else self.codes
        outside = np.flatnonzero(labels >= len(names))
        if len(outside):
            row, label = self.row_names[outside[0]].removeprefix(self.name), labels[outside[0]]
            whose = f" of {lender}" if lender else ""
            known = f"the {len(names)} class names{whose} (0 to {len(names) - 1})"
            raise StriateError(f"{self.where}{row}: label {label} is outside {known}")
        self.names, self.codes = names, labels


@contextmanager
def opened(where: str) -> Iterator[None]:
    """What goes wrong with a Parquet file becomes one line."""
    import pyarrow as pa

    try:
        yield
    except PermissionError:
        raise StriateError(f"{where} cannot be read: permission denied") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise StriateError(f"{where} is not a Parquet file, or it is damaged ({_first_line(error)})") from error


def readable(content: Content | None, path: str | None, file: Place) -> Content:
    """The bytes of a row's image, from the file that it names beside `file` where the row holds none.

    Raises ValueError with the reason where there are none.
    """
    if content is None and path:
        try:
            return read_file(child(file.parent, path))
        except UnreadableImage as error:
            raise ValueError(f"{path}: {error.reason}") from error
    if content is None:
        raise ValueError("the row has no image")
    return content


def read_rows(file: Place, name: str, wanted: tuple[str, ...] = LABEL_COLUMNS, in_place: bool = False) -> ParquetRows:
    """Read the rows of a Parquet file that have an image and a label.

    Args:
        file: the file.
        name: what to call it in reports; its rows are called `name[17]`.
        wanted: what the column of labels may be called.
        in_place: leave the images where they are, to be read when they are needed.

    Raises:
        StriateError: no image or label column, a negative label or one outside the class names, a damaged file.
    """
    where = printable(file)
    with opened(where):
        opened_file = opened_shard(file)
        schema = opened_file.schema_arrow
        image = column_called(schema, IMAGE_COLUMNS, where, "image")
        label = column_called(schema, wanted, where, "label")
        table = opened_file.read([label])
        contents, paths = contents_of(opened_file, image, file, name, len(table) if in_place else None)
        values = _labels(table, label, where)
    strings = any(isinstance(value, str) for value in values)
    declared = () if strings else declared_names(schema, label)
    kind = STRINGS if strings else NAMED if declared else NUMBERS
    others = (column for column in schema.names if column.lower() in LABEL_COLUMNS and column != label)
    rows = ParquetRows(where, name, kind, (label, *others), declared, len(values))
    labels: list[Any] = []
    for row, (content, path, value) in enumerate(zip(contents, paths, values, strict=True)):
        row_name = f"{name}[{row}]"
        if reason := _no_label(value, f"{where}[{row}]"):
            rows.hidden += 1
            rows.skipped.append(Skipped(row_name, reason))
            continue
        try:
            rows.encoded.append(readable(content, path, file))
        except ValueError as error:
            rows.skipped.append(Skipped(row_name, str(error)))
            continue
        rows.row_names.append(row_name)
        labels.append(str(value))
    rows.names = sorted_classes(labels)
    rows.codes = index_labels(labels, rows.names)
    if declared:
        rows.take_names(declared)
    return rows


def _no_label(value: Any, where: str) -> str:
    """Why a row has no label; empty where it has one. Raises StriateError for a number that cannot be one."""
    if value is None or value == "":
        return "the row has no label"
    if value == NO_LABEL:
        return HIDDEN
    if isinstance(value, int) and value < 0:
        raise StriateError(f"{where}: label {value} is negative; labels are numbers from 0 or 1, or names")
    return ""


def contents_of(
    opened_file: pq.ParquetFile, column: str, file: Place, name: str, in_place: int | None
) -> tuple[Sequence[Content | None], list[str | None]]:
    """The images, and their paths where bytes are missing.

    Args:
        opened_file: the file `file`.
        column: of the images.
        file: where it lies.
        name: what it is called in reports.
        in_place: how many rows there are, for where their images lie, without reading them; None for what they are.

    Raises:
        StriateError: the column holds no images, or another number of rows.
    """
    where = printable(file)
    kind = opened_file.schema_arrow.field(column).type
    if not holds_images(kind):
        raise StriateError(f"{where}: column '{column}' is {kind}; images are struct<bytes, path> or binary")
    if in_place is not None and isinstance(file, Path):
        shard = shard_of(opened_file, file, column, name)
        if int(shard.starts[-1]) != in_place:
            raise StriateError(
                f"{where} is damaged: its row groups do not have the rows that there are; fetch it again"
            )
        return list(shard.rows()), [None] * in_place
    table = opened_file.read([column])
    contents = column_bytes(table[column]).to_pylist()
    paths = column_paths(table[column])
    named = paths is not None and any(content is None for content in contents)
    return contents, paths.to_pylist() if named and paths is not None else [None] * len(contents)


def _labels(table: pa.Table, column: str, where: str) -> list[Any]:
    """The labels as numbers or as class names; None where a row has none. Categories are what they stand for."""
    import pyarrow as pa

    kind = table.schema.field(column).type
    stands_for = kind.value_type if pa.types.is_dictionary(kind) else kind
    values = table[column].to_pylist()
    if pa.types.is_integer(stands_for):
        return values
    if pa.types.is_boolean(stands_for):
        return [None if value is None else str(value) for value in values]
    if pa.types.is_null(stands_for):
        return values
    if str(stands_for) in ("string", "large_string", "string_view"):
        return [None if value is None else class_name(value) for value in values]
    if pa.types.is_floating(stands_for):  # what pandas makes of whole numbers with gaps
        present = [value for value in values if value is not None and value == value]
        if all(float(value).is_integer() for value in present):
            return [None if value is None or value != value else int(value) for value in values]
    raise StriateError(f"{where}: column '{column}' is {kind}; labels are whole numbers or strings")


def column_called(schema: pa.Schema, wanted: tuple[str, ...], where: str, meaning: str) -> str:
    """The first column that has one of the names, whatever its case. Raises StriateError where there is none."""
    for name in wanted:
        for column in schema.names:
            if column.lower() == name:
                return column
    raise StriateError(
        f"{where} has no {meaning} column: call it {' or '.join(wanted[:2])}; "
        f"its columns are: {', '.join(schema.names)}"
    )


def declared_names(schema: pa.Schema, label: str) -> tuple[str, ...]:
    """The class names in Hugging Face's metadata, in the order of their numbers, or none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        feature = features[label]
        if isinstance(feature, list):  # as older versions write a list of labels
            (feature,) = feature
        feature = feature.get("feature", feature)
        names = feature["names"]
        if isinstance(names, dict):  # {"0": "cat"}, as the hub's cards write them
            names = [names[str(number)] for number in range(len(names))]
    except (AttributeError, KeyError, ValueError, TypeError):
        return ()
    return tuple(class_name(str(name)) for name in names) if isinstance(names, list) else ()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
