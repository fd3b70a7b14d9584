"""A CSV file that names one image and its class, its labels or its values per row."""

from __future__ import annotations

import codecs
import csv
import io
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from striate.data.asked import NOTHING, Asked
from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.listing import Listing, Part, choice_note, class_name, index_labels, sorted_classes
from striate.data.table_columns import Said
from striate.data.table_splits import Chooser, Row, choose_splits, speaks_of_splits
from striate.data.table_targets import choose_targets, single_class_notes
from striate.data.targets import MULTI_LABEL, SINGLE_LABEL
from striate.errors import StriateError
from striate.units import plural

PATH_COLUMNS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name"),
    *("img", "img_path", "paths", "files", "filenames", "filepaths", "file_paths", "images", "image_paths"),
)
LABEL_COLUMNS = ("label", "class", "target", "class_name", "category", "labels")


def list_csv(path: Path, asked: Asked = NOTHING) -> Listing:
    """List the images of a CSV file (comma, semicolon, tab or bar; UTF-8, or UTF-16 with its mark) with a header.

    It needs a column of paths (`path`, `file`, `filename` or `image`), relative to the file itself, and a column of
    class names (`label`, `class` or `target`), or columns of several labels or of values (`choose_targets`); a column
    `split` may say train, val or test, or a column `is_valid` whether a row is for validation. Backslashes are read as
    slashes where no file has them in its name. Rows of the same image add up where it may have several labels.

    Raises:
        StriateError: a column is missing, a split is unknown, the file is no text, no file of it is there.
        UsageError: there is no column of a name that was asked for.
    """
    where = printable(path)
    columns, rows, skipped = _read(path, where)
    path_column = _find(columns, PATH_COLUMNS, where, "of image paths")
    choose, notes = choose_splits(columns, rows, where)
    taken = [columns[name] for name in columns if name in PATH_COLUMNS or speaks_of_splits(name)]
    taken = [column for column in taken if column not in {columns.get(name) for name in asked.target}]
    targets = choose_targets(columns, rows, path_column, taken, asked, where)
    say: Callable[[Mapping[str, str]], Said | str]
    if targets is not None:
        say, more = targets.read, targets.notes
    else:
        say, more = _one_class(columns, rows, asked, where)
    entries = _Entries(path, path_column, choose, say)
    for row in rows:
        entries.add(row)
    notes += more + entries.notes()
    found = {split: list(pairs) for split, pairs in entries.found.items()}
    if targets is not None and targets.kind == MULTI_LABEL:
        found = {split: _added_up(pairs) for split, pairs in found.items()}
    everything = [said for pairs in found.values() for _, said in pairs]
    classes = targets.named(everything) if targets else sorted_classes(map(str, everything))
    parts = {}
    for split, pairs in found.items():
        paths, said = [file for file, _ in pairs], [said for _, said in pairs]
        labels = targets.labels(said, classes) if targets else index_labels([str(each) for each in said], classes)
        parts[split] = Part(paths, [printable(file) for file in paths], labels)
    kind = targets.kind if targets else SINGLE_LABEL
    skipped += entries.skipped
    return Listing(classes, parts, tuple(skipped), notes, divided=choose is not None, task=kind, table=True)


class _Entries:
    """The files of each split with what is said of them, each pair once, as the rows are added."""

    def __init__(
        self, table: Path, path_column: str, choose: Chooser | None, say: Callable[[Mapping[str, str]], Said | str]
    ) -> None:
        self.table, self.path_column, self.choose, self.say = table, path_column, choose, say
        self.found: dict[str, dict[tuple[Path, Said | str], None]] = {}
        self.skipped: list[Skipped] = []
        self.slashed = self.repeated = 0

    def add(self, row: Row) -> None:
        """Take a row, or note why it is left out. Raises StriateError where the file is broken."""
        line, cells = row
        name, where = cells[self.path_column].strip(), f"{printable(self.table)}:{line}"
        try:
            if "\n" in name:
                raise _Unclosed
            if not name:
                raise ValueError("the row has no path")
            said = self.say(cells)
        except _Unclosed:
            raise StriateError(f"{where}: the row goes over several lines; is a quotation mark missing?") from None
        except ValueError as error:
            self.skipped.append(Skipped(where, str(error)))
            return
        file = _locate(self.table.parent, name)
        self.slashed += "\\" in name and "\\" not in str(file)
        entries = self.found.setdefault(self.choose(row) if self.choose else "train", {})
        self.repeated += (file, said) in entries
        entries[file, said] = None

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the rows. Raises StriateError where there are none, or no file of theirs is there."""
        where = printable(self.table)
        if not self.found:
            raise StriateError(f"{where} has no rows with a path and a label")
        _demand_one_file(where, self.table.parent, [file for pairs in self.found.values() for file, _ in pairs])
        notes = []
        if self.slashed:
            notes.append(f"{plural(self.slashed, 'path')} with backslashes read with slashes")
        if self.repeated:
            notes.append(f"{plural(self.repeated, 'row')} left out: the same path and label as a row before")
        return tuple(notes)


class _Unclosed(ValueError):
    """A cell that holds a line end."""


def _one_class(
    columns: Mapping[str, str], rows: Sequence[Row], asked: Asked, where: str
) -> tuple[Callable[[Mapping[str, str]], Said | str], tuple[str, ...]]:
    """What reads the class of a row, and what is to be said about its column."""
    wanted = [name.lower().replace(" ", "_") for name in asked.target] or LABEL_COLUMNS
    column = _find(columns, wanted, where, "of class names")
    there = [columns[name] for name in LABEL_COLUMNS if name in columns] if not asked.target else []

    def read(cells: Mapping[str, str]) -> str:
        if "\n" in cells[column].strip():
            raise _Unclosed
        if not (label := class_name(cells[column])):
            raise ValueError("the row has no label")
        return label

    notes = () if asked.task else single_class_notes(column, [cells[column].strip() for _, cells in rows])
    return read, notes + choice_note(there, "the classes")


def _added_up(entries: Iterable[tuple[Path, Said | str]]) -> list[tuple[Path, Said | str]]:
    """One entry for each file, with the labels of all its rows."""
    together: dict[Path, Said] = {}
    for file, said in entries:
        together[file] = frozenset({*map(str, together.get(file, ())), *map(str, said)})
    return list(together.items())


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
        hint = "" if "path" in wanted else " or name it by target"
        raise StriateError(f"{where} has no column {meaning}: call it {names}{hint}; its columns are: {listed}")
    return column
