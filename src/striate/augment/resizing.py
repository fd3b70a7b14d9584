"""OpenCV's resizing for any number of channels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Channels that OpenCV averages at once.
_AT_ONCE = 4


def averaged(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A smaller picture (height, width, C) of uint8 (H, W, C), each pixel the mean of those that it covers."""
    channels = image.shape[2]
    parts = [image[:, :, first : first + _AT_ONCE] for first in range(0, channels, _AT_ONCE)]
    smaller = [
        cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=cv2.INTER_AREA).reshape(
            height, width, part.shape[2]
        )
        for part in parts
    ]
    return np.asarray(smaller[0] if len(smaller) == 1 else np.concatenate(smaller, axis=2), np.uint8)
