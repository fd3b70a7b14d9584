"""Parquet files in Hugging Face's image layout: `image` struct<bytes, path>, `label` int64 or the class itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.asked import NOTHING, Asked
from striate.data.few import few
from striate.data.images import printable
from striate.data.kept import MEMORY_LIMIT
from striate.data.listing import SPLITS, Listing, Part, choice_note, numbers_note, sorted_classes
from striate.data.parquet_rows import HIDDEN, LABEL_COLUMNS, NO_LABEL, NUMBERS, ParquetRows, opened, read_rows
from striate.data.parquet_shard import LARGE_GROUP, largest_group
from striate.data.parquet_targets import kind_in, list_targets
from striate.data.targets import SINGLE_LABEL
from striate.data.tree import Place
from striate.errors import StriateError
from striate.units import decimal_size


def list_parquet(
    files: Mapping[str, Sequence[Place]],
    notes: tuple[str, ...] = (),
    divided: bool = True,
    asked: Asked = NOTHING,
    limit: int = MEMORY_LIMIT,
) -> Listing:
    """List the images of Parquet files, by split; those of files larger than `limit` together stay in them.

    Every file says its labels by its own class names: those of its schema's metadata (key `huggingface`), else the
    strings or numbers in the rows. Numbers without names take the names that all other files agree on. A split
    without any label, as tests are published, is left out.

    Raises:
        StriateError: no image or label column, labels outside the class names, damaged files.
    """
    every = [file for paths in files.values() for file in paths]
    names = _distinct_names(every)
    kind = kind_in(every[0], asked)
    in_place = _bytes_of(every) > limit
    notes += _group_note(every) if in_place else ()
    if kind != SINGLE_LABEL:
        return list_targets(files, names, kind, asked, notes, divided, in_place)
    wanted = tuple(name.lower() for name in asked.target) or LABEL_COLUMNS
    there = [split for split in SPLITS if split in files]
    read = {split: [read_rows(file, names[file], wanted, in_place) for file in files[split]] for split in there}
    tables = [table for of_split in read.values() for table in of_split]
    notes += next((note for table in tables if (note := choice_note(table.label_columns, "the classes"))), ())
    notes += _lend_names(tables) + _merged_notes(tables)
    empty = [split for split, of_split in read.items() if not any(len(table.codes) for table in of_split)]
    if len(empty) < len(read):
        notes += tuple(f"the {split} split {_why_empty(read.pop(split))} and was left out" for split in empty)
    tables = [table for of_split in read.values() for table in of_split]
    used = {name for table in tables for name in table.used()}
    classes, unused = _classes(tables, used)
    if unused:
        notes += (f"no rows of {len(unused):,} of the named classes: {few([*map(repr, unused)])}",)
    if all(table.kind == NUMBERS for table in tables):
        notes += numbers_note(classes)
    parts = {split: _join(of_split, classes) for split, of_split in read.items()}
    skipped = tuple(entry for table in tables for entry in table.skipped)
    hidden = sum(table.hidden for table in tables)
    hint = f"; {hidden:,} rows have no label (-1 stands for none)" if hidden else ""
    return Listing(classes, parts, skipped, notes, divided, hint, table=True)


def _bytes_of(files: Sequence[Place]) -> int:
    """The size of all files; 0 where they lie in an archive, out of which they are read whole."""
    return sum(file.stat().st_size if isinstance(file, Path) else 0 for file in files)


def _group_note(files: Sequence[Place]) -> tuple[str, ...]:
    """A line where row groups are so large that a picture takes long to be read."""
    for file in files:
        with opened(printable(file)):
            if (size := largest_group(file)) > LARGE_GROUP:
                return (
                    f"{printable(file.name)}: row groups of up to {decimal_size(size)}, which are read whole for one "
                    "picture; write it anew in smaller ones (row_group_size=100)",
                )
    return ()


def _distinct_names(files: Sequence[Place]) -> dict[Place, str]:
    """What each file is called in reports: its name, with as many of its folders as tell it from the others."""
    if len({file.name for file in files}) == len(files):
        return {file: printable(file.name) for file in files}
    common = os.path.commonpath([str(file.parent) for file in files])
    return {file: printable(os.path.relpath(str(file), common)) for file in files}


def _lend_names(tables: Sequence[ParquetRows]) -> tuple[str, ...]:
    """Name the numbers of files without class names after those of the other files, in place."""
    nameless = [table for table in tables if table.kind == NUMBERS]
    named = {table.declared: table for table in tables if table.declared}
    if not nameless or not named:
        return ()
    if len(named) > 1:
        raise StriateError(
            f"{nameless[0].where} has no class names, and those of the other files differ; so its numbers mean nothing"
        )
    ((declared, lender),) = named.items()
    for table in nameless:
        table.take_names(declared, lender.name)
    without = ", ".join(table.name for table in nameless)
    return (f"{without}: no class names of its own, so those of {lender.name} are used",)


def _merged_notes(tables: Sequence[ParquetRows]) -> tuple[str, ...]:
    """A line on class names that stand for several numbers."""
    lists = {table.declared: table.name for table in reversed(tables)}
    twice = {file: sorted({name for name in names if names.count(name) > 1}) for names, file in lists.items()}
    return tuple(
        f"{file}: {few([*map(repr, names)])} named more than once: each is one class"
        for file, names in twice.items()
        if names
    )


def _why_empty(tables: Sequence[ParquetRows]) -> str:
    rows = sum(table.rows for table in tables)
    hidden = sum(table.hidden for table in tables)
    if not rows:
        return "has no rows"
    if hidden == rows:
        numbers = {entry.reason for table in tables for entry in table.skipped} == {HIDDEN}
        return f"has no labels (all are {NO_LABEL if numbers else 'empty'})"
    first = next(entry for table in tables for entry in table.skipped)
    return f"has no usable rows (the first: {first.path}: {first.reason})"


def _classes(tables: Sequence[ParquetRows], used: set[str]) -> tuple[tuple[str, ...], list[str]]:
    """The classes that have rows, in the order of the files' own names, else sorted; and the names without rows."""
    declared = list(dict.fromkeys(name for table in tables for name in table.declared))
    undeclared = sorted_classes(used - set(declared))
    return tuple(name for name in (*declared, *undeclared) if name in used), [n for n in declared if n not in used]


def _join(tables: Sequence[ParquetRows], classes: Sequence[str]) -> Part:
    encoded: list[Any] = [content for table in tables for content in table.encoded]
    names = [name for table in tables for name in table.row_names]
    labels = [table.labels_in(classes) for table in tables]
    return Part(encoded, names, np.concatenate(labels) if labels else np.empty(0, dtype=np.int64))
