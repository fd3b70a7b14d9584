"""Augmented copies of pictures that are the same whenever they are asked for, so that their features can be kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from striate.augment import Augment
from striate.augment.augmenting import moved, recoloured, spoilt
from striate.augment.sampling import draws, geometries
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
        image = int.from_bytes(hashlib.blake2b(picture.tobytes(), digest_size=8).digest(), "big")
        policy = self.augment.under(look.resize)
        drawn = draws(policy, 0, self.number, np.array([image], np.uint64))
        if policy.changes_geometry:
            sizes = np.array([picture.shape[:2]])
            matrices = geometries(policy, drawn, sizes, look.size, look.resize, look.crop_fraction)
            seen = moved(policy, drawn, [picture], matrices, look.size)
        else:
            seen = look(picture)[None]
        recoloured(policy, drawn, seen)
        spoilt(policy, drawn, seen)
        return seen[0]
