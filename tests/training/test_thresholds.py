"""Thresholds against the best F1 that scikit-learn finds, and how far few images move them."""

import math

import numpy as np
import pytest
from sklearn import metrics

from striate.training.thresholds import PRIOR, best_threshold, fitted_thresholds


@pytest.mark.parametrize("levels", [0, 5])
@pytest.mark.parametrize("seed", range(8))
def test_no_threshold_has_a_higher_f1(seed, levels):
    rng = np.random.default_rng(seed)
    has = rng.random(60) < 0.3
    has[0] = True
    chances = np.clip(rng.normal(0.2 + 0.3 * has, 0.2), 0, 1)
    chances = np.round(chances * levels) / levels if levels else chances
    precision, recall, _ = metrics.precision_recall_curve(has, chances)
    best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12))
    assert metrics.f1_score(has, chances >= best_threshold(has, chances)) == pytest.approx(best)


def test_a_threshold_lies_between_two_probabilities_and_of_equals_nearest_to_one_half():
    has = np.array([True, True, False, False])
    assert best_threshold(has, np.array([0.9, 0.3, 0.1, 0.05])) == pytest.approx(0.2)
    # One of both found and no alarm, or both and two alarms: the same F1.
    has = np.array([True, False, False, True])
    chances = np.array([0.9, 0.4, 0.3, 0.2])
    assert best_threshold(has, chances) == pytest.approx(0.65)
    assert best_threshold(np.ones(2, bool), np.array([0.8, 0.6])) == pytest.approx(0.3)


def test_few_images_move_a_threshold_little():
    def fitted(often: int) -> float:
        labels = np.repeat([True, False, False], often)[:, None]
        return fitted_thresholds(labels, np.where(labels, 0.25, 0.15))[0]

    best = math.log(0.2 / 0.8)
    for often in (1, 4, 50):
        believed = often / (often + PRIOR) * best
        assert fitted(often) == pytest.approx(1 / (1 + math.exp(-believed)))
    assert 0.5 > fitted(1) > fitted(4) > fitted(50) > 0.2


def test_what_no_image_tells_keeps_one_half():
    labels = np.array([[True, False], [True, False]])
    assert fitted_thresholds(labels, np.array([[0.1, 0.9], [0.2, 0.8]])) == (0.5, 0.5)
    assert fitted_thresholds(np.zeros((0, 1), bool), np.zeros((0, 1))) == (0.5,)


def test_thresholds_are_probabilities_however_sure_the_network_is():
    labels = np.repeat([True, False], 500)[:, None]
    for sure in (
        np.zeros((1000, 1)),
        np.where(labels, 1.0, 0.0),
        np.where(labels, 1e-12, 0.0),
        np.where(labels, 1.0, 1 - 1e-12),
    ):
        assert 0 < fitted_thresholds(labels, sure)[0] < 1
