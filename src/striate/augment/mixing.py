"""Two pictures as one: blended (mixup), or a box of the other put in (CutMix); their labels share alike."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from striate.augment.draws import Draws
from striate.augment.policy import Augment


class Mixes(NamedTuple):
    """What each image is to share with its partner.

    Attributes:
        kept: the share of the image itself, in [0, 1]: (n,).
        boxed: whether the partner fills a box, and is not blended in: bool (n,).
        places: where the middle of the box lies, shares of the width and the height: (n, 2).
    """

    kept: NDArray[np.float64]
    boxed: NDArray[np.bool_]
    places: NDArray[np.float64]


def mixes(policy: Augment, drawn: Draws) -> Mixes:
    """Draw shares and places; with mixup and CutMix in the policy each image takes one or the other, by halves."""
    from scipy.special import betaincinv  # whoever only predicts does without it

    either = drawn.share("mix") < 0.5
    boxed = either if policy.mixup and policy.cutmix else np.full(len(drawn), bool(policy.cutmix))
    alpha = np.where(boxed, policy.cutmix, policy.mixup)
    kept = betaincinv(alpha, alpha, drawn.share("mix_share"))
    places = np.stack([drawn.share("mix_x"), drawn.share("mix_y")], axis=1)
    return Mixes(kept, boxed, places)


def mix(
    images: NDArray[np.uint8], partners: NDArray[np.uint8], how: Mixes
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Images (n, H, W, C) with their partners mixed in, and the share that is left of each label: (n,)."""
    mixed, kept = images.copy(), how.kept.copy()
    height, width = images.shape[1:3]
    for row, (image, partner) in enumerate(zip(images, partners, strict=True)):
        if not how.boxed[row]:
            cv2.addWeighted(image, kept[row], partner, 1 - kept[row], 0.0, dst=mixed[row])
            continue
        left, top, right, bottom = box(how.kept[row], how.places[row], height, width)
        mixed[row, top:bottom, left:right] = partner[top:bottom, left:right]
        kept[row] = 1 - (right - left) * (bottom - top) / (height * width)
    return mixed, kept


def box(kept: float, place: NDArray[np.float64], height: int, width: int) -> tuple[int, int, int, int]:
    """A box of the picture's shape about a point, cut off at the edges (Yun et al., 2019, equation 2)."""
    side = np.sqrt(1 - kept)
    middle_x, middle_y = place[0] * width, place[1] * height
    edges = (middle_x - side * width / 2, middle_y - side * height / 2)
    ends = (middle_x + side * width / 2, middle_y + side * height / 2)
    left, top = (max(0, round(edge)) for edge in edges)
    right, bottom = min(width, round(ends[0])), min(height, round(ends[1]))
    return left, top, right, bottom
