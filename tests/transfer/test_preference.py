"""Which network is preferred: the most accurate on ImageNet, unless probes of the same images plainly say another."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from striate.transfer.evidence import Evidence
from striate.transfer.preference import is_plainly_better, preferred
from striate.transfer.probing import Forecast, Probe


def probe_of(right, margin=0.0):
    """A probe that tells the images right that are named, of a hundred, all by the same margin."""
    told = np.zeros(100, bool)
    told[list(right)] = True
    return Probe(told, told, np.full(100, margin))


def evidence_of(name, imagenet, probe, distance=0.02, foretold=None, side=224):
    forecast = Forecast(probe.accuracy if foretold is None else foretold, probe.interval, 100)
    return Evidence(name, imagenet, {"features": probe}, forecast, distance, side, 100, 1.0)


def taken(*found):
    return preferred(found, 2).network


@pytest.mark.parametrize(
    ("gained", "lost", "better"),
    [(10, 2, True), (9, 3, False), (5, 0, True), (4, 0, False), (0, 0, False), (2, 10, False), (30, 18, False)],
)
def test_plainly_better_is_beyond_two_standard_errors_of_what_only_one_of_them_tells(gained, lost, better):
    both = range(50, 80)
    one, other = probe_of([*range(gained), *both]), probe_of([*range(gained, gained + lost), *both])
    assert is_plainly_better(one, other) is better
    if gained + lost:
        chance = chi2.sf((gained - lost) ** 2 / (gained + lost), 1)
        assert (gained > lost and bool(chance < 0.045)) is better


def test_the_most_accurate_on_imagenet_is_preferred_where_probes_differ_by_chance():
    modest, good = probe_of(range(80)), probe_of(range(10, 88))
    assert taken(evidence_of("modest", 0.70, modest), evidence_of("good", 0.75, good)) == "good"
    assert taken(evidence_of("good", 0.75, good), evidence_of("modest", 0.70, modest)) == "good"


def test_one_that_tells_plainly_more_is_preferred_to_it_and_the_next_must_be_plainly_better_than_that():
    best, second, third = probe_of(range(70)), probe_of(range(85)), probe_of(range(87))
    found = [evidence_of("third", 0.6, third), evidence_of("best", 0.8, best), evidence_of("second", 0.7, second)]
    assert taken(*found) == "second"


@pytest.mark.parametrize(("distance", "side", "name"), [(0.2, 224, "rated"), (0.3, 224, "clear"), (0.2, 32, "clear")])
def test_of_images_far_from_imagenets_the_clearest_probe_is_preferred(distance, side, name):
    rated = evidence_of("rated", 0.75, probe_of(range(80), margin=0.5), distance, side=side)
    clear = evidence_of("clear", 0.60, probe_of(range(79), margin=0.6), distance, side=side)
    assert taken(rated, clear) == name


def test_of_one_that_was_trained_on_other_images_the_forecast_says():
    rated, other = probe_of(range(80)), probe_of(range(80))
    found = [evidence_of("rated", 0.75, rated, foretold=0.85), evidence_of("other", math.nan, other, foretold=0.86)]
    assert taken(*found) == "other"
    found[0] = evidence_of("rated", 0.75, rated, foretold=0.87)
    assert taken(*found) == "rated"


def test_where_none_has_such_an_accuracy_the_forecast_says():
    probe = probe_of(range(80))
    found = [evidence_of(name, math.nan, probe, foretold=value) for name, value in (("a", 0.6), ("b", 0.7))]
    assert taken(*found) == "b"
