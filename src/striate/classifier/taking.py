"""Taking the features of a run's images through its frozen network: watched, within its time, with augmented copies."""

from __future__ import annotations

import math
import time

import numpy as np

from striate.augment import Augment
from striate.data import Split
from striate.data.views import CENTRE, View
from striate.errors import StriateError
from striate.training.progress import Quiet
from striate.transfer.copies import Copy
from striate.transfer.features import Extractor, Features
from striate.units import plural, whole


class TimeIsUp(StriateError):
    """The time limit passed before there was a classifier."""


class Taking:
    """Takes features as a run does.

    Args:
        extractor: of the run's network.
        augment: how copies are augmented.
        progress: shows what goes on.
        until: when the time limit passes, by `time.monotonic`.

    Attributes:
        extractor: that.
        copies: the features of the training images, then of their augmented copies.
    """

    def __init__(self, extractor: Extractor, augment: Augment, progress: Quiet, until: float = math.inf) -> None:
        self.extractor = extractor
        self.copies: list[Features] = []
        self._augment, self._progress, self._until = augment, progress, until

    def take(self, split: Split, view: View | Copy = CENTRE) -> Features:
        """The features of a split's images.

        Raises:
            TimeIsUp: the limit passed; features that were taken are kept.
            StriateError: an image cannot be read.
        """
        with self._progress.counting(f"taking features of{' augmented' if isinstance(view, Copy) else ''}") as shown:

            def in_time(done: int, total: int) -> None:
                shown(done, total)
                if time.monotonic() > self._until and done < total:
                    raise TimeIsUp(
                        f"the time limit passed when {whole(done)} of {plural(total, f'{split.name} image')} had gone "
                        "through the network; their features are kept, so the same command goes on from there"
                    )

            return self.extractor.take(split, view=view, shown=in_time)

    def train(self, split: Split) -> Features:
        """The features of the images to train on, the first of `copies`."""
        self.copies = [self.take(split)]
        return self.copies[0]

    def augmented(self, split: Split, views: int, asked_for: bool) -> None:
        """Take augmented copies of the images to train on until there are so many.

        Those that nobody asked for are left out where the time is up.

        Raises:
            TimeIsUp: the limit passed, and they were asked for.
        """
        while len(self.copies) <= views:
            try:
                self.copies.append(self.take(split, Copy(len(self.copies), self._augment)))
            except TimeIsUp:
                if asked_for:
                    raise
                return

    @property
    def vectors(self) -> np.ndarray:
        """What the classifier sees of all copies, float32 (copies * N, D)."""
        return np.concatenate([features.of() for features in self.copies])
