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

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from common import Report, arguments
from pretrained import Kind, kinds
from striate.transfer.decision import FAR, kin_of
from striate.transfer.probing import LeastSquares

COUNTS = (20, 60, 120, 250, 500)
DRAWS = 20
#: Of the images as networks of ImageNet see them, about.
SIDE = 224


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


def drawn(kind: Kind, classes: tuple[int, ...], count: int, seed: int) -> Draw:
    """A draw of so many images of some classes."""
    rng, labels = np.random.default_rng(seed), kind.labels
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in classes]
    each = count // len(classes)
    rows = np.concatenate([one[:each] for one in members])
    rest = np.concatenate([one[each:] for one in members])
    told, worth = [], []
    for one in kind.taken:
        fitted = LeastSquares(one.features[rows], labels[rows])
        told.append(fitted.right.mean())
        worth.append((fitted.classes(one.features[rest]) == labels[rest]).mean())
    return Draw(np.array(told), np.array(worth))


def main() -> None:
    parser = arguments(__doc__)
    options = parser.parse_args()
    report = Report("Choice of a pretrained network", options)
    table = []
    for kind in kinds():
        priors = np.array([one.imagenet for one in kind.taken])
        is_far = kin_of(kind.taken[int(priors.argmax())].distance, 1.0, kind.classes, SIDE) is FAR
        for size in (2, kind.classes):
            sets = list(combinations(range(kind.classes), size))
            for count in COUNTS:
                if count < 2 * size:
                    continue
                draws = [drawn(kind, sets[seed % len(sets)], count, seed) for seed in range(DRAWS)]
                lost = [one.lost(priors, is_far) for one in draws]
                cells = [f"{np.mean([one[rule] for one in lost]):.2f}" for rule in lost[0]]
                table.append([kind.name, str(size), str(count), *cells])
                print(table[-1], flush=True)
    report.table(["images of", "classes", "images in all", "lost by ImageNet, points", "by probe", "as advised"], table)
    report.close()


if __name__ == "__main__":
    main()
