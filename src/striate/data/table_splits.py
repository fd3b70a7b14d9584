"""Which split each row of a table belongs to: a column of words, or columns that answer with yes and no."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from striate.data.split_names import SPLIT_WORDS, split_of
from striate.errors import StriateError

#: A row of a table: its line in the file, and its cells by column.
Row = tuple[int, Mapping[str, str]]
#: A row's split.
Chooser = Callable[[Row], str]

#: Columns that are meant to say the split, in words.
_WORD_COLUMNS = ("split", "set", "subset", "fold")
#: Columns that are taken to say it where all their cells do, and may well mean something else.
_PERHAPS = ("partition", "usage", "phase", "part", "data_set", "dataset", "data_split", "split_name")
_FOLD_COLUMNS = ("fold", "folds", "kfold", "k_fold", "cv_fold", "fold_id")
#: Columns that are true for the rows of one split. fastai writes `is_valid`.
_FLAG_COLUMNS = {
    "is_train": "train",
    "is_training": "train",
    "is_valid": "val",
    "is_val": "val",
    "is_validation": "val",
    "is_test": "test",
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

    def cells_of(name: str) -> list[str]:
        return [cells[columns[name]].strip() for _, cells in rows]

    folds = next((name for name in _FOLD_COLUMNS if name in columns and all(map(_is_number, cells_of(name)))), None)
    notes: tuple[str, ...] = ()
    if folds is not None:
        count = len(set(cells_of(folds)))
        notes = (f"column '{columns[folds]}' ignored: its {count} numbers are folds, no division into train and val",)
    words = [name for name in _WORD_COLUMNS if name in columns and name != folds]
    words += [name for name in _PERHAPS if name in columns and all(map(split_of, cells_of(name)))]
    if words:
        return _by_word(columns[words[0]], where), notes
    flags = {split: columns[name] for name, split in _FLAG_COLUMNS.items() if name in columns}
    for name in _FLAGS_PERHAPS:
        if name in columns and all(cell.casefold() in _TRUTH for cell in cells_of(name)):
            flags.setdefault(SPLIT_WORDS[name], columns[name])
    return (_by_flags(flags, where) if flags else None), notes


def _is_number(cell: str) -> bool:
    return cell.casefold().removeprefix("fold").strip("_- ").removesuffix(".0").isdecimal()


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
