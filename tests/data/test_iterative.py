import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.iterative import iterative_split


@given(
    count=st.integers(2, 60),
    names=st.integers(1, 6),
    fraction=st.floats(0.0, 0.9),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
def test_nothing_is_lost_and_the_size_is_the_fraction_of_all(count, names, fraction, share, seed):
    labels = np.random.default_rng(1).random((count, names)) < share
    kept, held = iterative_split(labels, fraction, seed)
    assert sorted([*kept, *held]) == list(range(count))
    assert len(held) == round(count * fraction)
    assert [part.tolist() for part in iterative_split(labels, fraction, seed)] == [kept.tolist(), held.tolist()]


def test_every_label_keeps_its_share_better_than_by_chance():
    rng = np.random.default_rng(2)
    rates = np.array([0.5, 0.2, 0.05, 0.02, 0.01])
    labels = rng.random((2000, 5)) < rates
    _, held = iterative_split(labels, 0.1, 0)
    wanted = labels.sum(0) * 0.1
    assert (np.abs(labels[held].sum(0) - wanted) <= 1).all()
    drawn = [np.abs(labels[rng.choice(2000, 200, replace=False)].sum(0) - wanted).max() for _ in range(20)]
    assert np.median(drawn) > 3  # by chance it is farther off


def test_images_without_labels_are_divided_too():
    labels = np.zeros((100, 2), bool)
    labels[:20, 0] = True
    _, held = iterative_split(labels, 0.25, 0)
    assert len(held) == 25
    assert labels[held, 0].sum() == 5


def test_a_label_of_one_image_stays_to_be_learnt():
    labels = np.zeros((30, 3), bool)
    labels[4, 0] = labels[7, 1] = labels[9, 2] = True
    for seed in range(5):
        kept, _ = iterative_split(labels, 0.3, seed)
        assert {4, 7, 9} <= set(kept.tolist())


@pytest.mark.parametrize("fraction", [0.0, 0.1])
def test_no_images_give_no_parts(fraction):
    kept, held = iterative_split(np.zeros((0, 3), bool), fraction, 0)
    assert (len(kept), len(held)) == (0, 0)


@pytest.mark.parametrize("seed", range(8))
def test_the_rarest_labels_are_dealt_out_first(seed):
    labels = np.zeros((400, 3), bool)
    labels[:, 0] = True
    labels[:20, 1] = True
    labels[300:310, 2] = True
    _, held = iterative_split(labels, 0.1, seed)
    assert labels[held].sum(0).tolist() == [40, 2, 1]


def test_where_both_parts_need_as_much_it_is_kept():
    labels = np.zeros((10, 2), bool)
    labels[3, 0] = labels[8, 1] = True
    kept, held = iterative_split(labels, 0.5, 0)
    assert {3} <= {*kept.tolist()}
    assert len(held) == 5
