"""Policies that have a name, each with what it is for and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from striate.augment.policy import Augment
from striate.errors import unknown

_SHELF: tuple[tuple[str, str, Augment], ...] = (
    ("none", "nothing", Augment()),
    ("flips", "mirror images alone", Augment(flip=0.5)),
    (
        "mild",
        "photographs, for a pretrained network: stronger crops would spoil what is known already",
        Augment(flip=0.5, area=0.35, brightness=0.15, contrast=0.15, saturation=0.15),
    ),
    (
        "photos",
        "photographs, from random first weights",
        Augment(flip=0.5, area=0.25, brightness=0.2, contrast=0.2, saturation=0.2),
    ),
    (
        "strong",
        "photographs, for a large network trained long",
        Augment(
            flip=0.5,
            area=0.2,
            rotate=15,
            shear=8,
            brightness=0.4,
            contrast=0.4,
            saturation=0.4,
            hue=15,
            grey=0.1,
            blur=1.0,
            erase=0.25,
            border="reflect",
        ),
    ),
    (
        "digits",
        "handwriting: crooked, shifted and resized, never mirrored",
        Augment(rotate=12, scale=0.1, shear=6, translate=0.07),
    ),
    (
        "simard",
        "handwriting, with local warping (Simard et al., 2003)",
        Augment(rotate=8, scale=0.1, shear=6, translate=0.07, elastic=0.03),
    ),
    ("tiny", "small pictures of anything", Augment(translate=0.1, rotate=10, scale=0.1)),
    (
        "lenet_1998",
        "the distortions of LeCun et al., 1998, section III.C",
        Augment(rotate=6, scale=0.06, shear=4, translate=0.04),
    ),
    (
        "alexnet",
        "a random 224 of 256 pixels, mirror images, PCA colour (Krizhevsky et al., 2012, section 4.1; VGG's too)",
        Augment(flip=0.5, translate=1 / 14, pca=0.1),
    ),
    (
        "inception",
        "crops of 8 % of the area and more (Szegedy et al., 2015, section 6), mirror images, colours",
        Augment(flip=0.5, area=0.08, brightness=0.4, contrast=0.4, saturation=0.4),
    ),
    ("cifar", "pad by 4 and crop, mirror images (He et al., 2015, section 4.2)", Augment(flip=0.5, crop_padding=4)),
    (
        "cats_dogs",
        "what Keras's example of cats and dogs does (Chollet, 2017, section 5.2)",
        Augment(flip=0.5, rotate=40, translate=0.2, shear=11.5, scale=0.2, border="edge"),
    ),
    (
        "rand_augment",
        "two of eleven transforms on each picture, at one strength (Cubuk et al., 2019)",
        Augment(
            flip=0.5,
            area=0.08,
            translate=0.15,
            rotate=9,
            shear=5,
            scale=0.15,
            brightness=0.3,
            contrast=0.3,
            saturation=0.3,
            hue=10,
            colour_shift=0.1,
            blur=1.0,
            jpeg=30,
            choose=2,
            magnitude="whole",
        ),
    ),
    (
        "trivial_augment",
        "one of eleven transforms on each picture, at any strength (Müller & Hutter, 2021)",
        Augment(
            flip=0.5,
            area=0.08,
            translate=0.3,
            rotate=90,
            shear=40,
            scale=0.5,
            brightness=0.9,
            contrast=0.9,
            saturation=0.9,
            hue=40,
            colour_shift=0.3,
            blur=3.0,
            jpeg=90,
            choose=1,
        ),
    ),
    (
        "mixup",
        "pairs of pictures blended (Zhang et al., 2017), over mild crops",
        Augment(flip=0.5, area=0.35, mixup=0.2),
    ),
    ("cutmix", "boxes of other pictures (Yun et al., 2019), over mild crops", Augment(flip=0.5, area=0.35, cutmix=1.0)),
)

POLICIES: Mapping[str, Augment] = MappingProxyType({name: policy for name, _, policy in _SHELF})

#: What each is for.
PURPOSES: Mapping[str, str] = MappingProxyType({name: words for name, words, _ in _SHELF})


def get_policy(name: str) -> Augment:
    """The policy of that name.

    Raises:
        UsageError: no such policy; the nearest names are offered.
    """
    if name not in POLICIES:
        raise unknown("policy", name, POLICIES, "`striate augment --list` lists them all.")
    return POLICIES[name]
