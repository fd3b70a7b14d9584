"""Published weights by network: those that torchvision has at an address from which anybody can fetch them."""

from __future__ import annotations

from typing import Any

from striate.weights.figure import IMAGENET, ONE_CROP, Figure
from striate.weights.images import HALVES, IMAGENET_STATISTICS
from striate.weights.source import WeightSource
from striate.weights.torchvision_files import BICUBIC, TORCHVISION_FILES

TORCHVISION = "https://download.pytorch.org/models/"

#: Networks whose weights saw images of mean and deviation one half; torchvision's own networks rescale inside.
FED_HALVES = ("googlenet", "inception_v3")


def sources_of(network: str, **options: Any) -> tuple[WeightSource, ...]:
    """The published weights of a network by its plain name ("resnet50", "vgg16"), none for many.

    `options` are those of our network that torchvision's weights need beyond what their key table says.
    """
    images = HALVES if network in FED_HALVES else IMAGENET_STATISTICS
    return tuple(
        WeightSource(
            name=name,
            file=file,
            sha256=file.rpartition("-")[2].removesuffix(".pth"),
            url=TORCHVISION + file,
            origin="torchvision",
            licence="BSD-3-Clause",
            input_size=size,
            mean=images.mean,
            std=images.std,
            crop_fraction=size / resize,
            interpolation="bicubic" if file in BICUBIC else "bilinear",
            accuracy=(Figure("top1", top1, "torchvision", IMAGENET, size, ONE_CROP),),
            options=options,
            style="torchvision",
        )
        for name, file, top1, size, resize in TORCHVISION_FILES.get(network, ())
    )
