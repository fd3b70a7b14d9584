"""The choice of a regime, from how many images there are and how like those of the pretraining they are.

The lectures' table has two questions and four answers: few images or many, like the pretraining's or not. Where the
lines lie was measured (docs/transfer.md): fine-tuning that begins with the linear classifier, and keeps batch norms'
statistics, gains little where images are few and alike, and much where they are unlike, however few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

#: Nats from which on images are unlike those of the pretraining: photographs lie at 0.01 to 0.03, small pictures made
#: larger at 0.2, drawn digits at 0.3 to 0.4, noise at 0.6.
UNLIKE = 0.1
#: Images of a class from which on it pays to train all of a network, where they are alike, and where they are not.
ENOUGH_ALIKE, ENOUGH_UNLIKE = 200, 2


class Decision(NamedTuple):
    """A regime, and why.

    Attributes:
        regime: one of `striate.transfer.regimes.REGIMES`.
        why: in a clause.
    """

    regime: str
    why: str


def is_unlike(distance: float) -> bool:
    """Whether images lie far from those of the pretraining; where that is not known they are taken to be like them."""
    return not math.isnan(distance) and distance >= UNLIKE


def decide(images: int, classes: int, distance: float, features: float = math.nan) -> Decision:
    """The regime that suits so many images of so many classes, at this distance from those of the pretraining."""
    each = images / max(1, classes)
    kind = "unlike" if is_unlike(distance) else "like"
    told = "" if math.isnan(distance) else f" (activations differ by {distance:.2g} nats)"
    enough = ENOUGH_UNLIKE if is_unlike(distance) else ENOUGH_ALIKE
    regime = "full" if each >= enough else "features"
    return Decision(regime, f"{each:,.0f} images a class, {kind} those of the pretraining{told}")


#: What is left of the error of a linear classifier of the features, by regime, from so many images of a class on: the
#: medians of what was measured, first on four sets that are alike, then on two that are not.
LEFT: Mapping[str, tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]]] = MappingProxyType(
    {
        "head": (((0, 1.0), (200, 0.95)), ((0, 1.0),)),
        "top": (((0, 1.0), (200, 0.94)), ((0, 0.9), (2, 0.8), (5, 0.6), (10, 0.44), (50, 0.3), (200, 0.22))),
        "full": (
            ((0, 1.0), (50, 0.98), (200, 0.89)),
            ((0, 0.9), (2, 0.78), (5, 0.54), (10, 0.39), (50, 0.25), (200, 0.13)),
        ),
    }
)


def expected(regime: str, features: float, each: float, distance: float) -> float:
    """The accuracy to be expected of a regime.

    Args:
        regime: "head", "top" or "full".
        features: the accuracy that a linear classifier of the features is expected to have.
        each: images of a class.
        distance: of the images from those of the pretraining, nats.
    """
    steps = LEFT[regime][is_unlike(distance)]
    left = next(share for least, share in reversed(steps) if each >= least)
    return 1 - (1 - features) * left
