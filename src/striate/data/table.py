"""A CSV file that names one image and its class per row."""

from __future__ import annotations

import codecs
import csv
import io
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.listing import Listing, Part, choice_note, class_name, index_labels, sorted_classes
from striate.data.table_splits import Row, choose_splits
from striate.errors import StriateError
from striate.units import plural

PATH_COLUMNS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name"),
    *("img", "img_path", "paths", "files", "filenames", "filepaths", "file_paths", "images", "image_paths"),
)
LABEL_COLUMNS = ("label", "class", "target", "class_name", "category", "labels")


def list_csv(path: Path) -> Listing:
    """List the images of a CSV file (comma, semicolon, tab or bar; UTF-8, or UTF-16 with its mark) with a header.

    It needs a column of paths (`path`, `file`, `filename` or `image`), relative to the file itself, and a column of
    class names (`label`, `class` or `target`); a column `split` may say train, val or test, or a column `is_valid`
    whether a row is for validation. Backslashes are read as slashes where no file has them in its name.

    Raises:
        StriateError: a column is missing, a split is unknown, the file is no text, no file of it is there.
    """
    where = printable(path)
    columns, rows, skipped = _read(path, where)
    path_column = _find(columns, PATH_COLUMNS, where, "of image paths")
    label_column = _find(columns, LABEL_COLUMNS, where, "of class names")
    choose, notes = choose_splits(columns, rows, where)
    notes += choice_note([columns[name] for name in LABEL_COLUMNS if name in columns], "the classes")

    found: dict[str, dict[tuple[Path, str], None]] = {}
    slashed = repeated = 0
    for row in rows:
        line, cells = row
        name, label = cells[path_column].strip(), class_name(cells[label_column])
        if "\n" in name or "\n" in cells[label_column].strip():
            raise StriateError(f"{where}:{line}: the row goes over several lines; is a quotation mark missing?")
        if not name or not label:
            skipped.append(Skipped(f"{where}:{line}", f"the row has no {'label' if name else 'path'}"))
            continue
        file = _locate(path.parent, name)
        slashed += "\\" in name and "\\" not in str(file)
        entries = found.setdefault(choose(row) if choose else "train", {})
        repeated += (file, label) in entries
        entries[file, label] = None
    if not found:
        raise StriateError(f"{where} has no rows with a path and a label")
    _demand_one_file(where, path.parent, [file for entries in found.values() for file, _ in entries])
    if slashed:
        notes += (f"{plural(slashed, 'path')} with backslashes read with slashes",)
    if repeated:
        notes += (f"{plural(repeated, 'row')} left out: the same path and label as a row before",)
    classes = sorted_classes(label for entries in found.values() for _, label in entries)
    parts = {}
    for split, entries in found.items():
        paths = [file for file, _ in entries]
        labels = index_labels([label for _, label in entries], classes)
        parts[split] = Part(paths, [printable(file) for file in paths], labels)
    return Listing(classes, parts, tuple(skipped), notes, divided=choose is not None)


def _read(path: Path, where: str) -> tuple[dict[str, str], list[Row], list[Skipped]]:
    """The columns by their names (lower case, words joined by _), the rows, and those of too many cells."""
    try:
        lines = io.StringIO(_decode(path.read_bytes()), newline="")
        head = lines.readline()
        if head.strip().strip('"').lower().startswith("sep="):  # Excel's own line
            head = lines.readline()
        start = lines.tell() - len(head)
        lines.seek(start)
        reader = csv.DictReader(lines, delimiter=max(",;\t|", key=head.count), restval="")
        names = [(name.strip().lower().replace(" ", "_"), name) for name in reader.fieldnames or [] if name.strip()]
        columns = dict(names)
        if len(columns) < len(names):
            twice = next(name for name, count in Counter(name for name, _ in names).items() if count > 1)
            raise StriateError(f"{where} has two columns '{printable(columns[twice])}'; rename one")
        first = lines.getvalue()[:start].count("\n")
        rows: list[Row] = []
        skipped = []
        for cells in reader:
            line = reader.line_num + first
            if any(cells.pop(None, ())):
                skipped.append(Skipped(f"{where}:{line}", "the row has more cells than the first line"))
            else:
                rows.append((line, cells))
    except UnicodeDecodeError as error:
        raise StriateError(f"{where} is not a text in UTF-8 ({error}); save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise StriateError(f"{where} is not a CSV file: {error}") from error
    except OSError as error:
        raise StriateError(f"{where} cannot be read: {error.strerror}") from error
    return columns, rows, skipped


def _decode(content: bytes) -> str:
    sixteen = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if sixteen else "utf-8-sig")
    if "\0" in text:
        raise UnicodeDecodeError("utf-8", content[:1], 0, 1, "it holds zero bytes")
    return text


def _locate(folder: Path, name: str) -> Path:
    """The file that a cell names: as it is written, else with slashes, else in another spelling of its accents."""
    plain = name.replace("\\", "/")
    spellings = (name, plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain))
    return next((folder / spelling for spelling in spellings if os.path.exists(folder / spelling)), folder / name)


def _demand_one_file(where: str, folder: Path, files: list[Path]) -> None:
    """Raise StriateError where none of the files is there: the paths are then meant from another folder."""
    if not any(map(os.path.exists, files)):
        raise StriateError(
            f"{where}: no such file as {printable(files[0])}, nor any other of the {len(files):,} rows; "
            f"paths are taken from {printable(folder)}"
        )


def _find(columns: Mapping[str, str], wanted: Iterable[str], where: str, meaning: str) -> str:
    column = next((columns[name] for name in wanted if name in columns), None)
    if column is None:
        listed = ", ".join(map(printable, columns.values())) or "none"
        names = " or ".join(list(wanted)[:3])
        raise StriateError(f"{where} has no column {meaning}: call it {names}; its columns are: {listed}")
    return column
