"""Which regime suits how many images, and what it is expected to come to."""

import math

import pytest

from striate.transfer.decision import FAR, LIKE, STRANGE, UNLIKE, decide, expected, kin_of


@pytest.mark.parametrize(
    ("images", "classes", "distance", "regime"),
    [
        (1000, 2, 0.02, "full"),
        (999, 2, 0.02, "features"),
        (39, 2, 0.17, "features"),
        (40, 2, 0.17, "full"),
        (41, 3, 0.17, "features"),
        (42, 3, 0.17, "full"),
        (99, 10, 0.17, "features"),
        (100, 10, 0.17, "full"),
        (2, 2, 0.3, "full"),
        (5000, 5, math.nan, "full"),
        (50, 5, math.nan, "features"),
    ],
)
def test_the_lectures_table(images, classes, distance, regime):
    assert decide(images, classes, distance, 224).regime == regime


def test_it_says_why():
    assert (
        decide(2000, 2, 0.0312, 224).why
        == "1,000 images a class, like those of the pretraining (activations differ by 0.031 nats)"
    )
    assert decide(20, 2, 0.2, 224).why.startswith("10 images a class, unlike those of the pretraining")
    assert decide(20, 2, 0.3, 224).why.startswith("10 images a class, far from those of the pretraining")
    assert decide(20, 2, math.nan, 224).why == "10 images a class, like those of the pretraining"


@pytest.mark.parametrize(
    ("distance", "kin"), [(0.09, LIKE), (0.1, UNLIKE), (0.24, UNLIKE), (0.25, FAR), (math.nan, LIKE)]
)
def test_kinship_goes_by_the_distance(distance, kin):
    assert kin_of(distance, 0.9, 2, 224) is kin_of(distance, math.nan, 2, 224) is kin


@pytest.mark.parametrize(("distance", "kin"), [(0.09, LIKE), (0.1, FAR), (0.3, FAR)])
def test_of_a_network_of_small_pictures_what_is_unlike_is_far(distance, kin):
    assert kin_of(distance, 0.9, 2, 64) is kin_of(distance, 0.9, 2, 32) is kin
    assert decide(20, 2, 0.1, 65).regime == "features" != decide(20, 2, 0.1, 64).regime


def test_where_features_tell_little_more_is_trained():
    """Of two classes guessing tells half: 0.775 is the last accuracy of which 0.45 of the other half is wrong."""
    assert (kin_of(0.03, 0.77, 2, 224), kin_of(0.03, 0.78, 2, 224)) == (STRANGE, LIKE)
    assert (kin_of(0.03, 0.58, 10, 224), kin_of(0.03, 0.61, 10, 224)) == (STRANGE, LIKE)
    assert (decide(100, 10, 0.03, 224, 0.5).regime, decide(90, 10, 0.03, 224, 0.5).regime) == ("full", "features")
    assert "of whose classes its features tell little" in decide(100, 10, 0.03, 224, 0.5).why
    assert kin_of(0.2, 0.5, 2, 224) is UNLIKE


@pytest.mark.parametrize("kin", [LIKE, STRANGE, UNLIKE, FAR])
@pytest.mark.parametrize("regime", ["head", "top", "full"])
def test_what_is_expected_leaves_a_share_of_the_error(regime, kin):
    for least, left in kin.left[regime]:
        assert expected(regime, 0.8, 20 * least, 20, kin) == pytest.approx(1 - 0.2 * left)


def test_what_is_decided_is_what_more_is_expected_of():
    for kin in (LIKE, STRANGE, UNLIKE, FAR):
        for classes in (2, 3, 20):
            enough = kin.enough_of(classes) * classes
            assert expected("full", 0.8, enough, classes, kin) > 0.8
            assert expected("full", 0.8, enough - classes, classes, kin) <= 0.8 or kin is FAR
