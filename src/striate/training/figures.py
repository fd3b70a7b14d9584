"""The figures by which training is followed: what each is called in words and how it is written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from striate.units import percent


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        words: what it is called.
        share: whether it is a share, from 0 to 1, written in percent.
    """

    words: str
    share: bool = True

    def write(self, value: float, decimals: int = 2) -> str:
        """A value as it is printed."""
        if not math.isfinite(value):
            return "–"
        return percent(value, decimals) if self.share else f"{value:.{decimals + 2}f}"


#: By the name that columns of metrics.csv have, after "train_" or "val_". The first that a table has is its score.
FIGURES = {
    "accuracy": Figure("accuracy"),
    "top5": Figure("top-5"),
    "map": Figure("mAP"),
    "f1": Figure("F1"),
    "r2": Figure("R²", share=False),
    "mae": Figure("mean absolute error", share=False),
}


def score_in(names: Iterable[str], prefix: str = "") -> str:
    """The score among names of columns, which begin with `prefix`: "accuracy" where "val_accuracy" is one."""
    there = set(names)
    return next(name for name in FIGURES if f"{prefix}{name}" in there)
