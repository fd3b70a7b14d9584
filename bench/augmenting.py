"""The work of augment.py: each contestant augments the same pictures in turn; prints images per processor second.

python bench/augmenting.py FLOWERS.tar ROUNDS
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tarfile
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from common import alternate
from torchvision.transforms import v2

from striate.augment import Augment
from striate.data import ArrayImages, Preprocessing, Split
from striate.data.decode import decode
from striate.training.making import Key, Maker

SIDE, OUT, BATCH, IMAGES = 256, 224, 32, 256
#: What all draw from: share of the area, ratio, degrees either way, factors about 1, degrees of hue.
AREA, RATIO, TURN, SHEAR, COLOUR, HUE = 0.25, 4 / 3, 15.0, 8.0, 0.2, 15.0
WHOLE = {
    "flip": 0.5,
    "area": AREA,
    "ratio": RATIO,
    "rotate": TURN,
    "shear": SHEAR,
    "brightness": COLOUR,
    "contrast": COLOUR,
    "saturation": COLOUR,
    "hue": HUE,
}
SIX = {"flip": 0.5, "area": AREA, "rotate": TURN, "shear": SHEAR, "scale": 0.1, "translate": 0.05}

Pass = Callable[[], object]


def main() -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    pictures = np.stack(list(_pictures(sys.argv[1])))
    contestants = {
        "striate": _striate(pictures, **WHOLE),
        "torchvision, three resamplings": _torchvision(pictures, together=False),
        "torchvision, two resamplings": _torchvision(pictures, together=True),
        "a warp": _striate(pictures, rotate=TURN),
        "a warp of six transforms": _striate(pictures, **SIX),
        "crop and flip": _striate(pictures, flip=0.5, area=AREA),
    }
    if importlib.util.find_spec("albumentations"):
        contestants["albumentations"] = _albumentations(pictures)
    if importlib.util.find_spec("kornia"):
        contestants["kornia"] = _kornia(pictures)
    timed = {name: _timed(run) for name, run in contestants.items()}
    print(json.dumps({"speeds": alternate(timed, int(sys.argv[2]))}))


def _pictures(archive: str) -> Iterator[np.ndarray]:
    """The first photographs, resized to squares."""
    with tarfile.open(archive) as files:
        names = sorted(name for name in files.getnames() if name.endswith(".jpg"))
        for name in names[:: len(names) // IMAGES][:IMAGES]:
            picture = decode(files.extractfile(name).read())
            yield cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _timed(run: Pass) -> Callable[[], float]:
    def images_per_second() -> float:
        began = time.process_time()
        run()
        return IMAGES / (time.process_time() - began)

    return images_per_second


def _striate(pictures: np.ndarray, **strengths: float) -> Pass:
    images = ArrayImages(pictures, [""] * IMAGES)
    split = Split("train", images, np.zeros(IMAGES, np.int64))
    maker = Maker(split, Preprocessing((OUT, OUT), 3, (0.5,) * 3, (0.5,) * 3), Augment(**strengths), 0)
    epoch = iter(range(10**6))

    def run() -> None:
        number = next(epoch)
        for first in range(0, IMAGES, BATCH):
            maker[Key(number, np.arange(first, first + BATCH))]

    return run


def _torchvision(pictures: np.ndarray, together: bool) -> Pass:
    """Its transforms as they are written down, or rotation and shear in its one affine transform."""
    bilinear = v2.InterpolationMode.BILINEAR
    turns = (
        [v2.RandomAffine(TURN, shear=(-SHEAR, SHEAR, -SHEAR, SHEAR), interpolation=bilinear)]
        if together
        else [
            v2.RandomRotation(TURN, interpolation=bilinear),
            v2.RandomAffine(0, shear=(-SHEAR, SHEAR, -SHEAR, SHEAR), interpolation=bilinear),
        ]
    )
    transform = v2.Compose(
        [
            v2.RandomResizedCrop(OUT, scale=(AREA, 1), ratio=(1 / RATIO, RATIO)),
            v2.RandomHorizontalFlip(),
            *turns,
            v2.ColorJitter(COLOUR, COLOUR, COLOUR, HUE / 360),
        ]
    )
    tensors = [torch.from_numpy(picture).permute(2, 0, 1).contiguous() for picture in pictures]

    def run() -> None:
        for first in range(0, IMAGES, BATCH):
            torch.stack([transform(picture) for picture in tensors[first : first + BATCH]])

    return run


def _albumentations(pictures: np.ndarray) -> Pass:
    import albumentations

    transform = albumentations.Compose(
        [
            albumentations.RandomResizedCrop(size=(OUT, OUT), scale=(AREA, 1), ratio=(1 / RATIO, RATIO)),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Affine(rotate=(-TURN, TURN), shear=(-SHEAR, SHEAR), p=1),
            albumentations.ColorJitter(
                (1 - COLOUR, 1 + COLOUR),
                (1 - COLOUR, 1 + COLOUR),
                (1 - COLOUR, 1 + COLOUR),
                (-HUE / 360, HUE / 360),
                p=1,
            ),
        ]
    )

    def run() -> None:
        for first in range(0, IMAGES, BATCH):
            np.stack([transform(image=picture)["image"] for picture in pictures[first : first + BATCH]])

    return run


def _kornia(pictures: np.ndarray) -> Pass:
    from kornia import augmentation

    transform = augmentation.AugmentationSequential(
        augmentation.RandomResizedCrop((OUT, OUT), scale=(AREA, 1), ratio=(1 / RATIO, RATIO)),
        augmentation.RandomHorizontalFlip(),
        augmentation.RandomAffine(TURN, shear=(-SHEAR, SHEAR, -SHEAR, SHEAR), p=1),
        augmentation.ColorJitter(COLOUR, COLOUR, COLOUR, HUE / 360, p=1),
    )
    batches = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().split(BATCH)

    def run() -> None:
        for batch in batches:
            transform(batch.float() / 255)

    return run


if __name__ == "__main__":
    main()
