"""Pictures under a policy: from decoded images of any size to those that a network is trained on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from striate.augment import pixels
from striate.augment.draws import Draws
from striate.augment.elastic import displacements
from striate.augment.policy import PIXELS, Augment
from striate.augment.recolouring import means, recolour
from striate.augment.sampling import colours
from striate.augment.warping import warp

Picture = NDArray[np.uint8]


def moved(
    policy: Augment, drawn: Draws, images: Iterable[Picture], matrices: NDArray[np.float64], size: tuple[int, int]
) -> Picture:
    """Images of any sizes under their matrices (`sampling.geometries`) and local warping: (n, *size, C)."""
    if not policy.elastic:
        return warp(images, matrices, size, policy.border)
    most = drawn.up_to("elastic", policy.elastic)

    def field(row: int) -> NDArray[np.float32]:
        return displacements(drawn.pixels(row, "elastic"), size, float(most[row]))

    return warp(images, matrices, size, policy.border, field)


def recoloured(policy: Augment, drawn: Draws, images: Picture, axes: NDArray[np.float64] | None = None) -> None:
    """Give images (n, H, W, C) other colours, in place; `axes` as `sampling.colours` takes them."""
    if not policy.changes_colour:
        return
    levels = means(images) if policy.contrast else np.zeros((len(images), images.shape[3]))
    for image, matrix in zip(images, colours(policy, drawn, levels, axes), strict=True):
        recolour(image, matrix, out=image)


def spoilt(policy: Augment, drawn: Draws, images: Picture) -> None:
    """Do to the pixels of images (n, H, W, C) what no matrix can, in place."""
    if not policy.has(*PIXELS):
        return
    strengths = {name: drawn.up_to(name, getattr(policy, name)) for name in ("downscale", "blur", "noise", "jpeg")}
    erased = drawn.chance("erase", policy.erase)
    for row, image in enumerate(images):
        picture, strength = image, {name: float(values[row]) for name, values in strengths.items()}
        if strength["downscale"]:
            picture = pixels.downscale(picture, 1 + strength["downscale"])
        if strength["blur"]:
            picture = pixels.blur(picture, strength["blur"])
        if strength["noise"]:
            picture = pixels.noise(picture, strength["noise"], drawn.pixels(row, "noise"))
        if strength["jpeg"] and image.shape[2] in pixels.JPEG_CHANNELS:
            picture = pixels.jpeg(picture, 100 - strength["jpeg"])
        if erased[row]:
            picture = pixels.erase(picture, *_box(drawn, row), drawn.pixels(row, "erase"))
        if picture is not image:
            images[row] = picture


def _box(drawn: Draws, row: int) -> tuple[float, float, tuple[float, float]]:
    """Area, aspect and place of the box that is erased."""
    share = {name: float(drawn.share(f"erase_{name}")[row]) for name in ("area", "ratio", "x", "y")}
    low, high = pixels.ERASED_AREA
    aspect = pixels.ERASED_RATIO ** (2 * share["ratio"] - 1)
    return low + share["area"] * (high - low), aspect, (share["x"], share["y"])
