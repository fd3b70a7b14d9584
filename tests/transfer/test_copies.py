"""Augmented copies: chance decides them, and then the picture itself, so that they are always the same."""

import numpy as np
import pytest

import striate
from striate.augment import Augment
from striate.data import open_dataset
from striate.models import create_model
from striate.transfer.copies import Copy
from striate.transfer.features import Extractor

LOOK = striate.Preprocessing((24, 20), 3, (0.5,) * 3, (0.2,) * 3)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)


def test_a_copy_is_the_same_whenever_it_is_asked_for(picture):
    strong = Augment(flip=0.5, area=0.3, rotate=20, brightness=0.4)
    seen = Copy(1, strong).cut(picture, LOOK)
    assert seen.shape == (24, 20, 3)
    assert seen.dtype == np.uint8
    assert (Copy(1, strong).cut(picture.copy(), LOOK) == seen).all()
    assert (Copy(2, strong).cut(picture, LOOK) != seen).any()
    other = picture.copy()
    other[0, 0] ^= 1
    assert (Copy(1, strong).cut(other, LOOK) != seen).mean() > 0.5  # other chances, not only another pixel


def test_without_augmentation_it_is_the_picture(picture):
    assert (Copy(1, Augment()).cut(picture, LOOK) == LOOK(picture)).all()


def test_copies_are_mirrored_as_often_as_they_should_be(picture):
    wide = striate.Preprocessing((32, 32), 3, (0.5,) * 3, (0.2,) * 3)
    plain = Copy(0, Augment(flip=1e-9)).cut(picture, wide)
    mirrored = [(Copy(number, Augment(flip=0.25)).cut(picture, wide) == plain[:, ::-1]).all() for number in range(200)]
    as_it_is = [(Copy(number, Augment(flip=0.25)).cut(picture, wide) == plain).all() for number in range(200)]
    assert sum(mirrored) + sum(as_it_is) == 200
    assert 30 <= sum(mirrored) <= 70


def test_colours_change_alone(picture):
    seen, plain = Copy(3, Augment(brightness=0.5)).cut(picture, LOOK), LOOK(picture)
    dark = plain > 40
    ratio = seen[dark & (seen < 255)] / plain[dark & (seen < 255)]
    assert ratio.std() < 0.02
    assert abs(ratio.mean() - 1) > 0.01


def test_each_copy_is_kept_apart(colours, tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    split = open_dataset(colours, val_fraction=0).train
    network = create_model("lenet5", in_channels=3).eval()
    look = striate.Preprocessing((28, 28), 3, (0.5,) * 3, (0.2,) * 3)
    taken = Extractor(network, look)
    plain, first = taken.take(split), taken.take(split, Copy(1, Augment(rotate=30)))
    assert taken.reckoned == 60
    assert np.abs(plain.of() - first.of()).max() > 1e-3
    again = Extractor(network, look)
    assert (again.take(split, Copy(1, Augment(rotate=30))).of() == first.of()).all()
    assert (again.take(split).of() == plain.of()).all()
    assert again.reckoned == 0
    again.take(split, Copy(1, Augment(rotate=31)))
    assert again.reckoned == 30
