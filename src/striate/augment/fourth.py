"""A fourth channel for the way: OpenCV warps four of them at more than twice the speed of three, to the same bytes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class FourthChannel:
    """Warps pictures of three channels as if they had four, in room that is used again: fresh memory costs as much.

    Args:
        size: (height, width) of the output.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._out = np.empty((*size, 4), np.uint8)
        self._in = np.empty(0, np.uint8)

    def warp(self, image: Picture, out: Picture, warp: Callable[[Picture, Picture], object]) -> None:
        """Call `warp` with a picture (H, W, C) and room for its output (height, width, C), and fill `out` with that."""
        if image.shape[2] != 3:
            warp(image, out)
            return
        values = image.shape[0] * image.shape[1] * 4
        if self._in.size < values:
            self._in = np.empty(values, np.uint8)
        padded = self._in[:values].reshape(*image.shape[:2], 4)
        cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=padded)
        warp(padded, self._out)
        cv2.cvtColor(self._out, cv2.COLOR_RGBA2RGB, dst=out)
