"""Geometry as matrices: flip, crop, translate, rotate, scale and shear compose to one 2x3 matrix per image.

A matrix maps a point of the *output* picture to the point of the *input* picture that it shows. Points are
continuous: a picture of width W spans 0..W, the centre of its first pixel lies at 0.5. All functions work on
whole batches: angles, factors and shifts are arrays of shape (n,), matrices have shape (n, 3, 3) with the last
row 0, 0, 1, so that composing is `first @ second` (the second acts first on the output point).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from striate.augment.draws import Draws

Matrices = NDArray[np.float64]


def identity(n: int) -> Matrices:
    """N unit matrices, shape (n, 3, 3)."""
    return np.broadcast_to(np.eye(3), (n, 3, 3)).copy()


def translation(x: NDArray[np.float64], y: NDArray[np.float64]) -> Matrices:
    """Show what lies x pixels to the right and y pixels below; shape (n, 3, 3)."""
    matrices = identity(len(x))
    matrices[:, 0, 2], matrices[:, 1, 2] = x, y
    return matrices


def scaling(x: NDArray[np.float64], y: NDArray[np.float64]) -> Matrices:
    """Multiply coordinates: x > 1 shows a wider piece of the input; -1 mirrors. Shape (n, 3, 3)."""
    matrices = identity(len(x))
    matrices[:, 0, 0], matrices[:, 1, 1] = x, y
    return matrices


def rotation(degrees: NDArray[np.float64]) -> Matrices:
    """Turn the picture counter-clockwise as seen on the screen (y grows downwards); shape (n, 3, 3)."""
    radians = np.deg2rad(degrees)
    cosine, sine = np.cos(radians), np.sin(radians)
    matrices = identity(len(radians))
    matrices[:, 0, 0], matrices[:, 0, 1] = cosine, -sine
    matrices[:, 1, 0], matrices[:, 1, 1] = sine, cosine
    return matrices


def shearing(degrees_x: NDArray[np.float64], degrees_y: NDArray[np.float64]) -> Matrices:
    """Slant rows by degrees_x and columns by degrees_y; shape (n, 3, 3)."""
    matrices = identity(len(degrees_x))
    matrices[:, 0, 1] = np.tan(np.deg2rad(degrees_x))
    matrices[:, 1, 0] = np.tan(np.deg2rad(degrees_y))
    return matrices


def about(centre_x: float, centre_y: float, matrices: Matrices) -> Matrices:
    """The same matrices acting about a point instead of the top left corner."""
    to, back = np.eye(3), np.eye(3)
    to[:2, 2] = centre_x, centre_y
    back[:2, 2] = -centre_x, -centre_y
    return to @ matrices @ back


def box(
    left: NDArray[np.float64],
    top: NDArray[np.float64],
    width: NDArray[np.float64],
    height: NDArray[np.float64],
    size: tuple[int, int],
) -> Matrices:
    """Stretch the box of the input (pixels) over an output of `size` (height, width); shape (n, 3, 3)."""
    matrices = scaling(width / size[1], height / size[0])
    matrices[:, 0, 2], matrices[:, 1, 2] = left, top
    return matrices


def fit(inputs: NDArray[np.int64], size: tuple[int, int], resize: str, crop_fraction: float) -> Matrices:
    """The matrices of plain preprocessing without augmentation.

    Args:
        inputs: (n, 2) heights and widths of the input pictures.
        size: (height, width) of the output.
        resize: "crop" (short side to size / crop_fraction, centre crop), "letterbox" (whole picture,
            black around it), "stretch" (whole picture, aspect ignored) or "none" (centre crop without scaling).
        crop_fraction: the share of the short side that a centre crop keeps.
    """
    heights, widths = inputs[:, 0].astype(float), inputs[:, 1].astype(float)
    out_height, out_width = size
    if resize == "stretch":
        return box(np.zeros_like(widths), np.zeros_like(heights), widths, heights, size)
    if resize == "none":
        scale = np.ones_like(widths)
    elif resize == "letterbox":
        scale = np.maximum(heights / out_height, widths / out_width)
    else:
        whole = (heights == out_height) & (widths == out_width)  # the right size already: shown as it is
        scale = np.where(whole, 1.0, crop_fraction * np.minimum(heights / out_height, widths / out_width))
    width, height = scale * out_width, scale * out_height
    return box((widths - width) / 2, (heights - height) / 2, width, height, size)


def random_box(
    draws: Draws,
    inputs: NDArray[np.int64],
    size: tuple[int, int],
    area: tuple[float, float],
    ratio: tuple[float, float],
) -> Matrices:
    """Random resized crop (Szegedy et al., 2015, section 6): a box of random area and aspect ratio.

    `area` is a share of the picture's area, `ratio` width over height (sampled evenly in its logarithm). A box
    that does not fit is shrunk until it does, so no picture needs a second draw.
    """
    heights, widths = inputs[:, 0].astype(float), inputs[:, 1].astype(float)
    pixels = between(draws.share("area"), *area) * heights * widths
    aspect = np.exp(between(draws.share("ratio"), *np.log(ratio)))
    width, height = np.sqrt(pixels * aspect), np.sqrt(pixels / aspect)
    shrink = np.minimum(1.0, np.minimum(widths / width, heights / height))
    width, height = width * shrink, height * shrink
    left, top = draws.share("left") * (widths - width), draws.share("top") * (heights - height)
    return box(left, top, width, height, size)


def between(share: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Shares in [0, 1) as numbers in [low, high)."""
    return low + share * (high - low)


def on_whole_pixels(matrices: Matrices, size: tuple[int, int]) -> Matrices:
    """The same boxes, their edges moved to the nearest pixels of the input; for matrices that only stretch and mirror.

    A box is one pixel wide at least.
    """
    whole = matrices.copy()
    for axis, length in ((0, size[1]), (1, size[0])):
        first, last = matrices[:, axis, 2], matrices[:, axis, 2] + matrices[:, axis, axis] * length
        way, low = np.where(first <= last, 1, -1), np.rint(np.minimum(first, last))
        span = np.maximum(1, np.rint(np.maximum(first, last)) - low)
        whole[:, axis, axis] = way * span / length
        whole[:, axis, 2] = np.where(way > 0, low, low + span)
    return whole
