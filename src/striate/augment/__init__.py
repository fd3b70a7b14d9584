"""Augmentation: a policy draws one matrix of geometry and one of colour per image, applied in one go."""

from striate.augment.apply import recolour, recolour_batch, warp, warp_batch
from striate.augment.policy import Augment

__all__ = ["Augment", "recolour", "recolour_batch", "warp", "warp_batch"]
