"""Slide a kernel over a picture, with any border, and show how one pixel came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError, unknown

#: What stands beyond the picture's edge, here beside a row a b c d:
#: "zero" 0 0 | a b c d | 0 0; "extend" a a | a b c d | d d, the nearest pixel; "reflect" c b | a b c d | c b, mirrored
#: about the edge pixel, as in NumPy, PyTorch and OpenCV (SciPy: "mirror"); "symmetric" b a | a b c d | d c, mirrored
#: with the edge pixel (SciPy: "reflect"); "wrap" c d | a b c d | a b. "valid" needs none: only where the kernel fits.
BORDERS = ("zero", "extend", "reflect", "symmetric", "wrap", "valid")

_BAND_VALUES = 1 << 16  # filtered at a time: what stays in a processor's cache

#: Which pixel stands at a place of the endless row, per border; -1 for a zero. (places, size of the picture)
_INSIDE: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "zero": lambda place, size: np.where((place >= 0) & (place < size), place, -1),
    "extend": lambda place, size: place.clip(0, size - 1),
    "reflect": lambda place, size: np.abs((place + size - 1) % max(2 * size - 2, 1) - (size - 1)),
    "symmetric": lambda place, size: np.minimum(place % (2 * size), 2 * size - 1 - place % (2 * size)),
    "wrap": lambda place, size: place % size,
}


def _check(image: np.ndarray, kernel: np.ndarray, border: str) -> None:
    if border not in BORDERS:
        raise unknown("border", border, BORDERS)
    if image.ndim != 3 or 0 in image.shape or kernel.ndim != 2 or 0 in kernel.shape:
        raise UsageError(
            f"a picture (H, W, C) and a kernel (rows, columns) are needed, not {image.shape}, {kernel.shape}"
        )
    if border == "valid" and (kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]):
        raise UsageError(
            f"a kernel of {kernel.shape[0]} rows and {kernel.shape[1]} columns does not fit into a picture of "
            f"{image.shape[0]} rows and {image.shape[1]} columns; take another border than valid"
        )


def filter_image(
    image: np.ndarray, kernel: np.ndarray, border: str = "reflect", *, convolution: bool = False
) -> np.ndarray:
    """Slide a kernel over each channel.

    The kernel's centre is row rows // 2, column columns // 2: right of and below the middle where a side is even,
    as in SciPy and OpenCV.

    Args:
        image: (H, W, C) of any number type.
        kernel: (rows, columns).
        border: one of `BORDERS`.
        convolution: True flips the kernel first (true convolution); False slides it as it stands
            (cross-correlation, what networks do).

    Returns:
        float64 (H, W, C); with "valid" (H - rows + 1, W - columns + 1, C).

    Raises:
        UsageError: an unknown border, other shapes, or a kernel larger than the picture with "valid".
    """
    _check(image, kernel, border)
    taps, _, sources = _layout(image, kernel, border, convolution)
    height, width = (len(source) - side + 1 for source, side in zip(sources, kernel.shape, strict=True))
    result = np.zeros((height, width, image.shape[2]))
    band = max(1, _BAND_VALUES // (width * image.shape[2]))
    for top in range(0, height, band):
        rows = sources[0][top : top + band + kernel.shape[0] - 1]
        padded = _gather(image, rows, sources[1])
        part = result[top : top + band]
        product = np.empty_like(part)
        for (row, column), weight in np.ndenumerate(taps):
            if weight:
                window = padded[row : row + len(part), column : column + width]
                part += np.multiply(window, weight, out=product)
    return result


def _layout(
    image: np.ndarray, kernel: np.ndarray, border: str, convolution: bool
) -> tuple[np.ndarray, tuple[int, int], list[np.ndarray]]:
    """The kernel as it is slid, its centre therein, and the pixels that stand in the padded rows and columns."""
    rows, columns = kernel.shape
    taps = kernel[::-1, ::-1] if convolution else kernel
    # flipped, an even kernel's centre lies on the other side of its middle
    centre = ((rows - 1) // 2, (columns - 1) // 2) if convolution else (rows // 2, columns // 2)
    if border == "valid":
        return taps, centre, [np.arange(size) for size in image.shape[:2]]
    places = (
        (np.arange(size + side - 1) - before, size)
        for size, side, before in zip(image.shape[:2], kernel.shape, centre, strict=True)
    )
    return taps, centre, [_INSIDE[border](place, size) for place, size in places]


def _gather(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Pixels at these rows and columns as float64, zero where either is -1."""
    values = image[rows][:, columns].astype(np.float64)
    values[rows < 0] = 0
    values[:, columns < 0] = 0
    return values


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """How one pixel of the result came about.

    Attributes:
        pixel: (row, column) in the result.
        centre: (row, column) of the picture's pixel on which the kernel's centre lies.
        window: (rows, columns, C) the values under the kernel.
        border: (rows, columns) True where the value stands in for one beyond the edge.
        kernel: (rows, columns) as slid: flipped for a true convolution.
        products: window times kernel, (rows, columns, C).
        sums: (C,), the result.
    """

    pixel: tuple[int, int]
    centre: tuple[int, int]
    window: np.ndarray
    border: np.ndarray
    kernel: np.ndarray
    products: np.ndarray
    sums: np.ndarray


def explain_pixel(
    image: np.ndarray, kernel: np.ndarray, x: int, y: int, border: str = "reflect", *, convolution: bool = False
) -> Arithmetic:
    """The arithmetic of the result's pixel in column x and row y, counted from 0 at the top left.

    Arguments as `filter_image`, whose pixel (y, x) the sums are. Raises UsageError where there is no such pixel.
    """
    _check(image, kernel, border)
    taps, centre, sources = _layout(image, kernel, border, convolution)
    height, width = (len(source) - side + 1 for source, side in zip(sources, kernel.shape, strict=True))
    if not (0 <= x < width and 0 <= y < height):
        raise UsageError(
            f"no pixel at x {x}, y {y}: the result has x from 0 to {width - 1} and y from 0 to {height - 1}"
        )
    first = (y, x) if border == "valid" else (y - centre[0], x - centre[1])
    places = [start + np.arange(side) for start, side in zip(first, kernel.shape, strict=True)]
    beyond = [(place < 0) | (place >= size) for place, size in zip(places, image.shape[:2], strict=True)]
    window = _gather(image, sources[0][y : y + kernel.shape[0]], sources[1][x : x + kernel.shape[1]])
    products = window * taps[..., None]
    sums = np.zeros(image.shape[2])
    for product in products.reshape(-1, image.shape[2]):  # in the order of `filter_image`, to the last bit
        sums += product
    under = (first[0] + centre[0], first[1] + centre[1])
    return Arithmetic((y, x), under, window, beyond[0][:, None] | beyond[1][None], taps, products, sums)


def as_picture(values: np.ndarray, signed: bool, gain: float = 1.0) -> np.ndarray:
    """Filtered values as uint8 to look at, times `gain`, rounded and clipped to 0 .. 255.

    `signed` adds 128, so that zero is mid-grey, negative values darker and positive ones lighter.
    """
    return np.rint(values * gain + (128 if signed else 0)).clip(0, 255).astype(np.uint8)


def signed_gain(values: np.ndarray) -> float:
    """The largest factor up to 1 at which 199 of 200 signed values fit between black and white around mid-grey.

    To fit the few strongest edges too would leave the rest of the picture grey.
    """
    return min(1.0, 127 / max(float(np.quantile(np.abs(values), 0.995)), 1.0))
