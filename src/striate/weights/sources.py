"""Published weights by network: torchvision's, and converted ones whose files are put in place by hand."""

from __future__ import annotations

from typing import Any

from striate.weights.source import WeightSource
from striate.weights.torchvision_files import TORCHVISION_FILES

TORCHVISION = "https://download.pytorch.org/models/"

#: Networks whose weights saw images of mean and deviation one half; torchvision's own networks rescale inside.
HALVES = ("googlenet", "inception_v3")

#: Network: (sha256, top-1 on CIFAR-10 as published, top-1 on its test set recompressed as JPEG).
CIFAR_FILES = {
    "resnet20": ("37b2518fb6810d5522cdaff824721ff72db178517de13db84471b83ab93c81c1", 0.9173, 0.8103),
    "resnet32": ("0274e65c15d8b053e3826afedcf44f7e1a51720122163b5edc365accea9cd540", 0.9263, 0.8256),
    "resnet44": ("54224b6e73f9a26f309f9809802712f558cd826ea9eb050c95662c29ceb5f720", 0.9310, 0.8267),
    "resnet56": ("373e787eb2ee4328e8e3be159ad04ff9643637d682fa79a20a32fee4d6a65753", 0.9339, 0.8320),
}


def _torchvision(network: str, options: dict[str, Any]) -> tuple[WeightSource, ...]:
    usual = WeightSource("", "")
    halves = network in HALVES
    return tuple(
        WeightSource(
            name=name,
            file=file,
            sha256=file.rpartition("-")[2].removesuffix(".pth"),
            url=TORCHVISION + file,
            origin="torchvision",
            licence="BSD-3-Clause",
            input_size=size,
            mean=(0.5,) * 3 if halves else usual.mean,
            std=(0.5,) * 3 if halves else usual.std,
            crop_fraction=size / resize,
            accuracy={"ImageNet validation, one crop": top1},
            options=options,
        )
        for name, file, top1, size, resize in TORCHVISION_FILES.get(network, ())
    )


def _cifar(network: str) -> WeightSource:
    sha256, published, jpeg = CIFAR_FILES[network]
    return WeightSource(
        name="cifar10",
        file=f"{network}_cifar10.safetensors",
        sha256=sha256,
        origin="akamaster/pytorch_resnet_cifar10, commit d5489e8995e8, as safetensors",
        licence="BSD-2-Clause",
        num_classes=10,
        input_size=32,
        crop_fraction=1.0,
        accuracy={"CIFAR-10 test, published": published, "CIFAR-10 test as JPEG": jpeg},
        options={"shortcut": "A"},
    )


#: MobileNets as TensorFlow's authors trained them: (file, sha256, image size, top-1 on the 1,000 images).
TENSORFLOW_MOBILENETS = {
    "mobilenet_v2": (
        "mobilenet_v2_imagenet.safetensors",
        "6fcc968d584f7ee83bbedf257087f0e7972ec6f5ed737063754c0900efa19bf2",
        224,
        0.891,
    ),
    "mobilenet_v1": (
        "mobilenet_v1_1.0_224_imagenet.safetensors",
        "f00816bafa975d4adfcbf46c5e56dc632fe83429f2115079ab26d4b374a84590",
        224,
        0.890,
    ),
    "mobilenet_v1_0.75": (
        "mobilenet_v1_0.75_192_imagenet.safetensors",
        "057f294fb5a01b2e25c454b544147493d9266a8fed22f1a61db1136f12ae761a",
        192,
        0.809,
    ),
    "mobilenet_v1_0.5": (
        "mobilenet_v1_0.5_160_imagenet.safetensors",
        "d8afff4c79f0ab1ba5f394a854406b3e9105cf9b18c964f2d0e669fcf91b75ba",
        160,
        0.686,
    ),
    "mobilenet_v1_0.25": (
        "mobilenet_v1_0.25_128_imagenet.safetensors",
        "1a8bd9f2cd4276ce9342cb7c8f03bd878102e1f2a04142d0869eefae8abfb265",
        128,
        0.450,
    ),
}


def _tensorflow(network: str) -> WeightSource:
    file, sha256, size, top1 = TENSORFLOW_MOBILENETS[network]
    second = network == "mobilenet_v2"
    width = 1.0 if second else float(network.partition("v1_")[2] or 1)
    return WeightSource(
        name="imagenet_tensorflow",
        file=file,
        sha256=sha256,
        origin="google-coral/test_data, commit 104342d2d348, dequantised, as safetensors",
        licence="Apache-2.0",
        input_size=size,
        mean=(128 / 255,) * 3,
        std=(128 / 255,) * 3,
        accuracy={"1,000 sample images of ImageNet, probably of its training set": top1},
        options={"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3, "width": width}
        | ({} if second else {"activation": "relu6", "full": False}),
    )


def sources_of(network: str, **options: Any) -> tuple[WeightSource, ...]:
    """The published weights of a network by its plain name ("resnet50", "resnet20_cifar"), none for many.

    `options` are those of our network that torchvision's weights need beyond what their key table says.
    """
    if network.removesuffix("_cifar") in CIFAR_FILES and network.endswith("_cifar"):
        return (_cifar(network.removesuffix("_cifar")),)
    converted = (_tensorflow(network),) if network in TENSORFLOW_MOBILENETS else ()
    return (*_torchvision(network, options), *converted)
