"""Between grey, RGB, RGBA and many channels, for uint8 arrays."""

from __future__ import annotations

import cv2
import numpy as np

from striate.errors import StriateError
from striate.units import plural

#: Pixels that are composited at a time, in wider numbers.
_AT_ONCE = 1 << 20


def to_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Give uint8 (H, W, C) another number of channels.

    Grey becomes RGB by repetition, RGB becomes grey by Rec. 601 luma, alpha is composited onto white when
    fewer than four channels are wanted and is opaque where it was missing. Raises StriateError for other
    changes: a spectrum cannot be made up.
    """
    if image.ndim != 3:
        raise StriateError(f"an image is an array (height, width, channels), not {image.shape}")
    present = image.shape[2]
    if present == channels:
        return image
    if present not in (1, 3, 4) or channels not in (1, 3, 4):
        raise StriateError(f"the image has {plural(present, 'channel')}, {channels} are wanted")
    if present == 4:
        return to_channels(on_white(image[..., :3], image[..., 3:]), channels)
    if channels == 1:
        return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[..., None]
    if present == 1:
        image = np.repeat(image, 3, axis=2)
    if channels == 4:
        opaque = np.full((*image.shape[:2], 1), 255, dtype=np.uint8)
        image = np.concatenate([image, opaque], axis=2)
    return image


def on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Composite uint8 (H, W, C) of opacity `alpha` (H, W, 1) onto white: (H, W, C)."""
    shown = np.empty_like(colour)
    rows = max(1, _AT_ONCE // colour.shape[1])
    for top in range(0, len(colour), rows):
        opacity = alpha[top : top + rows].astype(np.uint32)
        white = 255 * (255 - opacity) + 127
        shown[top : top + rows] = (colour[top : top + rows] * opacity + white) // 255
    return shown
