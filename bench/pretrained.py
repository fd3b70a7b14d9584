"""What five pretrained networks make of some kinds of images, which `network_choice.py` and `forecast.py` measure."""

from __future__ import annotations

import dataclasses
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import data
from views import weights

NETWORKS = {
    "efficientnet_lite2": "efficientnet_lite2_imagenet.safetensors",
    "efficientnet_lite0": "efficientnet_lite0_imagenet.safetensors",
    "mobilenet_v2": "mobilenet_v2_imagenet.safetensors",
    "mobilenet_v1": "mobilenet_v1_1.0_224_imagenet.safetensors",
    "mobilenet_v1_0.75": "mobilenet_v1_0.75_192_imagenet.safetensors",
}
#: Images of each kind, at most.
MOST = 4000


@dataclass(frozen=True)
class Taken:
    """What one network gave for some images.

    Attributes:
        network: its name.
        features: what its last layer sees, (N, D).
        imagenet: its published accuracy on ImageNet.
        distance: of the images from those of its pretraining, nats.
    """

    network: str
    features: np.ndarray
    imagenet: float
    distance: float


@dataclass(frozen=True)
class Kind:
    """Images of one kind, by every network.

    Attributes:
        name: what images.
        labels: of each, (N,).
        classes: how many there are.
        taken: by network, in the order of `NETWORKS`.
    """

    name: str
    labels: np.ndarray
    classes: int
    taken: list[Taken]


def kinds(*names: str) -> Iterator[Kind]:
    """Images of each kind that is named, one after the other: "flowers", "CIFAR-10", "MNIST", "digits"."""
    import striate

    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(data("flowers.tar")) as archive:
            archive.extractall(place, filter="data")
        sources = {
            "flowers": Path(place, "flowers"),
            "CIFAR-10": data("cifar10_jpeg"),
            "MNIST": data("mnist", "MNIST", "raw"),
            "digits": "digits",
        }
        for name in names:
            whole = striate.open_dataset(sources[name], channels=3, val_fraction=0)
            some = np.sort(np.random.default_rng(0).permutation(len(whole.train))[:MOST])
            whole = dataclasses.replace(whole, train=whole.train.subset(some))
            taken = [_take(network, file, whole) for network, file in NETWORKS.items()]
            yield Kind(name, whole.train.labels, len(whole.classes), taken)


def _take(name: str, file: str, dataset) -> Taken:
    from striate.classifier.choices import preprocessing_for
    from striate.classifier.network_choice import accuracy_of
    from striate.engines import evaluating
    from striate.models import create_model
    from striate.transfer.evidence import distance_of
    from striate.transfer.features import Extractor

    network = create_model(name, weights=weights(file)).eval()
    look = preprocessing_for(network, dataset, network.weights_source.input_size)
    with evaluating(network):
        features = Extractor(network, look).take(dataset.train).of()
        return Taken(name, features, accuracy_of(name), distance_of(network, look, dataset.train))
