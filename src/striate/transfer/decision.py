"""The choice of a regime, from how many images there are and how like those of the pretraining they are.

The lectures' table has two questions and four answers: few images or many, like the pretraining's or not. Where the
lines lie was measured (docs/transfer.md): fine-tuning that begins with a linear classifier of augmented copies gains
nothing where images are few and alike, and much where they are far from the pretraining's, however few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from striate.data.preprocessing import SMALL

#: From so many images of a class on: a share.
Steps = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Kin:
    """How images are akin to those of a network's pretraining, and what training on them comes to.

    Attributes:
        words: what is said of the images.
        enough: images of a class from which on it pays to train all of the network, if
        in_all: there are so many of all classes together.
        left: by regime, what is left of the error of a linear classifier of the features: means of what was measured.
    """

    words: str
    enough: int
    in_all: int
    left: Mapping[str, Steps]

    def enough_of(self, classes: int) -> int:
        """Images of each of so many classes from which on it pays to train all of the network."""
        return max(self.enough, math.ceil(self.in_all / max(1, classes)))


LIKE = Kin(
    "like those of the pretraining",
    500,
    0,
    MappingProxyType({"head": ((0, 1.0),), "top": ((0, 1.0),), "full": ((0, 1.0), (500, 0.65))}),
)
#: Alike, but of what guessing leaves open the features tell little: they know other things of them.
STRANGE = Kin(
    "like those of the pretraining in their values, of whose classes its features tell little",
    10,
    0,
    MappingProxyType(
        {
            "head": ((0, 1.0),),
            "top": ((0, 1.0), (10, 0.82), (50, 0.76), (200, 0.67)),
            "full": ((0, 1.0), (10, 0.77), (50, 0.72), (200, 0.62)),
        }
    ),
)
UNLIKE = Kin(
    "unlike those of the pretraining",
    10,
    40,
    MappingProxyType(
        {
            "head": ((0, 1.0),),
            "top": ((0, 1.0), (10, 0.96), (50, 0.89), (200, 0.8)),
            "full": ((0, 1.0), (10, 0.91), (50, 0.91), (200, 0.8)),
        }
    ),
)
FAR = Kin(
    "far from those of the pretraining",
    1,
    0,
    MappingProxyType(
        {
            "head": ((0, 1.0),),
            "top": ((0, 0.86), (2, 0.7), (5, 0.65), (10, 0.42), (50, 0.34), (200, 0.2)),
            "full": ((0, 0.85), (2, 0.69), (5, 0.55), (10, 0.39), (50, 0.25), (200, 0.16)),
        }
    ),
)
#: Nats from which on images are unlike those of the pretraining, and far from them: photographs lie at 0.01 to 0.04,
#: small pictures made larger at 0.2, drawn digits at 0.3 to 0.4, noise at 0.6. A network of small pictures is given
#: none made larger: what is unlike those of its pretraining is far from them.
UNLIKE_FROM, FAR_FROM = 0.1, 0.25
#: Of what guessing leaves open, the share that features tell wrong where they tell little.
STRANGE_FROM = 0.45


class Decision(NamedTuple):
    """A regime, and why.

    Attributes:
        regime: one of `striate.transfer.regimes.REGIMES`.
        why: in a clause.
    """

    regime: str
    why: str


def kin_of(distance: float, features: float, classes: int, side: int) -> Kin:
    """How images are akin to those of the pretraining.

    Args:
        distance: of theirs from those, nats; where it is not known they are taken to be like them.
        features: the accuracy of a linear classifier of the features; NaN where it is not known.
        classes: how many there are.
        side: of the images as the network sees them, pixels.
    """
    if distance >= (FAR_FROM if side > SMALL else UNLIKE_FROM):
        return FAR
    if distance >= UNLIKE_FROM:
        return UNLIKE
    wrong = (1 - features) / (1 - 1 / max(2, classes))
    return STRANGE if wrong >= STRANGE_FROM else LIKE


def decide(images: int, classes: int, distance: float, side: int, features: float = math.nan) -> Decision:
    """The regime that suits so many images of so many classes; the rest as `kin_of` has it."""
    each, kin = images / max(1, classes), kin_of(distance, features, classes, side)
    told = "" if math.isnan(distance) else f" (activations differ by {distance:.2g} nats)"
    regime = "full" if each >= kin.enough_of(classes) else "features"
    return Decision(regime, f"{each:,.0f} images a class, {kin.words}{told}")


def expected(regime: str, features: float, images: int, classes: int, kin: Kin) -> float:
    """The accuracy to be expected of a regime.

    Args:
        regime: "head", "top" or "full".
        features: the accuracy that a linear classifier of the features is expected to have.
        images: to train on.
        classes: of theirs.
        kin: how they are akin to those of the pretraining.
    """
    each = images / max(1, classes)
    left = next(share for least, share in reversed(kin.left[regime]) if each >= least)
    return 1 - (1 - features) * (left if images >= kin.in_all else max(left, 1.0))
