"""Which columns of a table say several labels or values of each image, in place of one class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from striate.data.asked import Asked, column_asked
from striate.data.images import printable
from striate.data.listing import class_name
from striate.data.table_columns import Targets, flags_in, is_flags, is_numbers, number_in, values_in, words_in
from striate.data.table_splits import Row
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from striate.errors import StriateError

#: Columns of several words for each image, beside those that a single class may stand in.
WORD_COLUMNS = ("tags", "tag", "attributes", "label", "labels", "class", "classes", "target", "category", "categories")
#: Columns of one value.
VALUE_COLUMNS = ("value", "target", "y", "score", "label", "labels")


def choose_targets(
    columns: Mapping[str, str], rows: Sequence[Row], images: str, taken: Iterable[str], asked: Asked, where: str
) -> Targets | None:
    """The columns of several labels or of values; None where each image has one class.

    Args:
        columns: the columns by their names in lower case with _ for spaces.
        rows: all rows.
        images: the column of the images.
        taken: columns that say something else.
        asked: what the caller says.
        where: the table, for errors.

    Raises:
        StriateError: the columns do not say what was asked for.
        UsageError: there is no column of a name that was given, or it is that of the images.
    """
    free = {name: column for name, column in columns.items() if column not in set(taken)}
    cells = {column: [row[column].strip() for _, row in rows] for column in free.values()}
    named = [column_asked(name, columns, where, images) for name in asked.target]
    task = asked.task or _kind(named, cells, free, where)
    if task == SINGLE_LABEL:
        return None
    if task == REGRESSION:
        return values_in(named or _value_columns(free, cells, asked.known, where), cells, where)
    flags = named if len(named) > 1 else _known_flags(free, asked.known)
    words = named[0] if len(named) == 1 else next((free[name] for name in WORD_COLUMNS if name in free), None)
    if not flags and words is not None and not (named and is_flags(cells[words])):
        return words_in(words, cells[words])
    flags = flags or named or [column for column in free.values() if is_flags(cells[column])]
    if not flags:
        raise StriateError(
            f"{where} has no column of labels: call one tags or labels, with | between them, or give each label a "
            f"column of 0 and 1; its columns are: {', '.join(map(printable, columns.values()))}"
        )
    return flags_in(flags, cells, where, told=not named)


def single_class_notes(column: str, cells: Sequence[str]) -> tuple[str, ...]:
    """What is odd about a column that is read as one class for each image."""
    if sum("|" in cell or ";" in cell for cell in cells) > len(cells) / 10:
        return (f"column '{column}' is read as one class for each image; if | or ; divides labels: task multi-label",)
    numbers = [value for cell in cells if cell and (value := number_in(cell)) is not None]
    if len(numbers) == len([cell for cell in cells if cell]) and any(value != int(value) for value in numbers):
        return (
            f"column '{column}' holds fractions and is read as classes; to predict them as values: task regression",
        )
    return ()


def _kind(named: Sequence[str], cells: Mapping[str, list[str]], free: Mapping[str, str], where: str) -> str:
    """What the columns look like."""
    if len(named) > 1:
        if all(is_flags(cells.get(column, ())) for column in named):
            return MULTI_LABEL
        if all(is_numbers(cells.get(column, ())) for column in named):
            return REGRESSION
        raise StriateError(
            f"{where}: the columns {', '.join(named)} are neither all of 0 and 1 (several labels) nor all of numbers "
            "(values); name others"
        )
    if named:
        found = [value for cell in cells.get(named[0], ()) if cell and (value := number_in(cell)) is not None]
        fractions = any(value != int(value) for value in found)
        return REGRESSION if fractions and is_numbers(cells[named[0]]) else SINGLE_LABEL
    if any(name in free for name in ("label", "class", "target", "class_name", "category", "labels")):
        return SINGLE_LABEL
    flags = [column for column in free.values() if is_flags(cells[column])]
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
        return [column_asked(name, free, where) for name in known]
    for name in VALUE_COLUMNS:
        if name in free:
            return [free[name]]
    if found := [column for column in free.values() if is_numbers(cells[column])]:
        return found
    listed = ", ".join(map(printable, free.values())) or "none"
    raise StriateError(f"{where} has no column of numbers to predict; the columns that are left are: {listed}")
