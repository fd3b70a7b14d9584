"""Augmented copies of pictures that are the same whenever they are asked for, so that their features can be kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from striate.augment import Augment, recolour, warp
from striate.data import Preprocessing

#: Copies of each image that a classifier of features is fitted to as well before training by steps, whose images are
#: augmented, too; where it is all there is, as many of them as take no more multiply-adds than this.
VIEWS, CHEAP = 4, 1e11


def cheap_views(multiply_adds: int, images: int) -> int:
    """How many copies of so many images cost next to nothing, for a network with so many multiply-adds an image."""
    return int(min(VIEWS, CHEAP // max(1, multiply_adds * images)))


@dataclass(frozen=True)
class Copy:
    """A way to cut a picture that chance decides, and then the picture itself: never when or by whom it is cut.

    Attributes:
        number: tells the copies of a picture apart.
        augment: how strongly they are changed.
    """

    number: int
    augment: Augment

    def serving(self, look: Preprocessing) -> None:
        """Pictures are read whole: a part of one may be shown large."""

    def cut(self, picture: NDArray[np.uint8], look: Preprocessing) -> NDArray[np.uint8]:
        """What the network sees of uint8 (H, W, C): uint8 (*look.size, C)."""
        digest = hashlib.blake2b(picture.tobytes(), digest_size=8).digest()
        rng = np.random.default_rng([self.number, int.from_bytes(digest, "big")])
        if self.augment.changes_geometry:
            size = np.array([picture.shape[:2]])
            matrices = self.augment.sample_geometry(rng, size, look.size, look.resize, look.crop_fraction)
            seen = warp([picture], matrices, look.size, self.augment.border)[0]
        else:
            seen = look(picture)
        return recolour(seen, self.augment.sample_colour(rng, 1)[0]) if self.augment.changes_colour else seen
