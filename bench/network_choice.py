"""Which pretrained network to take: the most accurate on ImageNet, or the one whose features tell some images best?

    python bench/network_choice.py --write

The five networks of the shared weights take features of the flowers and of 4,000 images each of CIFAR-10 and MNIST.
From these, small sets are drawn: two to ten classes, 20 to 500 images in all. On each, three rules choose a network: by
its published accuracy on ImageNet; by the accuracy of a linear probe of the images drawn, each judged by what was
fitted to the others; and as `striate advise` does, by the probe where the images are far from the pretraining's, else
by ImageNet. A network is worth what a linear classifier of its features, fitted to the images drawn, tells right of all
other images; what a rule loses is how far its choice lies below the best of the five there.
"""

from __future__ import annotations

import dataclasses
import tarfile
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from common import Report, arguments, data
from striate.transfer.decision import FAR, kin_of
from striate.transfer.evidence import distance_of
from striate.transfer.probing import LeastSquares
from views import weights

NETWORKS = {
    "efficientnet_lite2": "efficientnet_lite2_imagenet.safetensors",
    "efficientnet_lite0": "efficientnet_lite0_imagenet.safetensors",
    "mobilenet_v2": "mobilenet_v2_imagenet.safetensors",
    "mobilenet_v1": "mobilenet_v1_1.0_224_imagenet.safetensors",
    "mobilenet_v1_0.75": "mobilenet_v1_0.75_192_imagenet.safetensors",
}
COUNTS = (20, 60, 120, 250, 500)
DRAWS = 20
MOST = 4000
#: Of the images as networks of ImageNet see them, about.
SIDE = 224


def taken(name: str, file: str, dataset):
    """Features of all training images, the network's ImageNet accuracy, and how far it is from its images to these."""
    from striate.classifier.choices import preprocessing_for
    from striate.classifier.network_choice import accuracy_of
    from striate.engines import evaluating
    from striate.models import create_model
    from striate.transfer.features import Extractor

    network = create_model(name, weights=weights(file)).eval()
    look = preprocessing_for(network, dataset, network.weights_source.input_size)
    with evaluating(network):
        features = Extractor(network, look).take(dataset.train).of()
        return features, accuracy_of(name), distance_of(network, look, dataset.train)


@dataclass(frozen=True)
class Draw:
    """A small set: what each network's probe said of its images, and what the network is worth on all others."""

    told: np.ndarray
    worth: np.ndarray

    def lost(self, priors: np.ndarray, is_far: bool) -> dict[str, float]:
        """How far the choice of each rule lies below the best network, percentage points."""
        probe = self.told + 1e-6 * priors
        rules = {"ImageNet": priors, "probe": probe, "advised": probe if is_far else priors}
        return {name: 100 * float(self.worth.max() - self.worth[rated.argmax()]) for name, rated in rules.items()}


def drawn(features, labels, classes, count: int, seed: int) -> Draw:
    """A draw of so many images of some classes."""
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in classes]
    each = count // len(classes)
    rows = np.concatenate([one[:each] for one in members])
    rest = np.concatenate([one[each:] for one in members])
    told, worth = [], []
    for values in features:
        fitted = LeastSquares(values[rows], labels[rows])
        told.append(fitted.right.mean())
        worth.append((fitted.classes(values[rest]) == labels[rest]).mean())
    return Draw(np.array(told), np.array(worth))


def main() -> None:
    import striate

    parser = arguments(__doc__)
    options = parser.parse_args()
    report = Report("Choice of a pretrained network", options)
    table = []
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(data("flowers.tar")) as archive:
            archive.extractall(place, filter="data")
        digits = data("mnist", "MNIST", "raw")
        sources = {"flowers": Path(place, "flowers"), "CIFAR-10": data("cifar10_jpeg"), "MNIST": digits}
        for called, source in sources.items():
            whole = striate.open_dataset(source, channels=3, val_fraction=0)
            some = np.sort(np.random.default_rng(0).permutation(len(whole.train))[:MOST])
            whole = dataclasses.replace(whole, train=whole.train.subset(some))
            features, priors, far = zip(*(taken(name, file, whole) for name, file in NETWORKS.items()), strict=True)
            is_far = kin_of(far[int(np.argmax(priors))], 1.0, len(whole.classes), SIDE) is FAR
            every = range(len(whole.classes))
            for size in (2, len(whole.classes)):
                sets = list(combinations(every, size))
                for count in COUNTS:
                    if count < 2 * size:
                        continue
                    draws = [
                        drawn(features, whole.train.labels, sets[seed % len(sets)], count, seed)
                        for seed in range(DRAWS)
                    ]
                    lost = [one.lost(np.array(priors), is_far) for one in draws]
                    cells = [f"{np.mean([one[rule] for one in lost]):.2f}" for rule in lost[0]]
                    table.append([called, str(size), str(count), *cells])
                    print(table[-1], flush=True)
    report.table(["images of", "classes", "images in all", "lost by ImageNet, points", "by probe", "as advised"], table)
    report.close()


if __name__ == "__main__":
    main()
