import math

import numpy as np
import pytest
from scipy import stats

from striate.training.intervals import bootstrap_interval, mean_difference, wilson_interval


def test_the_interval_of_a_share_equals_scipys():
    for correct, count in ((0, 10), (7, 10), (10, 10), (950, 1000)):
        wanted = stats.binomtest(correct, count).proportion_ci(method="wilson")
        assert wilson_interval(correct, count) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_a_difference_of_means_is_that_of_pairs():
    rng = np.random.default_rng(0)
    before = rng.normal(size=50)
    after = before + rng.normal(0.1, 0.3, 50)
    mean, low, high = mean_difference(before, after)
    deviation = np.std(after - before, ddof=1) / math.sqrt(50)
    wanted = stats.norm.interval(0.95, loc=np.mean(after - before), scale=deviation)
    assert (low, high) == pytest.approx(wanted, rel=1e-9)
    assert mean == pytest.approx((low + high) / 2)
    assert mean_difference(before[:1], after[:1])[1:] == (-math.inf, math.inf)


def test_drawing_again_gives_the_interval_of_a_mean():
    values = np.random.default_rng(1).normal(3, 2, 400)
    low, high = bootstrap_interval(lambda drawn: float((drawn * values).sum() / drawn.sum()), 400, times=8000)
    wanted = stats.norm.interval(0.95, loc=values.mean(), scale=values.std() / 20)
    assert (low, high) == pytest.approx(wanted, abs=0.012)  # that of 90 % is 0.03 away
    again = bootstrap_interval(lambda drawn: float((drawn * values).sum() / drawn.sum()), 400, times=8000)
    assert again == (low, high)


def test_draws_without_a_figure_are_left_out():
    low, high = bootstrap_interval(lambda drawn: 1.0 if drawn[0] else math.nan, 3)
    assert (low, high) == (1.0, 1.0)
    assert all(map(math.isnan, bootstrap_interval(lambda drawn: math.nan, 3)))
