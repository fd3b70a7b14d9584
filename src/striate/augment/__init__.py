"""Augmentation: a policy draws one matrix of geometry and one of colour per image, applied in one go."""

from striate.augment.batch import recolour_batch, warp_batch
from striate.augment.policy import Augment
from striate.augment.recolouring import recolour
from striate.augment.warping import warp

__all__ = ["Augment", "recolour", "recolour_batch", "warp", "warp_batch"]
