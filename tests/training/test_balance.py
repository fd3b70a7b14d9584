"""Weights and numbers of draws against scikit-learn's, and what an epoch of draws comes to."""

from collections import Counter

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from striate.training.balance import (
    class_weights,
    drawn,
    earlier,
    label_weights,
    times_by_class,
    times_by_rarest_label,
)

CLASSES = np.repeat([0, 1, 2, 4], [400, 90, 9, 1])
LABELS = np.random.default_rng(0).random((500, 4)) < [0.6, 0.2, 0.02, 0]


def test_class_weights_are_scikit_learns_and_one_in_the_mean():
    found = class_weights(CLASSES, 5)
    there = np.array([0, 1, 2, 4])
    np.testing.assert_allclose(found[there], compute_class_weight("balanced", classes=there, y=CLASSES))
    assert found[3] == 1  # no image has it
    assert found[CLASSES].mean() == pytest.approx(1)
    np.testing.assert_array_equal(times_by_class(CLASSES, 5), found[CLASSES])


def test_each_label_is_balanced_by_itself():
    without, with_it = label_weights(LABELS)
    for place in range(3):
        wanted = compute_class_weight("balanced", classes=np.array([False, True]), y=LABELS[:, place])
        np.testing.assert_allclose((without[place], with_it[place]), wanted)
    assert without[3] == with_it[3] == 1  # a label that none has
    np.testing.assert_array_equal(label_weights(np.ones((4, 1), bool)), 1)  # and one that all have


def test_the_rarest_label_says_how_often_an_image_comes():
    found = times_by_rarest_label(LABELS)
    assert found.sum() == pytest.approx(500)
    counts = LABELS.sum(0)
    rarest = np.array([min((counts[k] for k in np.flatnonzero(row)), default=counts.max()) for row in LABELS])
    np.testing.assert_allclose(found * rarest, (found * rarest)[0])
    np.testing.assert_array_equal(times_by_rarest_label(np.zeros((3, 2), bool)), 1)


def test_every_class_comes_as_often_as_every_other_in_every_epoch():
    times = times_by_class(CLASSES, 5)
    seen = Counter()
    for seed in range(20):
        order = drawn(times, np.random.default_rng(seed))
        assert len(order) == 500
        counts = np.bincount(CLASSES[order], minlength=5)
        assert (np.abs(counts[[0, 1, 2, 4]] - 125) <= 1).all()
        often = np.bincount(order, minlength=500)
        assert (np.abs(often - times) < 1).all()  # rounded down or up
        seen.update(order.tolist())
    assert len(seen) == 500  # in other epochs others of the large class come
    assert (np.diff(CLASSES[order]) != 0).mean() > 0.6  # in no order


def test_images_that_count_alike_come_once_each():
    order = drawn(np.ones(50), np.random.default_rng(1))
    np.testing.assert_array_equal(np.sort(order), np.arange(50))
    assert not np.array_equal(order, np.arange(50))


def test_how_often_an_image_came_before_is_counted():
    order = np.array([3, 1, 3, 3, 0, 1, 2])
    np.testing.assert_array_equal(earlier(order), [0, 0, 1, 2, 0, 1, 0])
    assert earlier(np.empty(0, np.int64)).shape == (0,)
