"""How far thresholds that are fitted to few images should be believed: F1 on new images by rule and by how many had it.

    python bench/thresholds.py

A label's logits are drawn from two normal distributions, as far apart as a good and as a fair classifier has them (ROC
areas of about 0.98 and 0.86), calibrated or shifted, as label smoothing, weights and a sampler do. Thresholds are
fitted to a draw of validation images of which so many have the label, and measured on the distributions themselves. The
rule that is used is PRIOR of `striate.training.thresholds`; 0 takes the best threshold as it is, "half" always 0.5.
"""

from __future__ import annotations

import numpy as np

from common import Report, arguments

PRIORS = (0, 2, 5, 10, 20, "half")
POSITIVES = (1, 2, 5, 10, 20, 50, 200)
APART, SHARES, SHIFTS = (3.0, 1.5), (0.02, 0.1, 0.3), (-1.5, 0.0, 2.0)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--draws", type=int, default=100, help="for each of the settings")
    options = parser.parse_args()
    report = Report("Thresholds fitted to few images", options)
    rows = []
    for positives in POSITIVES:
        found = [100 * mean for mean in measured(positives, options.draws)]
        rows.append([str(positives), *(f"{value:.1f}" for value in found)])
    report.table(("validation images with the label", *(f"prior {prior}" for prior in PRIORS)), rows)
    report.line("F1 on new images in percent, the mean over settings.")
    report.close()


def measured(positives: int, draws: int) -> list[float]:
    """The mean F1 of each rule."""
    from scipy.stats import norm

    from striate.training import thresholds

    rng, found = np.random.default_rng(positives), []
    for apart in APART:
        for share in SHARES:
            for shift in SHIFTS:
                for _ in range(draws):
                    has = np.arange(max(positives + 1, round(positives / share))) < positives
                    # Of two normal distributions the logit of having the label is linear in what is drawn.
                    drawn = rng.normal(apart * has, 1)
                    chances = 1 / (1 + np.exp(-(logit(drawn, apart, share) + shift)))
                    found.append([])
                    for prior in PRIORS:
                        if prior == "half":
                            threshold = 0.5
                        else:
                            thresholds.PRIOR = prior
                            (threshold,) = thresholds.fitted_thresholds(has[:, None], chances[:, None])
                        cut = (np.log(threshold / (1 - threshold)) - shift - logit(0, apart, share)) / apart
                        hits, alarms = share * norm.sf(cut - apart), (1 - share) * norm.sf(cut)
                        found[-1].append(2 * hits / (hits + alarms + share))
    return np.mean(found, 0).tolist()


def logit(drawn, apart: float, share: float):
    """Of having the label."""
    return apart * drawn - apart**2 / 2 + np.log(share / (1 - share))


if __name__ == "__main__":
    main()
