"""Apply the matrices: one warp and one multiplication, with OpenCV on a worker or torch on a whole batch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

cv2.setNumThreads(0)  # workers are the parallelism; OpenCV's own threads do not survive a fork

_CV_BORDER = {"zero": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}
_TORCH_BORDER = {"zero": "zeros", "edge": "border", "reflect": "reflection"}
_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def warp(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    matrices: NDArray[np.float64],
    size: tuple[int, int],
    border: str = "zero",
) -> NDArray[np.uint8]:
    """Warp uint8 images (H, W, C), of any sizes, to one array (N, height, width, C), bilinear.

    `matrices` (N, 2, 3) map output to input points (`geometry`). Where one shrinks its picture by two or more
    along an axis, the picture is first halved along it by averaging, as often as fits, so that no detail aliases.
    """
    channels = images[0].shape[2]
    shrink = np.sqrt((matrices[:, :, :2] ** 2).sum(axis=2))  # (N, 2): input pixels per output pixel, across and down
    if shrink.max() >= 2:
        halved = [_halve(image, matrix, by) for image, matrix, by in zip(images, matrices, shrink, strict=True)]
        images, matrices = [image for image, _ in halved], np.stack([matrix for _, matrix in halved])
    # OpenCV counts from the centre of the first pixel, `geometry` from its corner.
    pixels = matrices.copy()
    pixels[:, :, 2] += 0.5 * (matrices[:, :, 0] + matrices[:, :, 1]) - 0.5
    out = np.empty((len(images), *size, channels), np.uint8)
    shape, mode = (size[1], size[0]), _CV_BORDER[border]
    for image, matrix, target in zip(images, pixels, out, strict=True):
        cv2.warpAffine(image, matrix, shape, dst=target, flags=_FLAGS, borderMode=mode)
    return out


def _halve(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], shrink: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The image shrunk along x and y by the largest powers of two up to `shrink`, and its new matrix."""
    if shrink.max() < 2:
        return image, matrix
    factor = 2 ** np.log2(np.maximum(shrink, 1)).astype(int)
    height, width, channels = image.shape
    small = (max(1, width // int(factor[0])), max(1, height // int(factor[1])))
    smaller = cv2.resize(image, small, interpolation=cv2.INTER_AREA).reshape(small[1], small[0], channels)
    return smaller.astype(np.uint8, copy=False), matrix * np.array([[small[0] / width], [small[1] / height]])


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
