"""Colour as matrices: brightness, contrast, saturation and hue compose to one 3x4 matrix per image.

A matrix acts on the pixel (r, g, b, 1) with values in 0..1. Functions take arrays of shape (n,) and return
matrices of shape (n, 4, 4) with the last row 0, 0, 0, 1, so that composing is `last @ first`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrices = NDArray[np.float64]

#: Luma of ITU-R BT.601, the weights of grey in JPEG, OpenCV and torchvision.
LUMA = np.array([0.299, 0.587, 0.114])

#: RGB to YIQ (FCC, 1953): hue is a rotation of the I-Q plane.
TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def identity(n: int) -> Matrices:
    """N unit matrices, shape (n, 4, 4)."""
    return np.broadcast_to(np.eye(4), (n, 4, 4)).copy()


def brightness(factor: NDArray[np.float64]) -> Matrices:
    """Multiply every channel by the factor."""
    matrices = identity(len(factor))
    matrices[:, :3, :3] *= factor[:, None, None]
    return matrices


def contrast(factor: NDArray[np.float64]) -> Matrices:
    """Stretch values away from mid-grey (factor > 1) or towards it."""
    matrices = brightness(factor)
    matrices[:, :3, 3] = (0.5 * (1 - factor))[:, None]
    return matrices


def saturation(factor: NDArray[np.float64]) -> Matrices:
    """Blend each pixel with its own grey: 0 is black and white, 1 unchanged."""
    matrices = brightness(factor)
    matrices[:, :3, :3] += (1 - factor)[:, None, None] * LUMA
    return matrices


def hue(degrees: NDArray[np.float64]) -> Matrices:
    """Turn the colour circle, grey stays grey (a rotation in YIQ)."""
    radians = np.deg2rad(degrees)
    turn = np.zeros((len(radians), 3, 3))
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(radians)
    turn[:, 1, 2], turn[:, 2, 1] = -np.sin(radians), np.sin(radians)
    matrices = identity(len(radians))
    matrices[:, :3, :3] = np.linalg.inv(TO_YIQ) @ turn @ TO_YIQ
    return matrices
