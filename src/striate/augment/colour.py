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


def identity(n: int) -> Matrices:
    """N unit matrices, shape (n, 4, 4)."""
    return np.broadcast_to(np.eye(4), (n, 4, 4)).copy()


def brightness(factor: NDArray[np.float64]) -> Matrices:
    """Multiply every channel by the factor."""
    matrices = identity(len(factor))
    matrices[:, :3, :3] *= factor[:, None, None]
    return matrices


def contrast(factor: NDArray[np.float64], grey: NDArray[np.float64]) -> Matrices:
    """Stretch values away from a level of grey, the mean of the picture, or towards it; 0 is that grey alone."""
    matrices = brightness(factor)
    matrices[:, :3, 3] = ((1 - factor) * grey)[:, None]
    return matrices


def saturation(factor: NDArray[np.float64]) -> Matrices:
    """Blend each pixel with its own grey: 0 is black and white, 1 unchanged."""
    matrices = brightness(factor)
    matrices[:, :3, :3] += (1 - factor)[:, None, None] * LUMA
    return matrices


def hue(degrees: NDArray[np.float64]) -> Matrices:
    """Turn the colour circle from red to green, grey stays grey: a rotation about the line of greys (Haeberli, 1993,
    "Matrix Operations for Image Processing").

    HSV's hue, which is no matrix, is turned alike: exactly so by thirds of a circle, by 2 to 12 grey levels apart on
    photographs between them, where HSV keeps the largest channel and this the sum of all.
    """
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    same, level, aside = (1 + 2 * cosine) / 3, (1 - cosine) / 3, sine / np.sqrt(3)
    matrices = identity(len(degrees))
    for channel in range(3):
        matrices[:, channel, channel] = same
        matrices[:, (channel + 1) % 3, channel] = level + aside
        matrices[:, (channel + 2) % 3, channel] = level - aside
    return matrices


def shift(offsets: NDArray[np.float64]) -> Matrices:
    """Add an offset (n, 3) to each channel, as a share of the range."""
    matrices = identity(len(offsets))
    matrices[:, :3, 3] = offsets
    return matrices


def grey_level(matrices: Matrices, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean grey, shape (n,), of pictures of these channel means (n, 3) once the matrices have acted on them."""
    shifted = np.einsum("nij,nj->ni", matrices[:, :3, :3], means) + matrices[:, :3, 3]
    return shifted @ LUMA


def principal_axes(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The directions in which colours of a data set vary, each as long as their standard deviation along it.

    Args:
        covariance: (3, 3), of the red, green and blue of pixels in 0..1.

    Returns:
        (3, 3), a column for each direction. Numbers drawn from N(0, s) for the three, times this, are the shift of
        AlexNet's "PCA colour augmentation" (Krizhevsky et al., 2012, section 4.1, where s is 0.1).
    """
    variances, directions = np.linalg.eigh(covariance)
    return directions * np.sqrt(np.maximum(variances, 0))
