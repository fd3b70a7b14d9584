"""The policies that have a name."""

import pytest

from striate.augment import Augment
from striate.augment.policies import POLICIES, PURPOSES, get_policy
from striate.errors import UsageError


def test_each_is_a_policy_of_its_own_with_its_purpose():
    assert set(PURPOSES) == set(POLICIES)
    assert all(PURPOSES.values())
    assert len(set(POLICIES.values())) == len(POLICIES)
    assert get_policy("none") == Augment()
    assert not get_policy("none").changes_anything


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="alexnet") as caught:
        get_policy("alexnett")
    assert "\n" not in str(caught.value)


def test_handwriting_is_never_mirrored():
    for name in ("digits", "simard", "lenet_1998", "tiny"):
        assert not get_policy(name).has("flip", "vertical_flip")


def test_alexnets_crops_are_the_224_of_256_pixels():
    # the middle 224 of 256 at a crop fraction of 224 / 256, and 16 pixels each way
    assert get_policy("alexnet").translate * 224 == pytest.approx(16)


def test_styles_choose_among_what_has_no_strength_where_it_is_not_drawn():
    for name, count in (("rand_augment", 2), ("trivial_augment", 1)):
        assert get_policy(name).choose == count
