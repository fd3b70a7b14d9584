"""A policy: how strongly each transformation acts, and the matrices it draws for a batch of images."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from striate.augment import colour, geometry
from striate.errors import UsageError


@dataclass(frozen=True)
class Augment:
    """Strengths of the random transformations of training images; zero (the default) leaves one out.

    Attributes:
        flip: probability of mirroring left and right.
        vertical_flip: probability of mirroring top and bottom.
        crop_padding: shift by a whole number of pixels, up to this many each way (pad and crop, He et al.,
            2015, section 4.2).
        translate: shift by up to this share of the size each way.
        area: smallest share of the picture's area that a random resized crop shows; 0 for no such crop
            (Szegedy et al., 2015, section 6, use 0.08).
        ratio: widest aspect ratio of a random resized crop; the narrowest is its inverse.
        rotate: largest angle, degrees, either way.
        scale: zoom by a factor between 1 / (1 + scale) and 1 + scale.
        shear: largest slant, degrees.
        brightness: factor between 1 - brightness and 1 + brightness.
        contrast: factor between 1 - contrast and 1 + contrast, about mid-grey.
        saturation: factor between 1 - saturation and 1 + saturation.
        hue: largest turn of the colour circle, degrees.
        border: what lies outside the picture: "zero" (black), "edge" or "reflect".
    """

    flip: float = 0.0
    vertical_flip: float = 0.0
    crop_padding: int = 0
    translate: float = 0.0
    area: float = 0.0
    ratio: float = 4 / 3
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    border: str = "zero"

    def __post_init__(self) -> None:
        """Refuse impossible strengths with one line that names the field."""
        limits = {
            "flip": 1,
            "vertical_flip": 1,
            "area": 1,
            "translate": 1,
            "rotate": 180,
            "shear": 80,
            "hue": 180,
        }
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and not 0 <= value <= limits.get(field.name, sys.float_info.max):
                most = limits.get(field.name)
                allowed = f"between 0 and {most}" if most else "not negative"
                raise UsageError(f"augment.{field.name} is {value}; it must be {allowed}.")
        if self.crop_padding != int(self.crop_padding):
            raise UsageError(f"augment.crop_padding is {self.crop_padding}; it counts whole pixels.")
        if self.ratio < 1:
            raise UsageError(f"augment.ratio is {self.ratio}; the widest aspect ratio is at least 1.")
        if self.border not in ("zero", "edge", "reflect"):
            raise UsageError(f"augment.border is '{self.border}'; it is one of zero, edge, reflect.")

    @property
    def changes_geometry(self) -> bool:
        """Whether any transformation moves pixels."""
        names = ("flip", "vertical_flip", "crop_padding", "translate", "area", "rotate", "scale", "shear")
        return any(getattr(self, name) for name in names)

    @property
    def changes_colour(self) -> bool:
        """Whether any transformation changes values."""
        return bool(self.brightness or self.contrast or self.saturation or self.hue)

    def sample_geometry(
        self,
        rng: np.random.Generator,
        inputs: NDArray[np.int64],
        size: tuple[int, int],
        resize: str = "crop",
        crop_fraction: float = 0.875,
    ) -> NDArray[np.float64]:
        """Draw one matrix per image, output point to input point, shape (n, 2, 3); see `geometry`.

        Args:
            rng: the source of chance.
            inputs: (n, 2) heights and widths of the images.
            size: (height, width) of the output.
            resize: how the images are brought to `size` when no random resized crop does it (`geometry.fit`).
            crop_fraction: see `geometry.fit`.
        """
        n, (height, width) = len(inputs), size
        if self.area:
            ratio = (1 / self.ratio, self.ratio)
            base = geometry.random_box(rng, inputs, size, (self.area, 1.0), ratio)
        else:
            base = geometry.fit(inputs, size, resize, crop_fraction)

        def draw(strength: float) -> NDArray[np.float64]:
            return rng.uniform(-strength, strength, n)

        if self.flip or self.vertical_flip:
            mirror_x = np.where(rng.random(n) < self.flip, -1.0, 1.0)
            mirror_y = np.where(rng.random(n) < self.vertical_flip, -1.0, 1.0)
            base = base @ geometry.about(width / 2, height / 2, geometry.scaling(mirror_x, mirror_y))
        if self.rotate or self.scale or self.shear:
            zoom = np.exp(draw(np.log1p(self.scale)))
            turn = geometry.rotation(draw(self.rotate)) @ geometry.scaling(zoom, zoom)
            slant = geometry.shearing(draw(self.shear), draw(self.shear))
            base = base @ geometry.about(width / 2, height / 2, turn @ slant)
        if self.translate:
            base = base @ geometry.translation(draw(self.translate) * width, draw(self.translate) * height)
        if self.crop_padding:
            most = self.crop_padding
            shift = rng.integers(-most, most, size=(2, n), endpoint=True).astype(float)
            base = base @ geometry.translation(shift[0], shift[1])
        return base[:, :2]

    def sample_colour(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw one colour matrix per image, shape (n, 3, 4); see `colour`."""

        def draw(strength: float) -> NDArray[np.float64]:
            return rng.uniform(max(0.0, 1 - strength), 1 + strength, n)

        matrices = colour.identity(n)
        if self.brightness:
            matrices = colour.brightness(draw(self.brightness)) @ matrices
        if self.contrast:
            matrices = colour.contrast(draw(self.contrast)) @ matrices
        if self.saturation:
            matrices = colour.saturation(draw(self.saturation)) @ matrices
        if self.hue:
            matrices = colour.hue(rng.uniform(-self.hue, self.hue, n)) @ matrices
        return matrices[:, :3]
