"""Columns of a CSV file that hold several labels or values for each image, in place of one class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from striate.data.asked import Asked, labels_of
from striate.data.images import printable
from striate.data.listing import class_name, sorted_classes
from striate.data.table_splits import TRUTH, Row
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from striate.errors import StriateError, UsageError, nearest

#: Columns of several words for each image, beside those that a single class may stand in.
WORD_COLUMNS = ("tags", "tag", "attributes", "label", "labels", "class", "classes", "target", "category", "categories")
#: Columns of one value.
VALUE_COLUMNS = ("value", "target", "y", "score", "label", "labels")
#: What may stand between words, the likeliest first; words may hold those that come after.
SEPARATORS = ("|", ";", ",", None)
#: What says no where nothing else does.
MINUS = ("-1", "-1.0")

#: What is said of one image: the labels that it has, or its values.
Said = frozenset[str] | tuple[float, ...]


@dataclass(frozen=True)
class Targets:
    """How the rows of a table say their labels.

    Attributes:
        kind: "multi-label" or "regression".
        names: of the labels where columns stand for them, or of the values; none where labels are words in a cell.
        columns: the columns used.
        read: what a row says. Raises ValueError with the reason where it says nothing that can be used.
        notes: what was decided, a line each.
    """

    kind: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    read: Callable[[Mapping[str, str]], Said]
    notes: tuple[str, ...] = ()

    def named(self, said: Iterable[Said | str]) -> tuple[str, ...]:
        """The names of all labels or values, once the rows have been read."""
        return self.names or sorted_classes(name for found in said for name in found if isinstance(name, str))

    def labels(self, said: Sequence[Said | str], names: Sequence[str]) -> np.ndarray:
        """What some rows say, in the form of the kind."""
        if self.kind == REGRESSION:
            return np.array(said, np.float64).reshape(len(said), len(names))
        return labels_of([frozenset(map(str, found)) for found in said], names)


def choose_targets(
    columns: Mapping[str, str], rows: Sequence[Row], taken: Iterable[str], asked: Asked, where: str
) -> Targets | None:
    """The columns of several labels or of values; None where each image has one class.

    Args:
        columns: the columns by their names in lower case with _ for spaces.
        rows: all rows.
        taken: columns that say something else.
        asked: what the caller says.
        where: the table, for errors.

    Raises:
        StriateError: the columns do not say what was asked for.
        UsageError: there is no column of a name that was given.
    """
    free = {name: column for name, column in columns.items() if column not in set(taken)}
    cells = {column: [row[column].strip() for _, row in rows] for column in free.values()}
    named = [_column(name, columns, where) for name in asked.target]
    task = asked.task or _kind(named, cells, free, where)
    if task == SINGLE_LABEL:
        return None
    if task == REGRESSION:
        return _values(named or _value_columns(free, cells, asked.known, where), cells, where)
    flags = named if len(named) > 1 else _known_flags(free, asked.known)
    words = named[0] if len(named) == 1 else next((free[name] for name in WORD_COLUMNS if name in free), None)
    if not flags and words is not None and not (named and _is_flag(cells[words])):
        return _words(words, cells[words])
    flags = flags or named or [column for column in free.values() if _is_flag(cells[column])]
    if not flags:
        raise StriateError(
            f"{where} has no column of labels: call one tags or labels, with | between them, or give each label a "
            f"column of 0 and 1; its columns are: {', '.join(map(printable, columns.values()))}"
        )
    return _flags(flags, cells, where, told=not named)


def single_class_notes(column: str, cells: Sequence[str]) -> tuple[str, ...]:
    """What is odd about a column that is read as one class for each image."""
    if sum("|" in cell or ";" in cell for cell in cells) > len(cells) / 10:
        return (f"column '{column}' is read as one class for each image; if | or ; divides labels: task multi-label",)
    numbers = [value for cell in cells if cell and (value := _number(cell)) is not None]
    if len(numbers) == len([cell for cell in cells if cell]) and any(value != int(value) for value in numbers):
        return (
            f"column '{column}' holds fractions and is read as classes; to predict them as values: task regression",
        )
    return ()


def _column(name: str, columns: Mapping[str, str], where: str) -> str:
    """The column of a name, as the table spells it."""
    key = name.lower().replace(" ", "_")
    if key not in columns:
        listed = ", ".join(map(printable, columns.values()))
        raise UsageError(f"{where} has no column '{name}'.{nearest(key, list(columns))} Its columns are: {listed}")
    return columns[key]


def _kind(named: Sequence[str], cells: Mapping[str, list[str]], free: Mapping[str, str], where: str) -> str:
    """What the columns look like."""
    if len(named) > 1:
        if all(_is_flag(cells.get(column, ())) for column in named):
            return MULTI_LABEL
        if all(_numbers(cells.get(column, ())) for column in named):
            return REGRESSION
        raise StriateError(
            f"{where}: the columns {', '.join(named)} are neither all of 0 and 1 (several labels) nor all of numbers "
            "(values); name others"
        )
    if named:
        found = [value for cell in cells.get(named[0], ()) if cell and (value := _number(cell)) is not None]
        fractions = any(value != int(value) for value in found)
        return REGRESSION if fractions and _numbers(cells[named[0]]) else SINGLE_LABEL
    if any(name in free for name in ("label", "class", "target", "class_name", "category", "labels")):
        return SINGLE_LABEL
    flags = [column for column in free.values() if _is_flag(cells[column])]
    return (
        MULTI_LABEL if len(flags) > 1 or any(name in free for name in ("tags", "tag", "attributes")) else SINGLE_LABEL
    )


def _known_flags(free: Mapping[str, str], known: Sequence[str]) -> list[str]:
    """The columns that are called after labels of a model, where it has any of them."""
    names = {class_name(name) for name in known}
    return [column for column in free.values() if class_name(column) in names]


def _value_columns(
    free: Mapping[str, str], cells: Mapping[str, list[str]], known: Sequence[str], where: str
) -> list[str]:
    if known:
        return [_column(name, free, where) for name in known]
    for name in VALUE_COLUMNS:
        if name in free:
            return [free[name]]
    if found := [column for column in free.values() if _numbers(cells[column])]:
        return found
    listed = ", ".join(map(printable, free.values())) or "none"
    raise StriateError(f"{where} has no column of numbers to predict; the columns that are left are: {listed}")


def _words(column: str, cells: Sequence[str]) -> Targets:
    separator = next(sign for sign in SEPARATORS if sign is None or any(sign in cell for cell in cells))
    between = f"'{separator}'" if separator else "spaces"

    def read(row: Mapping[str, str]) -> frozenset[str]:
        return frozenset(name for part in row[column].split(separator) if (name := class_name(part)))

    note = f"several labels for each image: column '{column}', {between} between"
    return Targets(MULTI_LABEL, (), (column,), read, (note,))


def _flags(columns: Sequence[str], cells: Mapping[str, list[str]], where: str, told: bool) -> Targets:
    every = {cell for column in columns for cell in cells[column]}
    minus = every & {*MINUS}
    if minus and every & {"0", "0.0"}:
        raise StriateError(
            f"{where}: the columns of labels hold both 0 and -1; write 0 for no and 1 for yes, and leave out what is "
            "not known"
        )
    names = {column: class_name(column) for column in columns}

    def read(row: Mapping[str, str]) -> frozenset[str]:
        return frozenset(name for column, name in names.items() if _truth(row[column].strip(), column))

    shown = ", ".join(f"'{printable(column)}'" for column in list(columns)[:3]) + (", …" if len(columns) > 3 else "")
    note = f"several labels for each image: {len(columns)} columns of 0 and 1 ({shown})"
    return Targets(MULTI_LABEL, tuple(names.values()), tuple(columns), read, (note,) if told else ())


def _truth(cell: str, column: str) -> bool:
    """Whether a cell says yes; an empty one says no."""
    if not cell or cell in MINUS:
        return False
    if cell.lower() not in TRUTH:
        raise ValueError(f"column '{column}' holds '{cell}', which is neither yes nor no")
    return TRUTH[cell.lower()]


def _values(columns: Sequence[str], cells: Mapping[str, list[str]], where: str) -> Targets:
    for column in columns:
        if not any(_number(cell) is not None for cell in cells.get(column, ())):
            raise StriateError(f"{where}: column '{column}' holds no numbers to predict")

    def read(row: Mapping[str, str]) -> tuple[float, ...]:
        found = []
        for column in columns:
            value = _number(row[column].strip())
            if value is None:
                raise ValueError(f"column '{column}' holds '{row[column].strip()}', which is no number")
            found.append(value)
        return tuple(found)

    names = tuple(class_name(column) for column in columns)
    shown = ", ".join(f"'{name}'" for name in names[:3]) + (", …" if len(names) > 3 else "")
    return Targets(REGRESSION, names, tuple(columns), read, (f"values to predict: {shown}",))


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_flag(cells: Sequence[str]) -> bool:
    """Whether a column says yes and no."""
    return any(cells) and all(not cell or cell in MINUS or cell.lower() in TRUTH for cell in cells)


def _numbers(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers only."""
    return any(cells) and all(not cell or _number(cell) is not None for cell in cells)
