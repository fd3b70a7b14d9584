"""A whole batch on its own device: the same pictures as workers make, by `grid_sample` and one multiplication."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from striate.augment.draws import Draws
from striate.augment.mixing import Mixes, box
from striate.augment.policy import PIXELS, Augment
from striate.augment.sampling import colours, geometries

_BORDERS = {"zero": "zeros", "edge": "border", "reflect": "reflection"}


def warp_batch(images: Tensor, matrices: NDArray[np.float64], size: tuple[int, int], border: str = "zero") -> Tensor:
    """Warp a whole batch on its own device: (N, C, H, W) float to (N, C, height, width), bilinear.

    The same picture as `warp` gives, to rounding; meant for images that lie on an accelerator. Where a matrix shrinks
    its picture by two or more along an axis, the picture is first halved along it by averaging, as often as fits.
    """
    shrink = np.sqrt((matrices[:, :, :2] ** 2).sum(axis=2))  # (N, 2): input pixels per output pixel, across and down
    halvings = 2 ** np.log2(np.maximum(shrink, 1)).astype(int)
    if (halvings == 1).all():
        return _sampled(images, matrices, size, border)
    warped, (height, width) = images.new_empty((len(images), images.shape[1], *size)), images.shape[-2:]
    for across, down in np.unique(halvings, axis=0).tolist():
        alike = np.flatnonzero((halvings == (across, down)).all(axis=1))
        small = max(1, height // down), max(1, width // across)
        kept = np.array([[small[1] / width], [small[0] / height]])
        rows = torch.from_numpy(alike).to(images.device)
        shrunk = functional.adaptive_avg_pool2d(images[rows], small)
        warped[rows] = _sampled(shrunk, matrices[alike] * kept, size, border)
    return warped


def _sampled(images: Tensor, matrices: NDArray[np.float64], size: tuple[int, int], border: str) -> Tensor:
    """`grid_sample` speaks of coordinates from -1 to 1 on both sides, a matrix of pixels."""
    (out_height, out_width), (in_height, in_width) = size, images.shape[-2:]
    theta = matrices * np.array([out_width / 2, out_height / 2, 1])
    theta[:, :, 2] += theta[:, :, 0] + theta[:, :, 1]
    theta *= np.array([[2 / in_width], [2 / in_height]])
    theta[:, :, 2] -= 1
    shape = [len(images), images.shape[1], out_height, out_width]
    grid = functional.affine_grid(torch.from_numpy(theta).to(images), shape, align_corners=False)
    mode = _BORDERS[border]
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=mode, align_corners=False)


def recolour_batch(images: Tensor, matrices: NDArray[np.float64]) -> Tensor:
    """Multiply every pixel of a float batch (N, C, H, W) in 0..1 by its image's matrix (N, 3, 4), clamped.

    Of other than three channels all take the matrix's action on grey, as `recolour` has it.
    """
    factors = torch.from_numpy(matrices).to(images)
    if images.shape[1] == 3:
        coloured = torch.einsum("nij,njhw->nihw", factors[:, :, :3], images)
        return (coloured + factors[:, :, 3, None, None]).clamp_(0, 1)
    return (images * factors[:, :1, :3].sum(2)[..., None, None] + factors[:, :1, 3, None, None]).clamp_(0, 1)


def takes(policy: Augment) -> bool:
    """Whether a whole batch can be given all that a policy does: matrices and mixing, but nothing to single pixels."""
    return not policy.has("elastic", *PIXELS)


def augmented_batch(
    policy: Augment,
    drawn: Draws,
    images: Tensor,
    size: tuple[int, int],
    resize: str,
    crop_fraction: float,
    axes: NDArray[np.float64] | None = None,
) -> Tensor:
    """Pictures under a policy on their own device, as `augmenting` makes them: uint8 (N, C, height, width).

    Args:
        policy: one that `takes` allows.
        drawn: chance, a row for each image.
        images: uint8 (N, C, H, W).
        size: see `sampling.geometries`, as the next two.
        resize: see there.
        crop_fraction: see there.
        axes: see `sampling.colours`.
    """
    inputs = np.tile(np.array(images.shape[-2:]), (len(images), 1))
    matrices = geometries(policy, drawn, inputs, size, resize, crop_fraction)
    made = warp_batch(images.float(), matrices, size, policy.border).round_()
    if policy.changes_colour:
        means = made.mean((2, 3)).double().cpu().numpy() / 255
        made = recolour_batch(made / 255, colours(policy, drawn, means, axes)).mul_(255).round_()
    return made.to(torch.uint8)


def mixed_batch(images: Tensor, partners: Tensor, how: Mixes) -> tuple[Tensor, NDArray[np.float64]]:
    """Images (N, C, H, W) with their partners mixed in, and the share that is left of each label, as `mixing.mix`."""
    height, width = images.shape[-2:]
    kept = how.kept.copy()
    share = torch.from_numpy(np.where(how.boxed, 1.0, kept)).float().to(images.device)[:, None, None, None]
    mixed = (images * share + partners * (1 - share)).round_().to(torch.uint8)
    for row in np.flatnonzero(how.boxed).tolist():
        left, top, right, bottom = box(float(kept[row]), how.places[row], height, width)
        mixed[row, :, top:bottom, left:right] = partners[row, :, top:bottom, left:right]
        kept[row] = 1 - (right - left) * (bottom - top) / (height * width)
    return mixed, kept
