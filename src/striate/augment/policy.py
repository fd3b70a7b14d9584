"""A policy: how strongly each transform of training images acts."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields, replace
from typing import Final

from striate.errors import UsageError

#: Transforms that move pixels: their contributions compose to one matrix (2, 3).
GEOMETRY: Final = (
    *("flip", "vertical_flip", "crop_padding", "translate", "area", "rotate", "scale", "shear", "elastic"),
)
#: Transforms whose contributions compose to one matrix of colours (3, 4).
COLOUR: Final = ("brightness", "contrast", "saturation", "hue", "grey", "colour_shift", "pca")
#: Those of them that mean something of any channels; the others need red, green and blue.
ANY_CHANNELS: Final = ("brightness", "contrast")
#: Transforms that are no matrix, in the order in which they act.
PIXELS: Final = ("downscale", "blur", "noise", "jpeg", "erase")
#: Transforms that need a second picture.
MIXING: Final = ("mixup", "cutmix")
#: Of which `choose` chooses: those that go from nothing to their strength.
GRADUAL: Final = (
    *("translate", "rotate", "scale", "shear", "elastic"),
    *("brightness", "contrast", "saturation", "hue", "colour_shift", "pca"),
    *("downscale", "blur", "noise", "jpeg"),
)
BORDERS: Final = ("zero", "edge", "reflect")

#: The most that a strength may be, where there is a limit.
_LIMITS: Final = {
    **dict.fromkeys(("flip", "vertical_flip", "area", "translate", "grey", "erase", "colour_shift", "noise"), 1),
    "rotate": 180,
    "shear": 80,
    "hue": 180,
    "elastic": 0.05,  # beyond which the picture folds
    "jpeg": 99,
    "choose": len(GRADUAL),
    "downscale": 63,
    "blur": 100,
}


@dataclass(frozen=True)
class Augment:
    """Strengths of the random transforms of training images; zero (the default) leaves one out.

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
        elastic: local warping: points move by up to this share of the side, neighbours together (Simard et al.,
            2003, section 2); 0.03 is much.
        brightness: factor between 1 - brightness and 1 + brightness.
        contrast: factor between 1 - contrast and 1 + contrast, about the picture's mean grey.
        saturation: factor between 1 - saturation and 1 + saturation.
        hue: largest turn of the colour circle, degrees.
        grey: probability of taking the colours away.
        colour_shift: red, green and blue each move by up to this share of the range, apart from each other.
        pca: shift of the colours along the directions in which those of the data vary, normal with this many
            times their standard deviations (Krizhevsky et al., 2012, section 4.1, have 0.1).
        downscale: shrink by a factor of up to 1 + downscale and enlarge again, as of a poorer camera.
        blur: largest standard deviation of a Gaussian blur, pixels of what the network sees.
        noise: largest standard deviation of Gaussian noise, as a share of the range; 0.1 is much.
        jpeg: quality of a JPEG is lowered by up to this many of its 100 points.
        erase: probability that a box of 2 to 33 % of the picture is filled with noise (random erasing, Zhong et
            al., 2017, arXiv:1708.04896).
        mixup: both parameters of the Beta distribution by whose shares two pictures and their labels are blended
            (Zhang et al., 2017, arXiv:1710.09412, have 0.2 for ImageNet and 1 for CIFAR).
        cutmix: the same for a box of one picture that is put into another (Yun et al., 2019, arXiv:1905.04899,
            have 1); with mixup as well, each pair takes one or the other.
        choose: how many of the gradual transforms act on each image, drawn anew for each; 0 for all of them
            (RandAugment, Cubuk et al., 2019, arXiv:1909.13719, has 2; TrivialAugment 1).
        magnitude: how far a gradual transform goes: "any" (even up to its strength) or "whole" (always its
            strength, either way, as in RandAugment).
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
    elastic: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    grey: float = 0.0
    colour_shift: float = 0.0
    pca: float = 0.0
    downscale: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    erase: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    choose: int = 0
    magnitude: str = "any"
    border: str = "zero"

    def __post_init__(self) -> None:
        """Refuse impossible strengths with one line that names the field."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and not 0 <= value <= _LIMITS.get(field.name, sys.float_info.max):
                most = _LIMITS.get(field.name)
                allowed = f"between 0 and {most}" if most else "not negative"
                raise UsageError(f"augment.{field.name} is {value}; it must be {allowed}.")
        for name, words in (("crop_padding", "counts whole pixels"), ("choose", "counts transforms")):
            if getattr(self, name) != int(getattr(self, name)):
                raise UsageError(f"augment.{name} is {getattr(self, name)}; it {words}.")
        if self.ratio < 1:
            raise UsageError(f"augment.ratio is {self.ratio}; the widest aspect ratio is at least 1.")
        for name, known in (("border", BORDERS), ("magnitude", ("any", "whole"))):
            if getattr(self, name) not in known:
                raise UsageError(f"augment.{name} is '{getattr(self, name)}'; it is one of {', '.join(known)}.")

    def with_strengths(self, **strengths: float) -> Augment:
        """The policy with other strengths by name."""
        return replace(self, **strengths)  # type: ignore[arg-type]  # numbers all

    def under(self, resize: str) -> Augment:
        """The policy as it acts where a resize rule lays pictures on black: what lies outside them is black then."""
        return replace(self, border="zero") if resize == "letterbox" else self

    def has(self, *names: str) -> bool:
        """Whether any of these transforms acts."""
        return any(getattr(self, name) for name in names)

    @property
    def changes_geometry(self) -> bool:
        """Whether any transform moves pixels."""
        return self.has(*GEOMETRY)

    @property
    def changes_colour(self) -> bool:
        """Whether any transform multiplies colours."""
        return self.has(*COLOUR)

    @property
    def changes_anything(self) -> bool:
        """Whether any transform acts at all."""
        return self.has(*GEOMETRY, *COLOUR, *PIXELS, *MIXING)

    @property
    def slants(self) -> bool:
        """Whether any transform leaves what was upright aslant, so that pictures have to be warped."""
        return self.has("rotate", "shear", "elastic")
