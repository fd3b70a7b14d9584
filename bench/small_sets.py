"""Twelve small sets of images cut from the shared data, near to the pretraining and far, and the network of each."""

from __future__ import annotations

import dataclasses
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

from common import data

SMALL_MOBILENET = ("mobilenet_v1_0.25", "mobilenet_v1_0.25_128_imagenet.safetensors")
CIFAR_RESNET = ("resnet20_cifar", "resnet20_cifar10.safetensors")


class Set(NamedTuple):
    """One set of images and the network that is given them."""

    source: str
    network: tuple[str, str]
    classes: tuple[str, ...] = ()


SETS = {
    "flowers": Set("flowers", SMALL_MOBILENET),
    "roses and tulips": Set("flowers", SMALL_MOBILENET, ("roses", "tulips")),
    "CIFAR-10": Set("cifar10_jpeg", SMALL_MOBILENET),
    "CIFAR cats and dogs": Set("cifar10_jpeg", SMALL_MOBILENET, ("cat", "dog")),
    "CIFAR vehicles": Set("cifar10_jpeg", SMALL_MOBILENET, ("airplane", "automobile", "ship", "truck")),
    "MNIST": Set("mnist", SMALL_MOBILENET),
    "digits": Set("digits", SMALL_MOBILENET),
    "MNIST, ResNet-20": Set("mnist", CIFAR_RESNET),
    "digits, ResNet-20": Set("digits", CIFAR_RESNET),
    "flowers, ResNet-20": Set("flowers", CIFAR_RESNET),
    "CIFAR animals, ResNet-20": Set("cifar10_jpeg", CIFAR_RESNET, ("bird", "cat", "deer", "dog", "frog", "horse")),
    "CIFAR cats and dogs, ResNet-20": Set("cifar10_jpeg", CIFAR_RESNET, ("cat", "dog")),
}
#: Test images, at most.
TESTED = 1000


def opened(chosen: Set, place: Path):
    """The data set with its test images, of the classes that it is to have."""
    import numpy as np

    import striate

    if chosen.source == "flowers":
        with tarfile.open(data("flowers.tar")) as archive:
            archive.extractall(place, filter="data")
        source: Any = place / "flowers"
    else:
        source = chosen.source if chosen.source == "digits" else data(chosen.source)
    whole = striate.open_dataset(source, channels=3, val_fraction=0.3)
    tested = whole.test or whole.val
    names = chosen.classes or whole.classes

    def of_classes(split):
        positions = {whole.classes.index(name): place for place, name in enumerate(names)}
        rows = np.flatnonzero(np.isin(split.labels, list(positions)))
        found = split.subset(rows)
        return dataclasses.replace(found, labels=np.array([positions[label] for label in found.labels.tolist()]))

    train, test = of_classes(whole.train), of_classes(tested)
    shown = np.random.default_rng(0).permutation(len(test))[:TESTED]
    test = dataclasses.replace(test.subset(np.sort(shown)), name="test")
    return dataclasses.replace(whole, classes=tuple(names), train=train, val=None, test=test)


def drawn(dataset, count: int, seed: int):
    """The data set with so many training images of each class; and how many its smallest class has."""
    import numpy as np

    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(dataset.train.labels == label)) for label in range(len(dataset.classes))]
    rows = np.sort(np.concatenate([each[:count] for each in members]))
    return dataclasses.replace(dataset, train=dataset.train.subset(rows)), min(map(len, members))
