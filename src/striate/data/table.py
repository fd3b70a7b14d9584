"""A table that names one image and its class, its labels or its values per row, such as a CSV file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from striate.data.asked import NOTHING, Asked
from striate.data.csv_file import Table, read_csv
from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.listing import Listing, Part, choice_note, class_name, index_labels, sorted_classes
from striate.data.table_columns import Said
from striate.data.table_splits import Chooser, Row, choose_splits, speaks_of_splits
from striate.data.table_targets import choose_targets, single_class_notes
from striate.data.targets import MULTI_LABEL, SINGLE_LABEL
from striate.data.tree import Place, child
from striate.errors import StriateError
from striate.units import plural

PATH_COLUMNS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name"),
    *("img", "img_path", "paths", "files", "filenames", "filepaths", "file_paths", "images", "image_paths"),
)
LABEL_COLUMNS = ("label", "class", "target", "class_name", "category", "labels")

#: What a row says.
Say = Callable[[Mapping[str, str]], Said | str]


def list_csv(path: Place, asked: Asked = NOTHING) -> Listing:
    """List the images of a CSV file, as `read_csv` reads it.

    It needs a column of paths (`path`, `file`, `filename` or `image`), relative to the file itself, and a column of
    class names (`label`, `class` or `target`), or columns of several labels or of values (`choose_targets`); a column
    `split` may say train, val or test, or a column `is_valid` whether a row is for validation. Backslashes are read as
    slashes where no file has them in its name. Rows of the same image add up where it may have several labels.

    Raises:
        StriateError: a column is missing, a split is unknown, the file is no text, no file of it is there.
        UsageError: there is no column of a name that was asked for.
    """
    table = read_csv(path)
    column = find_column(table.columns, PATH_COLUMNS, printable(path), "of image paths")
    return list_tables([table], column, printable(path), asked)


def list_tables(
    tables: Sequence[Table],
    path_column: str,
    where: str,
    asked: Asked = NOTHING,
    split_of: Callable[[Table, Place], str | None] | None = None,
    class_of: Callable[[Place], str] | None = None,
) -> Listing:
    """List the images of tables that have the same columns.

    Args:
        tables: one or more.
        path_column: the column of the images' paths.
        where: what they are together, for errors.
        asked: what the caller says of the labels.
        split_of: the split of an image, or None, where no column says it.
        class_of: the class of an image where no column says it; empty where it has none.

    Raises:
        StriateError: as `list_csv`.
        UsageError: likewise.
    """
    columns = {name: column for table in reversed(tables) for name, column in table.columns.items()}
    tables = [table if len(table.columns) == len(columns) else _padded(table, columns) for table in tables]
    rows = [row for table in tables for row in table.rows]
    choosers: list[Chooser | None] = []
    notes: tuple[str, ...] = ()
    for table in tables:
        choose, more = choose_splits(table.columns, table.rows, printable(table.path))
        choosers.append(choose)
        notes += tuple(note for note in more if note not in notes)
    taken = [columns[name] for name in columns if columns[name] == path_column or speaks_of_splits(name)]
    taken += [columns[name] for name in columns if name in PATH_COLUMNS]
    taken = [column for column in taken if column not in {columns.get(name) for name in asked.target}]
    targets = choose_targets(columns, rows, path_column, taken, asked, where)
    by_place = targets is None and class_of is not None and not _says_classes(columns, asked)
    say: Say
    if targets is not None:
        say, more = targets.read, targets.notes
    elif by_place:
        say, more = _nothing, ()
    else:
        say, more = _one_class(columns, rows, asked, where)
    entries = Entries(path_column, say, class_of if by_place else None)
    for table, choose in zip(tables, choosers, strict=True):
        for row in table.rows:
            entries.add(table, row, choose, split_of)
    notes += more + entries.notes(where, tables)
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
    skipped = (*(entry for table in tables for entry in table.skipped), *entries.skipped)
    return Listing(classes, parts, skipped, notes, divided=entries.divided, task=kind, table=True)


class Entries:
    """The files of each split with what is said of them, each pair once, as the rows are added.

    Args:
        path_column: the column of the paths.
        say: what a row says.
        class_of: the class of an image by its place, in place of what the row says.
    """

    def __init__(self, path_column: str, say: Say, class_of: Callable[[Place], str] | None = None) -> None:
        self.path_column, self.say, self.class_of = path_column, say, class_of
        self.found: dict[str, dict[tuple[Place, Said | str], None]] = {}
        self.skipped: list[Skipped] = []
        self.slashed = self.repeated = 0
        self.divided = False

    def add(
        self,
        table: Table,
        row: Row,
        choose: Chooser | None,
        split_of: Callable[[Table, Place], str | None] | None = None,
    ) -> None:
        """Take a row, or note why it is left out. Raises StriateError where the file is broken."""
        line, cells = row
        name, where = cells.get(self.path_column, "").strip(), f"{printable(table.path)}:{line}"
        try:
            if "\n" in name:
                raise _Unclosed
            if not name:
                raise ValueError("the row has no path")
            said = self.say(cells)
            file = _locate(table.path.parent, name)
            if self.class_of is not None and not (said := self.class_of(file)):
                raise ValueError("the row has no label, and its file lies in no class folder")
        except _Unclosed:
            raise StriateError(f"{where}: the row goes over several lines; is a quotation mark missing?") from None
        except ValueError as error:
            self.skipped.append(Skipped(where, str(error)))
            return
        self.slashed += "\\" in name and "\\" not in str(file)
        split = choose(row) if choose else split_of(table, file) if split_of else None
        self.divided = self.divided or choose is not None or split is not None
        entries = self.found.setdefault(split or "train", {})
        self.repeated += (file, said) in entries
        entries[file, said] = None

    def notes(self, where: str, tables: Sequence[Table]) -> tuple[str, ...]:
        """What is to be said of the rows. Raises StriateError where there are none, or no file of theirs is there."""
        if not self.found:
            first = f"; the first: {self.skipped[0].path}: {self.skipped[0].reason}" if self.skipped else ""
            raise StriateError(f"{where} has no rows with a path and a label{first}")
        demand_one_file(where, tables[0].path.parent, [file for pairs in self.found.values() for file, _ in pairs])
        notes = []
        if self.slashed:
            notes.append(f"{plural(self.slashed, 'path')} with backslashes read with slashes")
        if self.repeated:
            notes.append(f"{plural(self.repeated, 'row')} left out: the same path and label as a row before")
        return tuple(notes)


def _padded(table: Table, columns: Mapping[str, str]) -> Table:
    """A table with empty cells in the columns that others have."""
    blank = dict.fromkeys(columns.values(), "")
    return replace(table, columns=dict(columns), rows=[(line, {**blank, **cells}) for line, cells in table.rows])


class _Unclosed(ValueError):
    """A cell that holds a line end."""


def _says_classes(columns: Mapping[str, str], asked: Asked) -> bool:
    """Whether a column of classes is there, or was asked for."""
    return bool(asked.target) or any(name in columns for name in LABEL_COLUMNS)


def _nothing(cells: Mapping[str, str]) -> str:
    return ""


def _one_class(
    columns: Mapping[str, str], rows: Sequence[Row], asked: Asked, where: str
) -> tuple[Say, tuple[str, ...]]:
    """What reads the class of a row, and what is to be said about its column."""
    wanted = [name.lower().replace(" ", "_") for name in asked.target] or LABEL_COLUMNS
    column = find_column(columns, wanted, where, "of class names")
    there = [columns[name] for name in LABEL_COLUMNS if name in columns] if not asked.target else []

    def read(cells: Mapping[str, str]) -> str:
        if "\n" in cells[column].strip():
            raise _Unclosed
        if not (label := class_name(cells[column])):
            raise ValueError("the row has no label")
        return label

    notes = () if asked.task else single_class_notes(column, [cells[column].strip() for _, cells in rows])
    return read, notes + choice_note(there, "the classes")


def _added_up(entries: Iterable[tuple[Place, Said | str]]) -> list[tuple[Place, Said | str]]:
    """One entry for each file, with the labels of all its rows."""
    together: dict[Place, Said] = {}
    for file, said in entries:
        together[file] = frozenset({*map(str, together.get(file, ())), *map(str, said)})
    return list(together.items())


def _locate(folder: Place, name: str) -> Place:
    """The file that a cell names: as it is written, else with slashes, else in another spelling of its accents."""
    plain = name.replace("\\", "/")
    spellings = (name, plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain))
    return next((file for spelling in spellings if is_there(file := child(folder, spelling))), child(folder, name))


def is_there(file: Place) -> bool:
    """Whether there is such a file or folder, whatever its name."""
    try:
        return file.exists()
    except (OSError, ValueError):  # a name that is too long, or holds zero bytes
        return False


def demand_one_file(where: str, folder: Place, files: Sequence[Place]) -> None:
    """Raise StriateError where none of the files is there: the paths are then meant from another folder."""
    if not any(map(is_there, files)):
        raise StriateError(
            f"{where}: no such file as {printable(files[0])}, nor any other of the {len(files):,} rows; "
            f"paths are taken from {printable(folder)}"
        )


def find_column(columns: Mapping[str, str], wanted: Iterable[str], where: str, meaning: str) -> str:
    """The first of some columns that is there. Raises StriateError where none is."""
    column = next((columns[name] for name in wanted if name in columns), None)
    if column is None:
        listed = ", ".join(map(printable, columns.values())) or "none"
        names = " or ".join(list(wanted)[:3])
        hint = "" if "path" in wanted else " or name it by target"
        raise StriateError(f"{where} has no column {meaning}: call it {names}{hint}; its columns are: {listed}")
    return column
