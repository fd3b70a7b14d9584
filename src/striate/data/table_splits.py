"""Which split each row of a table belongs to: a column of words, or columns that answer with yes and no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set

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
_TRUTH = {
    **dict.fromkeys(("true", "t", "1", "1.0", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "0.0", "no", "n"), False),
}


def choose_splits(
    columns: Mapping[str, str], rows: Sequence[Row], where: str
) -> tuple[Chooser | None, tuple[str, ...]]:
    """How the rows tell their split, and what is to be said about it; None where they tell none.

    Args:
        columns: the columns by their names in lower case.
        rows: all rows.
        where: the table, for errors.
    """
    columns = {name.replace("_", "").replace("-", ""): column for name, column in columns.items()}

    def cells_of(name: str) -> list[str]:
        return [cells[columns[name]].strip() for _, cells in rows]

    def those(names: Iterable[str]) -> list[str]:
        return [name for name in names if name in columns]

    folds = [name for name in those(_FOLD_COLUMNS) if not any(map(split_of, cells_of(name)))]
    notes = tuple(
        f"column '{columns[name]}' ignored: its {len({*cells_of(name)} - {''})} values are folds, no division into "
        "train and val"
        for name in folds
    )
    words = those(_WORD_COLUMNS) + [name for name in those(_FOLD_COLUMNS) if name not in folds]
    words += [name for name in those(_PERHAPS) if all(map(split_of, cells_of(name)))]
    flags: dict[str, str] = {}
    if not words:
        flags = {_FLAG_COLUMNS[name]: columns[name] for name in those(_FLAG_COLUMNS)}
        for name in those(_FLAGS_PERHAPS):
            if all(cell.casefold() in _TRUTH for cell in cells_of(name)):
                flags.setdefault(SPLIT_WORDS[name], columns[name])
    used = {columns[name] for name in words[:1]} | {*flags.values()}
    for name in those((*_WORD_COLUMNS, *_FOLD_COLUMNS, *_PERHAPS, *_FLAG_COLUMNS, *_FLAGS_PERHAPS)):
        if columns[name] not in used and name not in folds:
            notes += (_unused_note(columns[name], used, cells_of(name)),)
    if words:
        return _by_word(columns[words[0]], where), notes
    return (_by_flags(flags, where) if flags else None), notes


def _unused_note(column: str, used: Set[str], cells: Sequence[str]) -> str:
    """That a column whose name speaks of splits was left aside, and why."""
    if used:
        return f"column '{column}' not used: the split is said by {' and '.join(map(repr, sorted(used)))}"
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
        truth = _TRUTH.get(cells[column].strip().casefold())
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
