"""What a sheet shows: each transform alone, then all of them."""

import dataclasses

import numpy as np
import pytest

from striate.augment import Augment
from striate.augment.policy import COLOUR, GEOMETRY, GRADUAL, MIXING, PIXELS
from striate.augment.showing import TELLING, alone, skipped, transforms, versions

MODIFIERS = {"ratio", "border", "choose", "magnitude"}


@pytest.fixture
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (40, 52, 3), dtype=np.uint8) for _ in range(2)]


def test_every_transform_has_a_kind_and_is_shown_where_nothing_is_asked_for():
    kinds = [*GEOMETRY, *COLOUR, *PIXELS, *MIXING]
    assert len(set(kinds)) == len(kinds)
    assert set(kinds) | MODIFIERS == {field.name for field in dataclasses.fields(Augment)}
    assert transforms(TELLING) == kinds
    assert set(GRADUAL) < set(kinds)


@pytest.mark.parametrize("name", transforms(TELLING))
def test_each_alone_has_its_strength_and_rising_shares_of_it(name):
    steps = list(alone(TELLING, name))
    values = [getattr(policy, name) for _, policy in steps]
    assert values[-1] == getattr(TELLING, name)
    assert values == sorted(values)
    assert len(steps) == (1 if name in ("flip", "vertical_flip", "grey") else 4)
    for words, policy in steps:
        assert words.startswith(name)
        assert transforms(policy) == [name]


@pytest.mark.parametrize("name", [name for name in transforms(TELLING) if name not in MIXING])
def test_each_changes_the_picture(name, pictures):
    plain = versions(Augment(), pictures, (32, 32), 1)[0]
    for _, policy in alone(TELLING, name):
        found = [versions(policy, pictures, (32, 32), 1, seed, np.eye(3) / 5)[0] for seed in range(3)]
        assert any((picture != plain).any() for picture in found)


def test_a_policy_is_shown_in_versions_that_differ_and_come_again(pictures):
    found = versions(TELLING, pictures, (24, 40), 5)
    assert found.shape == (5, 24, 40, 3)
    assert len({picture.tobytes() for picture in found}) == 5
    np.testing.assert_array_equal(found, versions(TELLING, pictures, (24, 40), 5))


def test_the_second_picture_is_mixed_in_where_there_is_one(pictures):
    policy = Augment(mixup=1.0)
    assert (versions(policy, pictures, (32, 32), 1) != versions(policy, pictures[:1], (32, 32), 1)).any()


def test_what_needs_colours_is_told():
    assert skipped(TELLING, 3) == []
    assert skipped(TELLING, 1) == ["saturation", "hue", "grey", "colour_shift", "pca"]
    assert skipped(TELLING, 6) == ["saturation", "hue", "grey", "colour_shift", "pca", "jpeg"]
    assert skipped(Augment(brightness=0.2), 6) == []
