import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.split import stratified_split


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    fraction=st.floats(0.0, 0.95),
    seed=st.integers(0, 2**32 - 1),
)
def test_nothing_is_lost_and_every_class_stays_in_train(counts, fraction, seed):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    kept, held = stratified_split(labels, fraction, seed)
    assert sorted([*kept, *held]) == list(range(len(labels)))
    assert set(labels[kept]) == set(range(len(counts)))
    held_counts = np.bincount(labels[held], minlength=len(counts))
    assert (np.abs(held_counts - np.array(counts) * fraction) <= 1).all()
    assert len(held) <= round(len(labels) * fraction)
    again = stratified_split(labels, fraction, seed)
    assert np.array_equal(again[0], kept)


def test_size_is_the_fraction_of_all():
    labels = np.repeat(np.arange(7), 13)
    assert len(stratified_split(labels, 0.1, 0)[1]) == 9  # of 91, though each class alone has 1.3


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_class_shares_agree_with_scikit_learn(fraction):
    from sklearn.model_selection import train_test_split

    labels = np.repeat(np.arange(4), [100, 40, 250, 60])
    _, theirs = train_test_split(labels, test_size=fraction, stratify=labels, random_state=0)
    ours = labels[stratified_split(labels, fraction, 0)[1]]
    assert np.array_equal(np.bincount(ours), np.bincount(theirs))


def test_images_are_chosen_at_random():
    labels = np.zeros(1000, dtype=np.int64)
    held = stratified_split(labels, 0.5, 1)[1]
    assert 400 < held.mean() < 600
    assert len(set(held) & set(stratified_split(labels, 0.5, 2)[1])) < 320


def test_every_class_keeps_one_image_even_where_all_are_asked_for():
    kept, held = stratified_split(np.array([0, 0, 0, 1, 1, 2]), 1.0, seed=0)
    assert sorted(np.array([0, 0, 0, 1, 1, 2])[kept].tolist()) == [0, 1, 2]
    assert len(held) == 3


def test_equal_remainders_are_equal_whatever_floating_point_makes_of_them():
    labels = np.repeat(np.arange(3), [3, 13, 23])  # a tenth of each leaves three tenths of an image
    extra = set()
    for seed in range(40):
        held = np.bincount(labels[stratified_split(labels, 0.1, seed)[1]], minlength=3)
        assert held.sum() == 4
        extra.add(tuple(held - [0, 1, 2]))
    assert extra == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
