"""Which split each row of a table belongs to: a column of words, or columns that answer with yes and no."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from striate.data.split_names import SPLIT_WORDS, split_of
from striate.errors import StriateError

#: A row of a table: its line in the file, and its cells by column.
Row = tuple[int, Mapping[str, str]]
#: A row's split.
Chooser = Callable[[Row], str]

#: Columns that are meant to say the split, in words. Names are compared without case, spaces, "_" and "-".
_WORD_COLUMNS = ("split", "set", "subset")
#: Columns that are taken to say it where all their cells do, and may well mean something else.
_PERHAPS = ("partition", "usage", "phase", "part", "dataset", "datasplit", "splitname")
#: Columns that say it where some of their cells do, and else are numbers of folds.
_FOLD_COLUMNS = ("fold", "folds", "kfold", "cvfold", "foldid")
#: Columns that are true for the rows of one split. fastai writes `is_valid`.
_FLAG_COLUMNS = {
    "istrain": "train",
    "istraining": "train",
    "isvalid": "val",
    "isval": "val",
    "isvalidation": "val",
    "istest": "test",
}
_FLAGS_PERHAPS = ("train", "training", "valid", "val", "validation", "test")
_SPEAKING = (*_WORD_COLUMNS, *_FOLD_COLUMNS, *_PERHAPS, *_FLAG_COLUMNS, *_FLAGS_PERHAPS)
TRUTH = {
    **dict.fromkeys(("true", "t", "1", "1.0", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "0.0", "no", "n"), False),
}


def speaks_of_splits(name: str) -> bool:
    """Whether a column of this name is taken to say the split, or perhaps to."""
    return name.replace("_", "").replace("-", "") in _SPEAKING


def choose_splits(
    columns: Mapping[str, str], rows: Sequence[Row], where: str
) -> tuple[Chooser | None, tuple[str, ...]]:
    """How the rows tell their split, and what is to be said about it; None where they tell none.

    Args:
        columns: the columns by their names in lower case.
        rows: all rows.
        where: the table, for errors.
    """
    named = {name.replace("_", "").replace("-", ""): column for name, column in columns.items()}
    speaking = [name for name in _SPEAKING if name in named]
    cells = {name: [row[named[name]].strip() for _, row in rows] for name in speaking}
    folds = [name for name in _FOLD_COLUMNS if name in cells and not any(map(split_of, cells[name]))]
    words = _word_columns(cells, folds)
    flags = {} if words else _flag_columns(cells)
    used = {*words[:1], *flags.values()}
    said_by = sorted(named[name] for name in used)
    notes = [_folds_note(named[name], cells[name]) for name in folds]
    notes += [_unused_note(named[name], said_by, cells[name]) for name in speaking if name not in {*used, *folds}]
    if words:
        return _by_word(named[words[0]], where), tuple(notes)
    by_flags = _by_flags({split: named[name] for split, name in flags.items()}, where) if flags else None
    return by_flags, tuple(notes)


def _word_columns(cells: Mapping[str, Sequence[str]], folds: Sequence[str]) -> list[str]:
    """The columns that say the split in words; the first is believed."""
    meant = [name for name in (*_WORD_COLUMNS, *_FOLD_COLUMNS) if name in cells and name not in folds]
    return meant + [name for name in _PERHAPS if name in cells and all(map(split_of, cells[name]))]


def _flag_columns(cells: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The columns that are true for the rows of a split, by split."""
    flags = {split: name for name, split in _FLAG_COLUMNS.items() if name in cells}
    for name in _FLAGS_PERHAPS:
        if name in cells and all(cell.casefold() in TRUTH for cell in cells[name]):
            flags.setdefault(SPLIT_WORDS[name], name)
    return flags


def _folds_note(column: str, cells: Sequence[str]) -> str:
    values = len({*cells} - {""})
    return f"column '{column}' ignored: its {values} values are folds, no division into train and val"


def _unused_note(column: str, said_by: Sequence[str], cells: Sequence[str]) -> str:
    """That a column whose name speaks of splits was left aside, and why."""
    if said_by:
        return f"column '{column}' not used: the split is said by {' and '.join(map(repr, said_by))}"
    values = sorted(set(cells))
    shown = ", ".join(map(repr, values[:3])) + ", …" * (len(values) > 3)
    return f"column '{column}' not used: {shown} do not say train, val or test, nor yes or no"


def _by_word(column: str, where: str) -> Chooser:
    def choose(row: Row) -> str:
        line, cells = row
        split = split_of(cells[column])
        if split is None:
            raise StriateError(f"{where}:{line}: unknown split {cells[column]!r}; it is one of train, val and test")
        return split

    return choose


def _by_flags(flags: Mapping[str, str], where: str) -> Chooser:
    def is_true(column: str, row: Row) -> bool:
        line, cells = row
        truth = TRUTH.get(cells[column].strip().casefold())
        if truth is None:
            raise StriateError(f"{where}:{line}: {column} is {cells[column]!r}; it is True or False")
        return truth

    def choose(row: Row) -> str:
        true = [split for split, column in flags.items() if is_true(column, row)]
        if len(true) > 1:
            raise StriateError(f"{where}:{row[0]}: the row is in {' and in '.join(true)}; it can be in one split only")
        if true:
            return true[0]
        return "train" if "train" not in flags else "val" if "test" in flags else "test"

    return choose
