"""Which pretrained network to take: the most accurate on ImageNet, or the one whose features tell some images best?

    python bench/network_choice.py --write

The five networks of the shared weights take features of the flowers, of 4,000 images each of CIFAR-10 and MNIST, and
of scikit-learn's digits. From these, small sets are drawn: two to ten classes, 20 to 500 images in all. On each, four
rules choose a network: by its published accuracy on ImageNet; by the accuracy of a linear probe of the images drawn,
each judged by what was fitted to the others; by the mean margin of that probe; and as `striate advise` does, by the
margin where the images are far from the pretraining's, else by ImageNet unless a probe is plainly better. A network is
worth what a linear classifier of its features, fitted to the images drawn, tells right of all other images; what a rule
loses is how far its choice lies below the best of the five there.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from common import Report, arguments
from pretrained import Kind, Taken, kinds
from striate.transfer.evidence import Evidence
from striate.transfer.preference import preferred
from striate.transfer.probing import Forecast, LeastSquares, Probe

COUNTS = (20, 60, 120, 250, 500)
DRAWS = 20
#: Of the images of some classes, the share that is drawn at most: the others tell what a network is worth.
MOST_DRAWN = 0.8
#: Of the images as networks of ImageNet see them, about.
SIDE = 224


def evidence_of(taken: Taken, fitted: LeastSquares) -> Evidence:
    """What a network's probe of some images is to `striate advise`."""
    probe = Probe(fitted.right, fitted.right, fitted.margins)
    count = len(fitted.right)
    foretold = Forecast(probe.accuracy, probe.interval, count)
    return Evidence(taken.network, taken.imagenet, {"features": probe}, foretold, taken.distance, SIDE, count, 0.0)


def chosen(found: list[Evidence], classes: int) -> dict[str, Evidence]:
    """The network that each rule takes."""
    return {
        "ImageNet": max(found, key=lambda one: one.imagenet),
        "probe": max(found, key=lambda one: (one.probe.accuracy, one.imagenet)),
        "margin": max(found, key=lambda one: one.probe.margin),
        "advised": preferred(found, classes),
    }


def lost(kind: Kind, classes: tuple[int, ...], count: int, seed: int) -> dict[str, float]:
    """How far the choice of each rule lies below the best network, percentage points, in a draw of so many images."""
    rng, labels = np.random.default_rng(seed), kind.labels
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in classes]
    each = count // len(classes)
    rows = np.concatenate([one[:each] for one in members])
    rest = np.concatenate([one[each:] for one in members])
    found, worth = [], {}
    for one in kind.taken:
        fitted = LeastSquares(one.features[rows], labels[rows])
        found.append(evidence_of(one, fitted))
        worth[one.network] = float((fitted.classes(one.features[rest]) == labels[rest]).mean())
    best = max(worth.values())
    return {rule: 100 * (best - worth[one.network]) for rule, one in chosen(found, len(classes)).items()}


def main() -> None:
    parser = arguments(__doc__)
    options = parser.parse_args()
    report = Report("Choice of a pretrained network", options)
    table = []
    for kind in kinds("flowers", "CIFAR-10", "MNIST", "digits"):
        for size in (2, kind.classes):
            sets = list(combinations(range(kind.classes), size))
            for count in COUNTS:
                if not 2 * size <= count <= MOST_DRAWN * len(kind.labels) * size / kind.classes:
                    continue
                draws = [lost(kind, sets[seed % len(sets)], count, seed) for seed in range(DRAWS)]
                cells = [f"{np.mean([one[rule] for one in draws]):.2f}" for rule in draws[0]]
                table.append([kind.name, str(size), str(count), *cells])
                print(table[-1], flush=True)
    heads = ["lost by ImageNet, points", "by probe", "by margin", "as advised"]
    report.table(["images of", "classes", "images in all", *heads], table)
    report.close()


if __name__ == "__main__":
    main()
