"""The images of all splits in one row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.data.dataset import Split
from striate.data.survey import Place
from striate.data.targets import as_keys


class Whole:
    """All images of some splits, numbered through in the order of the splits."""

    def __init__(self, splits: Sequence[Split]) -> None:
        self.splits = splits
        self._starts = np.cumsum([0, *map(len, splits)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def locate(self, number: int) -> tuple[Split, int]:
        """The split and the row in it."""
        which = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self.splits[which], int(number - self._starts[which])

    def name(self, number: int) -> str:
        """Where the image came from."""
        split, row = self.locate(number)
        return split.images.name(row)

    def place(self, number: int) -> Place:
        """Where the image lies."""
        split, row = self.locate(number)
        return Place(split.name, split.images.name(row), as_keys(split.labels[row : row + 1])[0])
