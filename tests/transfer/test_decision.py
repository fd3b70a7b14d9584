"""Which regime suits how many images, and what it is expected to come to."""

import math

import pytest

from striate.transfer.decision import LEFT, decide, expected, is_unlike


@pytest.mark.parametrize(
    ("images", "classes", "distance", "regime"),
    [
        (400, 2, 0.02, "full"),
        (399, 2, 0.02, "features"),
        (3, 2, 0.3, "features"),
        (4, 2, 0.3, "full"),
        (5000, 5, math.nan, "full"),
        (50, 5, math.nan, "features"),
    ],
)
def test_the_lectures_table(images, classes, distance, regime):
    assert decide(images, classes, distance).regime == regime


def test_it_says_why():
    assert (
        decide(2000, 2, 0.0312).why
        == "1,000 images a class, like those of the pretraining (activations differ by 0.031 nats)"
    )
    assert decide(20, 2, 0.3).why.startswith("10 images a class, unlike those of the pretraining")
    assert decide(20, 2, math.nan).why == "10 images a class, like those of the pretraining"


def test_unlike_begins_at_a_tenth_of_a_nat():
    assert [is_unlike(distance) for distance in (0.09, 0.1, math.nan)] == [False, True, False]


@pytest.mark.parametrize("regime", LEFT)
def test_what_is_expected_leaves_a_share_of_the_error(regime):
    for unlike, distance in enumerate((0.01, 0.3)):
        for least, left in LEFT[regime][unlike]:
            assert expected(regime, 0.8, least, distance) == pytest.approx(1 - 0.2 * left)
    assert expected("full", 0.8, 1000, 0.3) > expected("full", 0.8, 1000, 0.01) > 0.8
