"""From a policy and what chance draws to matrices: one of geometry and one of colours for each image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from striate.augment import colour, geometry
from striate.augment.draws import Draws
from striate.augment.policy import GRADUAL, Augment

#: Pictures of more pixels a side are cut at whole pixels where nothing turns them: half a pixel is not seen there.
FINE = 64


def draws(
    policy: Augment, seed: int, epoch: int, images: NDArray[np.integer], repeats: NDArray[np.integer] | None = None
) -> Draws:
    """What chance says of images in an epoch, where the policy chooses among its transforms."""
    drawn = Draws(seed, epoch, images.tolist(), None if repeats is None else repeats.tolist())
    if policy.choose:
        drawn.choose([name for name in GRADUAL if policy.has(name)], policy.choose)
    if policy.magnitude == "whole":
        drawn.at_full_strength()
    return drawn


def geometries(
    policy: Augment,
    drawn: Draws,
    inputs: NDArray[np.int64],
    size: tuple[int, int],
    resize: str = "crop",
    crop_fraction: float = 0.875,
) -> NDArray[np.float64]:
    """One matrix per image, output point to input point, shape (n, 2, 3); see `geometry`.

    Args:
        policy: the strengths.
        drawn: chance, a row for each image.
        inputs: (n, 2) heights and widths of the images.
        size: (height, width) of the output.
        resize: how the images are brought to `size` when no random resized crop does it (`geometry.fit`).
        crop_fraction: see `geometry.fit`.
    """
    height, width = size
    if policy.area:
        base = geometry.random_box(drawn, inputs, size, (policy.area, 1.0), (1 / policy.ratio, policy.ratio))
    else:
        base = geometry.fit(inputs, size, resize, crop_fraction)
    if policy.has("flip", "vertical_flip"):
        mirrors = [np.where(drawn.chance(name, getattr(policy, name)), -1.0, 1.0) for name in ("flip", "vertical_flip")]
        base = base @ geometry.about(width / 2, height / 2, geometry.scaling(*mirrors))
    if policy.has("rotate", "scale", "shear"):
        zoom = np.exp(drawn.either_way("scale", np.log1p(policy.scale)))
        turn = geometry.rotation(drawn.either_way("rotate", policy.rotate)) @ geometry.scaling(zoom, zoom)
        slants = [drawn.either_way("shear", policy.shear, f"shear_{axis}") for axis in "xy"]
        base = base @ geometry.about(width / 2, height / 2, turn @ geometry.shearing(*slants))
    if policy.translate:
        across, down = (drawn.either_way("translate", policy.translate, f"translate_{axis}") for axis in "xy")
        base = base @ geometry.translation(across * width, down * height)
    if policy.crop_padding:
        most = policy.crop_padding
        across, down = (np.floor(drawn.share(f"crop_{axis}") * (2 * most + 1)) - most for axis in "xy")
        base = base @ geometry.translation(across, down)
    if not policy.slants:
        fine = inputs.min(axis=1) > FINE
        base[fine] = geometry.on_whole_pixels(base[fine], size)
    return base[:, :2]


def colours(
    policy: Augment,
    drawn: Draws,
    means: NDArray[np.float64],
    axes: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """One matrix of colours per image, shape (n, 3, 4); see `colour`.

    Args:
        policy: the strengths.
        drawn: chance, a row for each image.
        means: (n, channels) of the images, in 0..1. Of other than three channels only what needs no colours is drawn,
            and all channels take the matrix's action on grey.
        axes: `colour.principal_axes` of the data, for PCA colour.
    """
    channels = means.shape[1]
    if channels != 3:
        means = np.repeat(means.mean(axis=1, keepdims=True), 3, axis=1)
    matrices = colour.identity(len(drawn))
    if policy.brightness:
        matrices = colour.brightness(_factor(drawn, policy, "brightness")) @ matrices
    if policy.contrast:
        factor = _factor(drawn, policy, "contrast")
        matrices = colour.contrast(factor, colour.grey_level(matrices, means)) @ matrices
    if channels != 3:
        return matrices[:, :3]
    if policy.saturation:
        matrices = colour.saturation(_factor(drawn, policy, "saturation")) @ matrices
    if policy.hue:
        matrices = colour.hue(drawn.either_way("hue", policy.hue)) @ matrices
    if policy.colour_shift:
        offsets = [drawn.either_way("colour_shift", policy.colour_shift, name) for name in ("red", "green", "blue")]
        matrices = colour.shift(np.stack(offsets, axis=1)) @ matrices
    if policy.pca and axes is not None:
        matrices = colour.shift(_normal(drawn, policy) @ axes.T) @ matrices
    if policy.grey:
        matrices = colour.saturation(np.where(drawn.chance("grey", policy.grey), 0.0, 1.0)) @ matrices
    return matrices[:, :3]


def _factor(drawn: Draws, policy: Augment, name: str) -> NDArray[np.float64]:
    """Numbers about 1, never below 0."""
    strength = getattr(policy, name)
    return drawn.around(name, max(0.0, 1 - strength), 1.0, 1 + strength)


def _normal(drawn: Draws, policy: Augment) -> NDArray[np.float64]:
    """Three normal numbers (n, 3) of the policy's deviation for each image (Box & Muller, 1958)."""
    sizes = np.stack([np.sqrt(-2 * np.log1p(-drawn.share(f"pca_size_{number}"))) for number in (1, 2, 3)], axis=1)
    turns = np.stack([np.cos(2 * np.pi * drawn.share(f"pca_turn_{number}")) for number in (1, 2, 3)], axis=1)
    return policy.pca * drawn.acting("pca")[:, None] * sizes * turns
