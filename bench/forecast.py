"""How true the forecast of `striate advise` is: from a few hundred images, what a classifier of thousands comes to.

    python bench/forecast.py --write

Features of the flowers and of 4,000 images each of CIFAR-10 and MNIST by five pretrained networks. A quarter of the
images is set aside. Of the rest 100, 300 or 700 are drawn and looked at, and it is foretold what share of others a
linear classifier that is fitted to all of the rest tells right; the images set aside say what it is. Beside the
forecast stands the probe of the images looked at, which is what one would know without it. Mean of four draws.
"""

from __future__ import annotations

import numpy as np

from common import Report, arguments
from pretrained import kinds
from striate.transfer.probing import LeastSquares, forecast, probe

COUNTS, DRAWS, ASIDE = (100, 300, 700), 4, 0.25


def tried(features: np.ndarray, labels: np.ndarray, count: int) -> tuple[float, float, float, int]:
    """The accuracy of the classifier of all, the means of probes and forecasts, and how many intervals hold it."""
    order = np.random.default_rng(99).permutation(len(labels))
    aside, rest = np.split(order, [int(ASIDE * len(order))])
    true = (LeastSquares(features[rest], labels[rest]).classes(features[aside]) == labels[aside]).mean()
    probed, foretold, held = [], [], 0
    for seed in range(DRAWS):
        rows = np.sort(np.random.default_rng(seed).permutation(rest)[:count])
        found = probe(features[rows], labels[rows])
        said = forecast(features[rows], labels[rows], found, len(rest), seed)
        probed.append(found.accuracy)
        foretold.append(said.accuracy)
        held += said.interval[0] <= true <= said.interval[1]
    return float(true), float(np.mean(probed)), float(np.mean(foretold)), held


def off(said: np.ndarray, true: np.ndarray) -> float:
    """The root of the mean square, percentage points."""
    return 100 * float(np.sqrt(np.square(said - true).mean()))


def main() -> None:
    parser = arguments(__doc__)
    options = parser.parse_args()
    report = Report("Forecasts of a classifier of more images", options)
    table, found = [], []
    for kind in kinds():
        for one in kind.taken:
            for count in COUNTS:
                found.append(tried(one.features, kind.labels, count))
                true, probed, foretold, held = found[-1]
                shares = [f"{100 * share:.1f}" for share in (probed, foretold, true)]
                table.append([kind.name, one.network, str(count), *shares, f"{held} of {DRAWS}"])
                print(table[-1], flush=True)
    report.table(["images of", "network", "looked at", "probe %", "forecast %", "true %", "interval holds"], table)
    true, probed, foretold, held = map(np.array, zip(*found, strict=True))
    report.line(f"- Root mean square error: forecast {off(foretold, true):.1f} points, probe {off(probed, true):.1f}")
    report.line(f"- The 95 % interval holds the truth in {held.sum()} of {DRAWS * len(found)}")
    report.close()


if __name__ == "__main__":
    main()
