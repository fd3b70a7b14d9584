"""What a caller says of the labels of a table: what kind they are, and in which columns they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from striate.data.targets import MULTI_LABEL, check_kind
from striate.errors import StriateError, UsageError


@dataclass(frozen=True)
class Asked:
    """The wish; what is left open follows from the table.

    Attributes:
        task: "single-label", "multi-label" or "regression"; None for what the columns look like.
        target: names of the columns of labels.
        known: the names that a model has for its outputs, where a table is opened to measure it.

    Raises:
        UsageError: there is no such task, or a column is named twice.
    """

    task: str | None = None
    target: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

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
