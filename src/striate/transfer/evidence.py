"""Evidence: what one network knows of a data set before anything is trained, from some of its images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.data import Preprocessing, Split
from striate.engines import evaluating
from striate.models import Network
from striate.transfer.features import Extractor, Features
from striate.transfer.probing import Forecast, Probe, forecast, probe
from striate.transfer.similarity import distance

#: Images that are looked at, at most, and of which fewer tell nothing.
MOST_IMAGES, FEWEST = 500, 8
#: Images whose activations are compared with the batch norms' statistics.
COMPARED = 24
#: Images that go through the network at once when they are.
TOGETHER = 8


@dataclass(frozen=True)
class Evidence:
    """What a network's frozen features tell of some images.

    Attributes:
        network: its name.
        imagenet: its published top-1 accuracy on ImageNet; NaN where there is none.
        probes: of each stage's mean over the image, in order, and last of "features", what its classifier sees.
        forecast: the accuracy of a linear classifier of the features of all images there are to train on.
        distance: of the images from those of the pretraining, nats; NaN where that cannot be told.
        side: of the images as the network sees them, pixels.
        images: how many were looked at.
        seconds: that a linear classifier of all images takes, about; those whose features are kept are not taken anew.
    """

    network: str
    imagenet: float
    probes: Mapping[str, Probe]
    forecast: Forecast
    distance: float
    side: int
    images: int
    seconds: float

    @property
    def probe(self) -> Probe:
        """Of what the classifier sees."""
        return self.probes["features"]

    @property
    def best_stage(self) -> str:
        """The part whose features tell the classes best, the last one where others are no better."""
        return max(reversed([*self.probes]), key=lambda name: self.probes[name].accuracy)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain values."""
        return {
            "network": self.network,
            "imagenet_top1": self.imagenet if math.isfinite(self.imagenet) else None,
            "images": self.images,
            "stages": {
                name: {
                    "accuracy": probe.accuracy,
                    "interval": list(probe.interval),
                    "nearest": float(probe.nearest.mean()),
                    "margin": probe.margin,
                }
                for name, probe in self.probes.items()
            },
            "accuracy": self.probe.accuracy,
            "interval": list(self.probe.interval),
            "forecast": {
                "accuracy": self.forecast.accuracy,
                "interval": list(self.forecast.interval),
                "images": self.forecast.images,
            },
            "distance": self.distance if math.isfinite(self.distance) else None,
            "seconds": self.seconds,
        }


def looked_at(split: Split, seed: int) -> NDArray[np.int64] | None:
    """Some images of a split, drawn at random; None where they would tell nothing."""
    rows = np.random.default_rng(seed).permutation(len(split))[:MOST_IMAGES]
    tells = len(rows) >= FEWEST and len(np.unique(split.labels[rows])) > 1
    return np.sort(rows) if tells else None


def gather(
    network: Network,
    look: Preprocessing,
    split: Split,
    rows: NDArray[np.int64],
    imagenet: float = float("nan"),
    shown: Callable[[int, int], None] = lambda done, total: None,
) -> Evidence:
    """Look at some images of a split with a network.

    Args:
        network: with pretrained weights.
        look: brings images to it.
        split: the images to train on, each of one class.
        rows: which of them to look at, of at least two classes.
        imagenet: the network's published accuracy.
        shown: told how many images have gone through it, and of how many.

    Raises:
        StriateError: an image cannot be read.
    """
    some = split.subset(rows)
    with evaluating(network):
        began = time.perf_counter()
        extractor = Extractor(network, look)
        features = extractor.take(some, shown=shown)
        each = (time.perf_counter() - began) / max(1, extractor.reckoned) if extractor.reckoned else 0.0
        far = distance_of(network, look, some)
    probes = probes_of(features, some.labels)
    foretold = forecast(features.of(), some.labels, probes["features"], len(split))
    left = len(split) - (len(rows) - extractor.reckoned)
    return Evidence(network.spec.name, imagenet, probes, foretold, far, min(look.size), len(rows), each * left)


def distance_of(network: Network, look: Preprocessing, split: Split, count: int = COMPARED) -> float:
    """How far a split's images lie from those of a network's pretraining, nats; see `striate.transfer.similarity`.

    Args:
        network: in evaluation mode.
        look: brings images to it.
        split: the images.
        count: how many of them are compared.
    """
    rows = np.linspace(0, len(split) - 1, min(count, len(split))).astype(int)
    weight = next(network.parameters())
    pictures = np.stack([look(split.images.read(int(row), look.serving)) for row in rows])
    images = look.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2).to(weight.device)).to(weight.dtype)
    return distance(network, images)


def probes_of(features: Features, labels: NDArray[np.int64]) -> dict[str, Probe]:
    """A probe of each stage's mean over the image, in order, and last of what the classifier sees."""
    names = [*features.stages, "features"]
    return {name: probe(features.of(name), labels) for name in names}
