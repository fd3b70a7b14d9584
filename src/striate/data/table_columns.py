"""What the columns of a table say of each image: several labels as words or as yes and no, or values as numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from striate.data.asked import labels_of
from striate.data.images import printable
from striate.data.listing import class_name, sorted_classes
from striate.data.table_splits import TRUTH
from striate.data.targets import MULTI_LABEL, REGRESSION
from striate.errors import StriateError

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


def words_in(column: str, cells: Sequence[str]) -> Targets:
    """Labels that stand as words in one column, with the likeliest sign that it has between them."""
    separator = next(sign for sign in SEPARATORS if sign is None or any(sign in cell for cell in cells))
    between = f"'{separator}'" if separator else "spaces"

    def read(row: Mapping[str, str]) -> frozenset[str]:
        return frozenset(name for part in row[column].split(separator) if (name := class_name(part)))

    note = f"several labels for each image: column '{column}', {between} between"
    return Targets(MULTI_LABEL, (), (column,), read, (note,))


def flags_in(columns: Sequence[str], cells: Mapping[str, list[str]], where: str, told: bool) -> Targets:
    """Labels that each have a column of yes and no.

    Args:
        columns: they, as the table spells them.
        cells: of every column.
        where: the table, for errors.
        told: whether a note says that they were found, since nobody named them.

    Raises:
        StriateError: they hold both 0 and -1, of which either may mean no.
    """
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


def values_in(columns: Sequence[str], cells: Mapping[str, list[str]], where: str) -> Targets:
    """Values that each have a column of numbers. Raises StriateError where one holds none."""
    for column in columns:
        if not any(number_in(cell) is not None for cell in cells.get(column, ())):
            raise StriateError(f"{where}: column '{column}' holds no numbers to predict")

    def read(row: Mapping[str, str]) -> tuple[float, ...]:
        found = []
        for column in columns:
            value = number_in(row[column].strip())
            if value is None:
                raise ValueError(f"column '{column}' holds '{row[column].strip()}', which is no number")
            found.append(value)
        return tuple(found)

    names = tuple(class_name(column) for column in columns)
    shown = ", ".join(f"'{name}'" for name in names[:3]) + (", …" if len(names) > 3 else "")
    return Targets(REGRESSION, names, tuple(columns), read, (f"values to predict: {shown}",))


def number_in(cell: str) -> float | None:
    """The finite number that a cell holds."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def is_flags(cells: Sequence[str]) -> bool:
    """Whether a column says yes and no."""
    return any(cells) and all(not cell or cell in MINUS or cell.lower() in TRUTH for cell in cells)


def is_numbers(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers only."""
    return any(cells) and all(not cell or number_in(cell) is not None for cell in cells)
