"""Chance, picture by picture: seed, epoch and image decide what is drawn, never the worker, the batch or the order.

Each image of each epoch has a row of random numbers of its own, one for every question that a policy may ask. So one
more transform leaves what the others draw as it was, and two policies that share a transform share its draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: What a policy may ask of chance; each name is a column. New names come last: the others keep their numbers.
QUESTIONS: Final = (
    *("flip", "vertical_flip", "area", "ratio", "left", "top", "rotate", "scale", "shear_x", "shear_y"),
    *("translate_x", "translate_y", "crop_x", "crop_y", "brightness", "contrast", "saturation", "hue", "grey"),
    *("red", "green", "blue", "pca_size_1", "pca_size_2", "pca_size_3", "pca_turn_1", "pca_turn_2", "pca_turn_3"),
    *("elastic", "downscale", "blur", "noise", "jpeg", "erase", "erase_area", "erase_ratio", "erase_x", "erase_y"),
    *("mix", "mix_share", "mix_x", "mix_y"),
)
_COLUMN = {name: column for column, name in enumerate(QUESTIONS)}
#: Streams that share nothing: the numbers of a row, the order in which transforms are chosen, the pixels of each.
_ROWS, _CHOICE, _PIXELS = range(3)


class Draws:
    """The random numbers of some images in one epoch.

    Args:
        seed: of the run.
        epoch: counted from 0.
        images: a number for each image, below 2^64, that is its own.
        repeats: how often each image has come before in this epoch; 0 for each where none comes twice.
    """

    def __init__(self, seed: int, epoch: int, images: Sequence[int], repeats: Sequence[int] | None = None) -> None:
        self._seed, self._epoch, self._images = seed, epoch, [int(image) for image in images]
        self._repeats = [0] * len(self._images) if repeats is None else [int(repeat) for repeat in repeats]
        self._shares = self._table(_ROWS, len(QUESTIONS))
        self._acting: dict[str, NDArray[np.bool_]] = {}
        self._whole = False

    def __len__(self) -> int:
        return len(self._images)

    def choose(self, names: Sequence[str], count: int) -> None:
        """Let only `count` of the transforms `names` act on each image, drawn anew for each."""
        ranks = self._table(_CHOICE, len(names)).argsort(axis=1).argsort(axis=1)
        self._acting = {name: ranks[:, place] < count for place, name in enumerate(names)}

    def at_full_strength(self) -> None:
        """Draw only which way a transform goes: how far is its whole strength."""
        self._whole = True

    def share(self, question: str) -> NDArray[np.float64]:
        """Numbers even in [0, 1), one for each image."""
        return self._shares[:, _COLUMN[question]]

    def acting(self, transform: str) -> NDArray[np.bool_]:
        """Which images a transform acts on: all, but where only some are chosen."""
        return self._acting.get(transform, np.ones(len(self), bool))

    def chance(self, transform: str, probability: float) -> NDArray[np.bool_]:
        """Whether a transform acts on each image, which it does with that probability."""
        return (self.share(transform) < probability) & self.acting(transform)

    def either_way(self, transform: str, strength: float, question: str = "") -> NDArray[np.float64]:
        """Numbers even in [-strength, strength); 0 for images that the transform spares."""
        return self.around(transform, -strength, 0.0, strength, question)

    def up_to(self, transform: str, strength: float) -> NDArray[np.float64]:
        """Numbers even in [0, strength); 0 for images that the transform spares."""
        return np.where(self.acting(transform), strength * (1.0 if self._whole else self.share(transform)), 0.0)

    def around(self, transform: str, low: float, rest: float, high: float, question: str = "") -> NDArray[np.float64]:
        """Numbers even in [low, high), or one of both at full strength; `rest` for images that the transform spares."""
        share = self.share(question or transform)
        drawn = np.where(share < 0.5, low, high) if self._whole else low + share * (high - low)
        return np.where(self.acting(transform), drawn, rest)

    def pixels(self, row: int, transform: str) -> np.random.Generator:
        """A source of chance for what a transform does to the single pixels of one image."""
        return np.random.Generator(self._source(_PIXELS + _COLUMN[transform], row))

    def _table(self, stream: int, columns: int) -> NDArray[np.float64]:
        table = np.empty((len(self), columns))
        for row in range(len(self)):
            np.random.Generator(self._source(stream, row)).random(out=table[row])
        return table

    def _source(self, stream: int, row: int) -> np.random.Philox:
        """Philox counts: what tells the rows apart stands in its counter, whose lowest word it uses up itself."""
        return np.random.Philox(
            key=np.array([self._seed % 2**64, stream], np.uint64),
            counter=np.array([0, self._repeats[row], self._images[row], self._epoch], np.uint64),
        )
