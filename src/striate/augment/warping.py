"""Apply a matrix of geometry: one interpolation for all that moves.

A matrix that only cuts whole pixels and stretches or mirrors them takes the short way: crop, then resize.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from striate.augment.elastic import maps
from striate.augment.fourth import FourthChannel
from striate.augment.resizing import averaged

_BORDERS = {"zero": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}
#: Sides beyond this are cut to what is shown; OpenCV's warp takes none above 32,767.
_LONGEST = 16_384
#: So are pictures of so many times the pixels of the output, which would be shrunk or copied for nothing.
_MUCH = 4
_MARGIN = 4  # source pixels around what is shown
#: How far the edges of a box may lie from whole pixels, for rounding.
_EVEN = 1e-6
#: OpenCV's words for mirroring left and right, top and bottom.
_FLIPS = {(True, False): 1, (False, True): 0, (True, True): -1}
_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def warp(
    images: Iterable[NDArray[np.uint8]],
    matrices: NDArray[np.float64],
    size: tuple[int, int],
    border: str = "zero",
    field: Callable[[int], NDArray[np.float32]] | None = None,
) -> NDArray[np.uint8]:
    """Warp uint8 images (H, W, C), of any sizes, to one array (N, height, width, C), bilinear.

    `matrices` (N, 2, 3) map output to input points (`geometry`). Where one shrinks its picture by two or more
    along an axis, the picture is first halved along it by averaging, as often as fits, so that no detail aliases.
    Images are taken one at a time, so an iterator need not hold them all. `field` gives the displacements of the
    points of the output for the image of a number (`elastic`).
    """
    shrink = np.sqrt((matrices[:, :, :2] ** 2).sum(axis=2))  # (N, 2): input pixels per output pixel, across and down
    boxes = _boxes(matrices, size) if field is None else {}
    fourth = FourthChannel(size)
    out: NDArray[np.uint8] | None = None
    for number, image in enumerate(images):
        if out is None:
            out = np.empty((len(matrices), *size, image.shape[2]), np.uint8)
        if number in boxes:
            _show_box(image, boxes[number], out[number], border)
            continue
        moved = None if field is None else field(number)
        reach = 0.0 if moved is None else float(np.abs(moved).max() * shrink[number].max())
        image, matrix = _cut(image, matrices[number], size, reach + _MARGIN)
        image, factors = _halve(image, shrink[number])
        fourth.warp(image, out[number], _shown(_from_centres(matrix * factors[:, None]), border, moved))
    assert out is not None
    return out


def _shown(
    matrix: NDArray[np.float64], border: str, moved: NDArray[np.float32] | None
) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], object]:
    """What shows a picture, in the room that it is given, under a matrix from pixel to pixel and displacements."""
    mode = _BORDERS[border]
    if moved is None:
        return lambda image, out: cv2.warpAffine(
            image, matrix, (out.shape[1], out.shape[0]), dst=out, flags=_FLAGS, borderMode=mode
        )
    places = maps(matrix, moved)
    return lambda image, out: cv2.remap(image, places, None, cv2.INTER_LINEAR, dst=out, borderMode=mode)  # type: ignore[call-overload]  # one map is both


def _boxes(matrices: NDArray[np.float64], size: tuple[int, int]) -> dict[int, NDArray[np.int64]]:
    """What is shown of the images of which whole pixels are, upright: for each x and y of the first and last edges."""
    slants = (matrices[:, 0, 1] != 0) | (matrices[:, 1, 0] != 0)
    first = matrices[:, :, 2]
    last = first + np.stack([matrices[:, 0, 0] * size[1], matrices[:, 1, 1] * size[0]], axis=1)
    edges = np.stack([first, last], axis=2)  # (N, axis, first and last)
    whole = np.rint(edges)
    is_box = ~slants & (np.abs(edges - whole) < _EVEN).all((1, 2)) & (whole[:, :, 0] != whole[:, :, 1]).all(1)
    return {int(row): whole[row].astype(np.int64) for row in np.flatnonzero(is_box)}


def _show_box(image: NDArray[np.uint8], box: NDArray[np.int64], out: NDArray[np.uint8], border: str) -> None:
    """The pixels of a box of the picture, stretched over `out`, mirrored where an edge comes first that lies behind."""
    (left, right), (top, bottom) = np.sort(box, axis=1).tolist()
    shown = _inside(image, left, top, right, bottom, border)
    shown, _ = _halve(shown, np.array([(right - left) / out.shape[1], (bottom - top) / out.shape[0]]))
    cv2.resize(shown, (out.shape[1], out.shape[0]), dst=out, interpolation=cv2.INTER_LINEAR)
    mirrored = box[:, 0] > box[:, 1]
    if mirrored.any():
        cv2.flip(out, _FLIPS[tuple(mirrored.tolist())], dst=out)


def _inside(image: NDArray[np.uint8], left: int, top: int, right: int, bottom: int, border: str) -> NDArray[np.uint8]:
    """The box of a picture, laid out beyond its edges as the border says."""
    height, width = image.shape[:2]
    beyond = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
    if not any(beyond):
        return image[top:bottom, left:right]
    around = np.asarray(cv2.copyMakeBorder(image, *beyond, _BORDERS[border]), np.uint8)
    around = around.reshape(height + beyond[0] + beyond[1], width + beyond[2] + beyond[3], -1)
    return around[top + beyond[0] : bottom + beyond[0], left + beyond[2] : right + beyond[2]]


def _from_centres(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """OpenCV counts from the centre of the first pixel, `geometry` from its corner."""
    pixels = matrix.copy()
    pixels[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5
    return pixels


def _cut(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], margin: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a large image that the matrix shows with a margin of pixels, and the matrix from its corner.

    Where the matrix shows what lies outside the image, its mirror image inside is kept, for the border to repeat.
    """
    height, width = size
    if max(image.shape[:2]) <= _LONGEST and image.shape[0] * image.shape[1] <= _MUCH * height * width:
        return image, matrix
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])  # x and y of each
    offsets = np.zeros(2)
    for axis, length in ((0, image.shape[1]), (1, image.shape[0])):
        low, high = corners[axis].min(), corners[axis].max()
        first = int(np.clip(min(low, 2 * length - high) - margin, 0, length - 1))
        last = int(np.clip(max(high, -low) + margin, first + 1, length))
        image = image[:, first:last] if axis == 0 else image[first:last]
        offsets[axis] = first
    return image, np.column_stack([matrix[:, :2], matrix[:, 2] - offsets])


def _halve(image: NDArray[np.uint8], shrink: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The image shrunk along x and y by the largest powers of two up to `shrink`, and what became of a pixel: (2,)."""
    if shrink.max() < 2:
        return image, np.ones(2)
    factor = 2 ** np.log2(np.maximum(shrink, 1)).astype(int)
    height, width = image.shape[:2]
    small = (max(1, width // int(factor[0])), max(1, height // int(factor[1])))
    return averaged(image, small[1], small[0]), np.array([small[0] / width, small[1] / height])
