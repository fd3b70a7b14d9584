"""Parquet files in Hugging Face's image layout: `image` struct<bytes, path>, `label` int64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Skipped
from striate.data.decode import UnreadableImage, read_file
from striate.data.images import printable
from striate.data.listing import SPLIT_WORDS, Listing, Part, index_labels, sorted_classes
from striate.errors import StriateError

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE_COLUMNS = ("image", "img", "picture")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target")


def parquet_files(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of each split in a folder, or in its folder `data`, shards in order.

    `train-00000-of-00002.parquet` belongs to train. A file without a split's name belongs to train when no
    file has one, and is left alone otherwise.
    """
    for place in (folder, folder / "data"):
        files = sorted(place.glob("*.parquet")) if place.is_dir() else []
        found: dict[str, list[Path]] = {}
        for file in files:
            split = SPLIT_WORDS.get(file.name.lower().replace("_", "-").split(".")[0].split("-")[0])
            if split is not None:
                found.setdefault(split, []).append(file)
        if files:
            return found or {"train": files}
    return {}


def list_parquet(files: dict[str, list[Path]], label_column: str | None = None) -> Listing:
    """List the images of Parquet files, by split.

    Class names come from the schema metadata (key `huggingface`), else from string labels, else from the
    numbers. A test split whose labels are all -1, as published without answers, is left out.

    Raises:
        StriateError: no image or label column, labels outside the class names, damaged files.
    """
    read = {split: [_read(file, label_column) for file in paths] for split, paths in files.items() if paths}
    if "train" not in read:
        raise StriateError(f"there is no train split among {', '.join(printable(f[0]) for f in files.values())}")
    notes: tuple[str, ...] = ()
    if "test" in read and all((np.asarray(t.labels) == -1).all() for t in read["test"] if not t.strings):
        del read["test"]
        notes = ("the test split has no labels (all are -1) and was left out",)
    tables = [table for split in read.values() for table in split]
    classes = next((table.classes for table in tables if table.classes), ())
    if tables[0].strings:
        classes = sorted_classes([label for table in tables for label in table.labels])
    elif not classes:
        classes = tuple(str(n) for n in range(max((max(t.labels, default=-1) for t in tables), default=-1) + 1))
    parts = {split: _join(tables_of, classes) for split, tables_of in read.items()}
    skipped = tuple(entry for table in tables for entry in table.skipped)
    return Listing(classes, parts, skipped, notes)


class _Rows:
    """The usable rows of one file."""

    def __init__(self, file: Path, classes: tuple[str, ...], strings: bool):
        self.file, self.classes, self.strings = file, classes, strings
        self.encoded: list[bytes] = []
        self.names: list[str] = []
        self.labels: list[Any] = []
        self.skipped: list[Skipped] = []


def _read(file: Path, label_column: str | None) -> _Rows:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    where = printable(file)
    try:
        schema = pq.read_schema(file)
        image = _column(schema, IMAGE_COLUMNS, where, "image")
        label = _column(schema, (label_column,) if label_column else LABEL_COLUMNS, where, "label")
        table = pq.read_table(file, columns=[image, label])
    except PermissionError:
        raise StriateError(f"{where} cannot be read: permission denied") from None
    except (pa.ArrowException, OSError) as error:
        raise StriateError(f"{where} is not a Parquet file, or it is damaged ({_first_line(error)})") from error
    kind = table.schema.field(image).type
    paths: list[str | None] = [None] * len(table)
    if pa.types.is_struct(kind) and "bytes" in [kind.field(i).name for i in range(kind.num_fields)]:
        contents = pc.struct_field(table[image], "bytes").to_pylist()
        if any(content is None for content in contents) and kind.get_field_index("path") >= 0:
            paths = pc.struct_field(table[image], "path").to_pylist()
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        contents = table[image].to_pylist()
    else:
        raise StriateError(f"{where}: column '{image}' is {kind}; images are struct<bytes, path> or binary")
    label_kind = table.schema.field(label).type
    strings = pa.types.is_string(label_kind) or pa.types.is_large_string(label_kind)
    if not strings and not pa.types.is_integer(label_kind):
        raise StriateError(f"{where}: column '{label}' is {label_kind}; labels are whole numbers or strings")

    rows = _Rows(file, _class_names(schema, label), strings)
    for row, (content, path, value) in enumerate(zip(contents, paths, table[label].to_pylist(), strict=True)):
        name = f"{file.name}[{row}]"
        if content is None and path:
            try:
                content = read_file(file.parent / path)
            except UnreadableImage as error:
                rows.skipped.append(Skipped(name, f"{path}: {error.reason}"))
                continue
        if content is None or value is None:
            rows.skipped.append(Skipped(name, "the row has no image" if content is None else "no label"))
            continue
        rows.encoded.append(content)
        rows.names.append(name)
        rows.labels.append(value)
    return rows


def _join(tables: list[_Rows], classes: tuple[str, ...]) -> Part:
    encoded = [content for table in tables for content in table.encoded]
    names = [name for table in tables for name in table.names]
    values = [label for table in tables for label in table.labels]
    if tables[0].strings:
        return Part(encoded, names, index_labels(values, classes))
    labels = np.asarray(values, dtype=np.int64)
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(outside):
        row = int(outside[0])
        raise StriateError(
            f"{printable(tables[0].file.parent)}/{names[row]}: label {labels[row]} is outside the "
            f"{len(classes)} class names (0 to {len(classes) - 1})"
        )
    return Part(encoded, names, labels)


def _column(schema: pa.Schema, wanted: tuple[str, ...], where: str, meaning: str) -> str:
    for name in wanted:
        if name in schema.names:
            return name
    raise StriateError(
        f"{where} has no {meaning} column: call it {' or '.join(wanted[:2])}; "
        f"its columns are: {', '.join(schema.names)}"
    )


def _class_names(schema: pa.Schema, label: str) -> tuple[str, ...]:
    """The class names in Hugging Face's metadata, or none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, ValueError, TypeError):
        return ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
