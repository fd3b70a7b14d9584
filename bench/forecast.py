"""How true the forecast of `striate advise` is: from a few hundred images, what a classifier of thousands comes to.

    python bench/forecast.py --write

Features of the flowers and of 4,000 images each of CIFAR-10 and MNIST by five pretrained networks. A quarter of the
images is set aside. Of the rest 100, 300 or 700 are drawn and looked at, and it is foretold what share of others a
linear classifier that is fitted to all of the rest tells right; the images set aside say what it is. Beside the
forecast stands the probe of the images looked at, which is what one would know without it. Four draws of each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from common import Report, arguments
from pretrained import kinds
from striate.transfer.probing import LeastSquares, forecast, probe

COUNTS, DRAWS, ASIDE = (100, 300, 700), 4, 0.25


class Tried(NamedTuple):
    """What was said from each draw of images, and what is true, as shares; and whether the interval holds that."""

    probed: np.ndarray
    foretold: np.ndarray
    true: np.ndarray
    held: np.ndarray


def tried(features: np.ndarray, labels: np.ndarray, count: int) -> Tried:
    """Each draw of so many images."""
    order = np.random.default_rng(99).permutation(len(labels))
    aside, rest = np.split(order, [int(ASIDE * len(order))])
    true = (LeastSquares(features[rest], labels[rest]).classes(features[aside]) == labels[aside]).mean()
    said = []
    for seed in range(DRAWS):
        rows = np.sort(np.random.default_rng(seed).permutation(rest)[:count])
        found = probe(features[rows], labels[rows])
        foretold = forecast(features[rows], labels[rows], found, len(rest), seed)
        low, high = foretold.interval
        said.append((found.accuracy, foretold.accuracy, true, low <= true <= high))
    return Tried(*map(np.array, zip(*said, strict=True)))


def off(said: np.ndarray, true: np.ndarray) -> float:
    """The root of the mean square, percentage points."""
    return 100 * float(np.sqrt(np.square(said - true).mean()))


def main() -> None:
    parser = arguments(__doc__)
    options = parser.parse_args()
    report = Report("Forecasts of a classifier of more images", options)
    table, found = [], []
    for kind in kinds("flowers", "CIFAR-10", "MNIST"):
        for taken in kind.taken:
            for count in COUNTS:
                one_by_one = tried(taken.features, kind.labels, count)
                means = [f"{100 * values.mean():.1f}" for values in one_by_one[:3]]
                table.append([kind.name, taken.network, str(count), *means, f"{one_by_one.held.sum()} of {DRAWS}"])
                found.append(one_by_one)
                print(table[-1], flush=True)
    report.table(["images of", "network", "looked at", "probe %", "forecast %", "true %", "interval holds"], table)
    every = Tried(*map(np.concatenate, zip(*found, strict=True)))
    errors = off(every.foretold, every.true), off(every.probed, every.true)
    report.line("- Root mean square error of a draw: forecast {:.1f} points, probe {:.1f}".format(*errors))
    report.line(f"- The 95 % interval holds the truth in {every.held.sum()} of {len(every.held)}")
    report.close()


if __name__ == "__main__":
    main()
