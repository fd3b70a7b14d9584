"""A whole batch on its own device: the same pictures as workers make, by `grid_sample` and one multiplication."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_BORDERS = {"zero": "zeros", "edge": "border", "reflect": "reflection"}


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
    mode = _BORDERS[border]
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=mode, align_corners=False)


def recolour_batch(images: Tensor, matrices: Tensor) -> Tensor:
    """Multiply every pixel of a float batch (N, 3, H, W) in 0..1 by its image's matrix (N, 3, 4), clamped."""
    matrices = matrices.to(images)
    coloured = torch.einsum("nij,njhw->nihw", matrices[:, :, :3], images)
    return (coloured + matrices[:, :, 3, None, None]).clamp(0, 1)
