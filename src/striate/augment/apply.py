"""Apply the matrices: one warp and one multiplication, with OpenCV on a worker or torch on a whole batch."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from striate.augment.resizing import averaged

_CV_BORDER = {"zero": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}
_TORCH_BORDER = {"zero": "zeros", "edge": "border", "reflect": "reflection"}
#: Sides beyond this are cut to what is shown; OpenCV's warp takes none above 32,767.
_LONGEST = 16_384
_MARGIN = 4  # source pixels around what is shown
_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def warp(
    images: Iterable[NDArray[np.uint8]],
    matrices: NDArray[np.float64],
    size: tuple[int, int],
    border: str = "zero",
) -> NDArray[np.uint8]:
    """Warp uint8 images (H, W, C), of any sizes, to one array (N, height, width, C), bilinear.

    `matrices` (N, 2, 3) map output to input points (`geometry`). Where one shrinks its picture by two or more
    along an axis, the picture is first halved along it by averaging, as often as fits, so that no detail aliases.
    Images are taken one at a time, so an iterator need not hold them all.
    """
    shrink = np.sqrt((matrices[:, :, :2] ** 2).sum(axis=2))  # (N, 2): input pixels per output pixel, across and down
    shrinks = shrink.max(axis=1) >= 2
    pixels = _from_centres(matrices)
    shape, mode = (size[1], size[0]), _CV_BORDER[border]
    out: NDArray[np.uint8] | None = None
    for number, image in enumerate(images):
        matrix = pixels[number]
        if shrinks[number] or max(image.shape[:2]) > _LONGEST:
            image, smaller = _halve(*_cut(image, matrices[number], size), shrink[number])
            matrix = _from_centres(smaller[None])[0]
        if out is None:
            out = np.empty((len(matrices), *size, image.shape[2]), np.uint8)
        cv2.warpAffine(image, matrix, shape, dst=out[number], flags=_FLAGS, borderMode=mode)
    assert out is not None
    return out


def _from_centres(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """OpenCV counts from the centre of the first pixel, `geometry` from its corner."""
    pixels = matrices.copy()
    pixels[:, :, 2] += 0.5 * (matrices[:, :, 0] + matrices[:, :, 1]) - 0.5
    return pixels


def _cut(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a very long image that the matrix shows, and the matrix from its corner.

    Where the matrix shows what lies outside the image, its mirror image inside is kept, for the border to repeat.
    """
    if max(image.shape[:2]) <= _LONGEST:
        return image, matrix
    height, width = size
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])  # x and y of each
    offsets = np.zeros(2)
    for axis, length in ((0, image.shape[1]), (1, image.shape[0])):
        low, high = corners[axis].min(), corners[axis].max()
        first = int(np.clip(min(low, 2 * length - high) - _MARGIN, 0, length - 1))
        last = int(np.clip(max(high, -low) + _MARGIN, first + 1, length))
        image = image[:, first:last] if axis == 0 else image[first:last]
        offsets[axis] = first
    return image, np.column_stack([matrix[:, :2], matrix[:, 2] - offsets])


def _halve(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], shrink: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The image shrunk along x and y by the largest powers of two up to `shrink`, and its new matrix."""
    if shrink.max() < 2:
        return image, matrix
    factor = 2 ** np.log2(np.maximum(shrink, 1)).astype(int)
    height, width = image.shape[:2]
    small = (max(1, width // int(factor[0])), max(1, height // int(factor[1])))
    return averaged(image, small[1], small[0]), matrix * np.array([[small[0] / width], [small[1] / height]])


def recolour(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Multiply every pixel of a uint8 image (H, W, C) by a colour matrix (3, 4), saturating at 0 and 255.

    A grey image takes the matrix's action on grey; channels beyond the third stay as they are.
    """
    channels = image.shape[2]
    if channels < 3:
        gain, offset = matrix[0, :3].sum(), matrix[0, 3] * 255
        table = np.clip(np.arange(256) * gain + offset + 0.5, 0, 255).astype(np.uint8)
        return table[image]
    scaled = matrix * np.array([1, 1, 1, 255])
    coloured = cv2.transform(np.ascontiguousarray(image[:, :, :3]), scaled).astype(np.uint8, copy=False)
    return coloured if channels == 3 else np.concatenate([coloured, image[:, :, 3:]], axis=2)


def warp_batch(images: Tensor, matrices: Tensor, size: tuple[int, int], border: str = "zero") -> Tensor:
    """Warp a whole batch on its own device: (N, C, H, W) float to (N, C, height, width), bilinear.

    The same picture as `warp` gives, to rounding, where the matrix does not shrink it; meant for images that
    lie on an accelerator.
    """
    (out_height, out_width), (in_height, in_width) = size, images.shape[-2:]
    matrices = matrices.to(images)
    # grid_sample speaks of coordinates from -1 to 1 on both sides.
    theta = matrices.clone()
    theta[:, :, 0] *= out_width / 2
    theta[:, :, 1] *= out_height / 2
    theta[:, :, 2] = matrices[:, :, 2] + theta[:, :, 0] + theta[:, :, 1]
    theta = theta * images.new_tensor([[2 / in_width], [2 / in_height]])
    theta[:, :, 2] -= 1
    shape = [len(images), images.shape[1], out_height, out_width]
    grid = functional.affine_grid(theta, shape, align_corners=False)
    mode = _TORCH_BORDER[border]
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=mode, align_corners=False)


def recolour_batch(images: Tensor, matrices: Tensor) -> Tensor:
    """Multiply every pixel of a float batch (N, 3, H, W) in 0..1 by its image's matrix (N, 3, 4), clamped."""
    matrices = matrices.to(images)
    coloured = torch.einsum("nij,njhw->nihw", matrices[:, :, :3], images)
    return (coloured + matrices[:, :, 3, None, None]).clamp(0, 1)
