"""The gain of several views against the published example of the interval, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from striate.training.gain import Gain, paired_difference


def truths(both: int, lost: int, won: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [both, lost, won, neither]
    before, after = ([1, 1, 0, 0], [1, 0, 1, 0])
    return np.repeat(np.array(before, bool), counts), np.repeat(np.array(after, bool), counts)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # Newcombe (1998), table II: cells (both, only the first, only the second, neither); method 10
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((0, 12, 2, 36), 0.0569, 0.3404),
        ((30, 0, 0, 0), -0.1135, 0.1135),
    ],
)
def test_intervals_are_newcombes(counts, low, high):
    second, first = truths(*counts)  # his difference is the first less the second
    found = paired_difference(first, second)
    assert found[0] == pytest.approx((counts[1] - counts[2]) / sum(counts))
    assert found[1:] == pytest.approx((low, high), abs=6e-5)


def test_the_interval_covers_the_true_difference_nineteen_times_in_twenty():
    rng, chances = np.random.default_rng(0), [0.75, 0.06, 0.1, 0.09]  # both, lost, won, neither
    cases = (truths(*rng.multinomial(120, chances)) for _ in range(1500))
    intervals = [paired_difference(*case)[1:] for case in cases]
    covered = np.mean([low <= 0.1 - 0.06 <= high for low, high in intervals])
    assert 0.935 < covered < 0.975


def test_turned_round_the_difference_is_the_opposite():
    before, after = truths(40, 3, 9, 8)
    there, back = paired_difference(before, after), paired_difference(after, before)
    assert there == pytest.approx((-back[0], -back[2], -back[1]))


def test_a_gain_says_what_it_is_over_and_what_it_costs():
    gain = Gain(("centre", "centre, mirrored"), 0.9, 0.0125, -0.001, 0.026, 2.0, 4.2, 2)
    assert str(gain) == (
        "2 views instead of one: gain +1.25% (-0.10% to +2.60%, 95 % interval) over a "
        "top-1 accuracy of 90.00%, for 2.1 times the network's time"
    )
    assert str(replace(gain, different=1)).startswith("2 views, only 1 of them different on these pictures, instead of")
    assert gain.to_dict() == {
        "views": ["centre", "centre, mirrored"],
        "once": 0.9,
        "gain": 0.0125,
        "low": -0.001,
        "high": 0.026,
        "seconds_once": 2.0,
        "seconds": 4.2,
        "different": 2,
        "figure": "top-1 accuracy",
        "share": True,
    }
