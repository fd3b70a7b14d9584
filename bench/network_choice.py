"""Which pretrained network to take: the most accurate on ImageNet, or the one whose features tell some images best?

    python bench/network_choice.py --write

The five networks of the shared weights take features of the flowers and of 4,000 images of CIFAR-10. From these, small
sets are drawn: two to ten classes, 20 to 500 images in all. On each, two rules choose a network: by its published
accuracy on ImageNet, and by the accuracy of a linear probe of the images drawn, each judged by what was fitted to the
others. A network is worth what a linear classifier of its features, fitted to the images drawn, tells right of all
other images; what a rule loses is how far its choice lies below the best of the five there.
"""

from __future__ import annotations

import tarfile
import tempfile
from itertools import combinations
from pathlib import Path

from common import Report, arguments, data
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


def taken(name: str, file: str, dataset):
    """Features of all training images, and what the network's ImageNet accuracy is."""
    from striate.classifier.choices import preprocessing_for
    from striate.classifier.transfer_choice import accuracy_of
    from striate.engines import evaluating
    from striate.models import create_model
    from striate.transfer.features import Extractor

    network = create_model(name, weights=weights(file)).eval()
    look = preprocessing_for(network, dataset, network.weights_source.input_size)
    with evaluating(network):
        return Extractor(network, look).take(dataset.train).of(), accuracy_of(name)


def lost(features, priors, labels, classes, count: int, seed: int) -> dict[str, float]:
    """How far the choice of each rule lies below the best network, percentage points."""
    import numpy as np

    from striate.transfer.probing import LeastSquares

    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in classes]
    each = count // len(classes)
    rows = np.concatenate([one[:each] for one in members])
    rest = np.concatenate([one[each:] for one in members])
    probes, worth = [], []
    for values in features:
        fitted = LeastSquares(values[rows], labels[rows])
        probes.append(float(fitted.right.mean()))
        worth.append(float((fitted.classes(values[rest]) == labels[rest]).mean()))
    rules = {"ImageNet": np.array(priors), "probe": np.array(probes) + 1e-6 * np.array(priors)}
    return {name: 100 * (max(worth) - worth[int(rated.argmax())]) for name, rated in rules.items()}


def main() -> None:
    import dataclasses

    import numpy as np

    import striate

    parser = arguments(__doc__)
    options = parser.parse_args()
    report = Report("Choice of a pretrained network", options)
    table = []
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(data("flowers.tar")) as archive:
            archive.extractall(place, filter="data")
        for source, called in ((Path(place, "flowers"), "flowers"), (data("cifar10_jpeg"), "CIFAR-10")):
            whole = striate.open_dataset(source, channels=3, val_fraction=0)
            some = np.sort(np.random.default_rng(0).permutation(len(whole.train))[:MOST])
            whole = dataclasses.replace(whole, train=whole.train.subset(some))
            found = [taken(name, file, whole) for name, file in NETWORKS.items()]
            features, priors, labels = [one for one, _ in found], [prior for _, prior in found], whole.train.labels
            every = range(len(whole.classes))
            for size in (2, len(whole.classes)):
                sets = list(combinations(every, size))
                for count in COUNTS:
                    if count < 2 * size:
                        continue
                    draws = [
                        lost(features, priors, labels, sets[seed % len(sets)], count, seed) for seed in range(DRAWS)
                    ]
                    cells = [f"{np.mean([one[rule] for one in draws]):.2f}" for rule in draws[0]]
                    table.append([called, str(size), str(count), *cells])
                    print(table[-1], flush=True)
    report.table(["images of", "classes", "images in all", "lost by ImageNet, points", "by probe, points"], table)
    report.close()


if __name__ == "__main__":
    main()
