"""A CSV file that names one image and its class per row."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.listing import SPLIT_WORDS, Listing, Part, index_labels, sorted_classes
from striate.errors import StriateError

PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path")
LABEL_COLUMNS = ("label", "class", "target", "class_name", "category")
SPLIT_COLUMNS = ("split", "set", "subset", "fold")


def list_csv(path: Path) -> Listing:
    """List the images of a CSV file (comma, semicolon or tab; UTF-8) with a header.

    It needs a column of paths (`path`, `file`, `filename` or `image`), relative to the file itself, and a
    column of class names (`label`, `class` or `target`); a column `split` may say train, val or test.

    Raises:
        StriateError: a column is missing, a split is unknown, the file is no text, fewer than two classes.
    """
    where = printable(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            head = stream.readline()
            stream.seek(0)
            delimiter = max(",;\t", key=head.count)
            reader = csv.DictReader(stream, delimiter=delimiter)
            header = [name for name in reader.fieldnames or [] if name]
            path_column = _find(header, PATH_COLUMNS, where, "of image paths")
            label_column = _find(header, LABEL_COLUMNS, where, "of class names")
            split_column = _find_optional(header, SPLIT_COLUMNS)
            rows = [
                (
                    reader.line_num,
                    row[path_column],
                    row[label_column],
                    row[split_column] if split_column else "train",
                )
                for row in reader
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise StriateError(f"{where} is not a CSV file in UTF-8: {error}") from error
    except OSError as error:
        raise StriateError(f"{where} cannot be read: {error.strerror}") from error

    skipped = []
    found: dict[str, list[tuple[Path, str]]] = {}
    for line, file, label, split in rows:
        if not (file or "").strip() or not (label or "").strip():
            missing = "path" if not (file or "").strip() else "label"
            skipped.append(Skipped(f"{where}:{line}", f"the row has no {missing}"))
            continue
        part = SPLIT_WORDS.get((split or "").strip().lower())
        if part is None:
            raise StriateError(f"{where}:{line}: unknown split '{split}'; it is one of train, val and test")
        found.setdefault(part, []).append((path.parent / file.strip(), label.strip()))
    if not found:
        raise StriateError(f"{where} has no rows with a path and a label")
    if "train" not in found:
        raise StriateError(f"{where} has no rows of the split train")
    classes = sorted_classes([label for rows_of in found.values() for _, label in rows_of])
    parts = {}
    for name, entries in found.items():
        paths = [file for file, _ in entries]
        labels = index_labels([label for _, label in entries], classes)
        parts[name] = Part(paths, [printable(file) for file in paths], labels)
    return Listing(classes, parts, tuple(skipped))


def _find_optional(header: Iterable[str], wanted: Iterable[str]) -> str | None:
    by_name = {name.strip().lower(): name for name in header}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _find(header: list[str], wanted: tuple[str, ...], where: str, meaning: str) -> str:
    column = _find_optional(header, wanted)
    if column is None:
        listed = ", ".join(header) or "none"
        raise StriateError(
            f"{where} has no column {meaning}: call it {' or '.join(wanted[:3])}; its columns are: {listed}"
        )
    return column
