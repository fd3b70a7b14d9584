"""What a policy does to one picture: each transform alone at rising strength, then all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.augment.augmenting import moved, recoloured, spoilt
from striate.augment.mixing import mix, mixes
from striate.augment.policy import ANY_CHANNELS, COLOUR, GEOMETRY, GRADUAL, MIXING, PIXELS, Augment
from striate.augment.sampling import draws, geometries

#: Strengths at which a transform is plainly seen, for a sheet of all of them.
TELLING = Augment(
    flip=1,
    vertical_flip=1,
    crop_padding=24,
    translate=0.25,
    area=0.2,
    rotate=45,
    scale=0.6,
    shear=30,
    elastic=0.04,
    brightness=0.6,
    contrast=0.7,
    saturation=0.9,
    hue=60,
    grey=1,
    colour_shift=0.2,
    pca=0.5,
    downscale=7,
    blur=4,
    noise=0.2,
    jpeg=95,
    erase=1,
    mixup=1,
    cutmix=1,
)
#: The shares of its strength at which a gradual transform is shown.
SHARES = (0.25, 0.5, 0.75, 1.0)


class Shown(NamedTuple):
    """A picture as a policy leaves it, and in words which."""

    words: str
    picture: NDArray[np.uint8]


def transforms(policy: Augment) -> list[str]:
    """The names of the transforms that a policy has, in the order in which they act."""
    return [name for name in (*GEOMETRY, *COLOUR, *PIXELS, *MIXING) if policy.has(name)]


def alone(policy: Augment, name: str) -> Iterator[tuple[str, Augment]]:
    """One transform of a policy by itself, at its strength and shares of it where it is gradual, in words each."""
    bare = replace(Augment(), ratio=policy.ratio, border=policy.border)
    strength = getattr(policy, name)
    if name in GRADUAL:
        for share in SHARES:
            yield (
                f"{name} {strength * share:.3g}",
                replace(bare, magnitude="whole").with_strengths(**{name: strength * share}),
            )
    elif name in ("flip", "vertical_flip", "grey"):
        yield name, bare.with_strengths(**{name: 1.0})
    else:
        for _ in SHARES:
            yield f"{name} {strength:.3g}", bare.with_strengths(**{name: 1.0 if name == "erase" else strength})


def versions(
    policy: Augment,
    pictures: Sequence[NDArray[np.uint8]],
    size: tuple[int, int],
    count: int,
    seed: int = 0,
    axes: NDArray[np.float64] | None = None,
    resize: str = "crop",
    crop_fraction: float = 1.0,
) -> NDArray[np.uint8]:
    """So many versions of the first of `pictures` (the second is what it is mixed with): uint8 (count, *size, C).

    `axes` as `sampling.colours` takes them, the others as `sampling.geometries`.
    """
    made, policy = [], policy.under(resize)
    for picture in pictures[:2]:
        drawn = draws(policy, seed, 0, np.arange(count))
        matrices = geometries(policy, drawn, np.tile([picture.shape[:2]], (count, 1)), size, resize, crop_fraction)
        images = moved(policy, drawn, [picture] * count, matrices, size)
        recoloured(policy, drawn, images, axes)
        spoilt(policy, drawn, images)
        made.append(images)
    if len(made) == 1 or not policy.has(*MIXING):
        return made[0]
    return mix(made[0], made[1], mixes(policy, draws(policy, seed, 0, np.arange(count))))[0]


def skipped(policy: Augment, channels: int) -> list[str]:
    """Which transforms of a policy need red, green and blue, and do nothing to pictures of so many channels."""
    if channels == 3:
        return []
    needing = [name for name in COLOUR if name not in ANY_CHANNELS]
    return [name for name in (*needing, *(("jpeg",) if channels != 1 else ())) if policy.has(name)]
