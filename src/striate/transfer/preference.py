"""Which of several pretrained networks to take, from what each tells of the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from striate.transfer.decision import FAR, kin_of
from striate.transfer.evidence import Evidence
from striate.transfer.probing import Probe

#: Standard errors of the difference from which on one probe is plainly better than another of the same images.
PLAINLY = 2.0


def preferred(found: Sequence[Evidence], classes: int) -> Evidence:
    """The network that is most accurate on ImageNet, unless another tells plainly more of these images.

    Accuracy on ImageNet foretells how well a network transfers better than a probe of a few hundred images does
    (docs/transfer.md), so the probe overrules it only where chance hardly could. Of images far from ImageNet's it says
    little: there that network is taken whose probe tells them most clearly. Networks that were trained on other images
    have no such accuracy, and are taken where more is forecast of them.

    Args:
        found: the evidence of each, from the same images; one at least.
        classes: of theirs.
    """

    def foretold(one: Evidence) -> float:
        return one.forecast.accuracy

    rated = sorted((one for one in found if math.isfinite(one.imagenet)), key=lambda one: -one.imagenet)
    if not rated:
        return max(found, key=foretold)
    best, *others = rated
    if kin_of(best.distance, best.forecast.accuracy, classes, best.side) is FAR:
        return max(found, key=lambda one: one.probe.margin)
    for one in others:
        if is_plainly_better(one.probe, best.probe):
            best = one
    return max([best, *(one for one in found if math.isnan(one.imagenet))], key=foretold)


def is_plainly_better(one: Probe, other: Probe) -> bool:
    """Whether a probe tells more images right than another of the same images, beyond chance.

    Only images that one tells and the other does not count (McNemar, 1947, "Note on the sampling error of the
    difference between correlated proportions or percentages").
    """
    gained, lost = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    return gained - lost > PLAINLY * math.sqrt(gained + lost)
