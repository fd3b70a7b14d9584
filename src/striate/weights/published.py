"""Published weights of a network, from whoever publishes some: torchvision, timm, Keras Applications.

The first are the network's usual ones and are called "imagenet"; the others are called after their publisher, "timm"
and "keras", and what torchvision has more than one of as it calls them there ("imagenet_v2").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from striate.weights.figure import CIFAR10, IMAGENET, Figure
from striate.weights.images import HALVES, IMAGENET_STATISTICS
from striate.weights.keras_files import KERAS_FILES
from striate.weights.source import HUB, WeightSource
from striate.weights.sources import sources_of
from striate.weights.timm_files import RELEASES, TIMM_FILES

#: What a network's usual weights are called, where they were trained on ImageNet.
USUAL = "imagenet"

#: CIFAR ResNet's layers: the file at its publisher, with the first digits of its SHA-256, and top-1 as printed there.
CIFAR_RESNETS = {
    "20": ("resnet20-12fca82f.th", 0.9173),
    "32": ("resnet32-d509ac18.th", 0.9263),
    "44": ("resnet44-014dd654.th", 0.9310),
    "56": ("resnet56-4bfd9763.th", 0.9339),
    "110": ("resnet110-1d1ed7c2.th", 0.9368),
}
AKAMASTER = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/"
#: The outputs of networks trained on CIFAR-10.
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def weights_of(
    network: str, peers: Mapping[str, str], at_torch: Mapping[str, Any] | None = None, **options: Any
) -> tuple[WeightSource, ...]:
    """The published weights of a network, its usual ones first.

    Args:
        network: its name on the card.
        peers: its names at the publishers, as on the card.
        at_torch: options of our network that torchvision's and timm's weights need beyond what their key tables say.
        options: those that all of them need.
    """
    torch_options = {**(at_torch or {}), **options}
    found = [
        *sources_of(peers.get("torchvision", ""), **torch_options),
        *_of_timm(peers.get("timm", ""), torch_options),
        *_of_keras(network, options),
    ]
    return (replace(found[0], name=USUAL), *found[1:]) if found else ()


def source_called(sources: Sequence[WeightSource], name: str) -> WeightSource | None:
    """The source of that name; by a publisher's name ("timm") the first that it publishes."""
    named = next((source for source in sources if source.name == name), None)
    return named or next((source for source in sources if source.style == name), None)


def _of_timm(spelled: str, options: Mapping[str, Any]) -> list[WeightSource]:
    if spelled not in TIMM_FILES:
        return []
    tag, release, side, crop, interpolation, halves, licence = TIMM_FILES[spelled]
    images = HALVES if halves else IMAGENET_STATISTICS
    file = release.rpartition("/")[2]
    return [
        WeightSource(
            name="timm",
            file=file or "model.safetensors",
            sha256=file.rpartition("-")[2].removesuffix(".pth"),
            url=RELEASES + release if release else f"{HUB}timm/{spelled}.{tag}",
            origin=f"timm, {tag}",
            licence=licence,
            input_size=side,
            mean=images.mean,
            std=images.std,
            crop_fraction=crop,
            interpolation=interpolation,
            options=options,
            style="timm",
        )
    ]


def _of_keras(network: str, options: Mapping[str, Any]) -> list[WeightSource]:
    if network not in KERAS_FILES:
        return []
    url, md5, side, printed, images, licence = KERAS_FILES[network]
    said = zip(("top1", "top5"), printed, strict=False)
    return [
        WeightSource(
            name="keras",
            file=url.rpartition("/")[2],
            md5=md5,
            url=url,
            origin="Keras Applications",
            licence=licence,
            input_size=side,
            mean=images.mean,
            std=images.std,
            accuracy=tuple(
                Figure(metric, round(share / 100, 6), "Keras Applications", IMAGENET, side) for metric, share in said
            ),
            options=options,
            style="keras",
        )
    ]


def weights_for_cifar(depth: str) -> tuple[WeightSource, ...]:
    """The published weights of a CIFAR ResNet by its layers and version ("20", "110_v2"), none for many."""
    if depth not in CIFAR_RESNETS:
        return ()
    file, top1 = CIFAR_RESNETS[depth]
    return (
        WeightSource(
            name="cifar10",
            file=file,
            sha256=file.rpartition("-")[2].removesuffix(".th"),
            url=AKAMASTER + file,
            origin="akamaster/pytorch_resnet_cifar10",
            licence="BSD-2-Clause",
            num_classes=10,
            input_size=32,
            crop_fraction=1.0,
            accuracy=(Figure("top1", top1, "its authors", CIFAR10, 32),),
            options={"shortcut": "A"},
            style="source",
            classes=CIFAR10_CLASSES,
        ),
    )
