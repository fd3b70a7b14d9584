"""What a caller says of labels: what kind they are, in which columns of a table, whether a class may be empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from striate.data.images import printable
from striate.data.targets import MULTI_LABEL, check_kind
from striate.errors import StriateError, UsageError, nearest


@dataclass(frozen=True)
class Asked:
    """The wish; what is left open follows from the table.

    Attributes:
        task: "single-label", "multi-label" or "regression"; None for what the columns look like.
        target: names of the columns of labels.
        known: the names that a model has for its outputs, where a table is opened to measure it.
        empty_classes: whether a class may have no image, as where a data set is only checked.

    Raises:
        UsageError: there is no such task, or a column is named twice.
    """

    task: str | None = None
    target: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    empty_classes: bool = False

    def __post_init__(self) -> None:
        if self.task is not None:
            check_kind(self.task)
        if len(set(self.target)) < len(self.target):
            raise UsageError(f"target names a column twice: {', '.join(self.target)}.")

    def __bool__(self) -> bool:
        return self.task is not None or bool(self.target)


#: Nothing is said; everything follows from the table.
NOTHING = Asked()


def column_names(target: str | Iterable[str] | None) -> tuple[str, ...]:
    """Names of columns from one text with commas, or from several."""
    parts = target.split(",") if isinstance(target, str) else target or ()
    return tuple(name.strip() for name in parts if name.strip())


def column_asked(name: str, columns: Mapping[str, str], where: str, images: str = "") -> str:
    """The column of a name that was asked for, as the table spells it.

    Args:
        name: with spaces or _, in either case.
        columns: the columns by their names in lower case.
        where: the table, for errors.
        images: the column that says which image each row is of, where that may be meant by mistake.

    Raises:
        UsageError: there is none, or it is that of the images.
    """
    keys = (name.lower(), name.lower().replace(" ", "_"))
    column = next((columns[key] for key in keys if key in columns), None)
    if column is None:
        listed = ", ".join(map(printable, columns.values()))
        raise UsageError(f"{where} has no column '{name}'.{nearest(keys[0], list(columns))} Its columns are: {listed}")
    if column == images:
        raise UsageError(f"{where}: column '{images}' says where the images are; name another one to be learnt.")
    return column


def labels_of(sets: Sequence[frozenset[str]], names: Sequence[str]) -> np.ndarray:
    """Which of some names each set holds, bool (N, K)."""
    positions = {name: place for place, name in enumerate(names)}
    labels = np.zeros((len(sets), len(names)), bool)
    for row, found in enumerate(sets):
        labels[row, [positions[name] for name in found]] = True
    return labels


def demand_targets(where: str, task: str, names: Sequence[str], labels: np.ndarray) -> None:
    """Raise StriateError where there is nothing to learn: no label that some images have, or a value that is constant.

    Args:
        where: the source, for the error.
        task: "multi-label" or "regression".
        names: of labels or values.
        labels: of the training images.
    """
    if task == MULTI_LABEL:
        if not labels.any():
            raise StriateError(f"{where}: no training image has a label, so there is nothing to learn")
        return
    for name, column in zip(names, labels.T, strict=True):
        if len(column) and (column == column[0]).all():
            raise StriateError(
                f"{where}: '{name}' is {column[0]:g} in all training images, so there is nothing to learn"
            )
