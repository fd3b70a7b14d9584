"""Figures of values, against scikit-learn's."""

import json
import math

import numpy as np
import pytest
from sklearn import metrics

from striate.errors import StriateError
from striate.training.value_metrics import RegressionEvaluation


def drawn(images: int = 200, seed: int = 0) -> RegressionEvaluation:
    rng = np.random.default_rng(seed)
    true = rng.normal([3, -400], [1, 90], (images, 2))
    return RegressionEvaluation(("age", "height"), true, true + rng.normal([0.2, -5], [0.5, 60], true.shape), loss=0.5)


@pytest.mark.parametrize("images", [2, 9, 200])
def test_figures_equal_scikit_learns(images):
    found = drawn(images)
    true, said = found.labels, found.predicted
    assert found.mae == pytest.approx(metrics.mean_absolute_error(true, said), rel=1e-6)
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(true, said), rel=1e-6)
    assert found.r2 == found.score == pytest.approx(metrics.r2_score(true, said), rel=1e-6)
    for place, score in enumerate(found.per_class()):
        pair = true[:, place], said[:, place]
        assert score.mae == pytest.approx(metrics.mean_absolute_error(*pair), rel=1e-6)
        assert score.rmse == pytest.approx(metrics.root_mean_squared_error(*pair), rel=1e-6)
        assert score.r2 == pytest.approx(metrics.r2_score(*pair), rel=1e-6)
        assert score.median == pytest.approx(metrics.median_absolute_error(*pair), rel=1e-6)
        assert score.largest == pytest.approx(metrics.max_error(*pair), rel=1e-6)
        assert score.bias == pytest.approx((pair[1] - pair[0]).mean(), rel=1e-6)
        mean = np.full(images, pair[0].mean())
        assert score.baseline == pytest.approx(metrics.mean_absolute_error(pair[0], mean), rel=1e-6)


def test_values_that_are_all_equal_are_explained_or_not():
    same = np.full((4, 1), 2.0)
    assert RegressionEvaluation(("a",), same, same).r2 == metrics.r2_score(same, same) == 1
    assert RegressionEvaluation(("a",), same, same + np.array([[0], [0], [1], [0]])).r2 == 0


def test_one_image_explains_nothing():
    found = RegressionEvaluation(("a",), [[1.0]], [[2.0]])
    assert math.isnan(found.r2)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["r2"] is None


def test_the_intervals_hold_what_they_promise():
    """Of 95 % intervals of so many samples about so many hold the truth: the mean absolute error of a known noise."""
    truth = math.sqrt(2 / math.pi)
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        errors = rng.normal(size=(60, 1))
        score = RegressionEvaluation(("a",), rng.normal(size=(60, 1)) * 0, errors).per_class()[0]
        held += score.mae_low <= truth <= score.mae_high
    assert 270 <= held <= 297


def test_the_interval_of_r2_is_over_drawn_images():
    found = drawn(80)
    rng = np.random.default_rng(0)
    draws = [rng.multinomial(80, np.full(80, 1 / 80)) for _ in range(200)]
    wanted = [metrics.r2_score(found.labels, found.predicted, sample_weight=draw) for draw in draws]
    assert found.r2_interval == pytest.approx(tuple(np.percentile(wanted, (2.5, 97.5))), rel=1e-6)


def test_the_worst_errors_are_measured_in_deviations():
    true = np.array([[0.0, 0.0], [2.0, 2000.0], [1.0, 1000.0]])  # deviations of about 0.8 and 800
    said = np.array([[0.5, 10.0], [2.0, 1000.0], [1.0, 1000.0]])
    found = RegressionEvaluation(("age", "height"), true, said)
    assert found.worst(2).tolist() == [1, 0]
    assert found.mistake(1) == ("height 2000", "height 1000", None, None)
    assert found.mistake(0) == ("age 0", "age 0.5", None, None)
    assert RegressionEvaluation(("age",), true[:, :1], said[:, :1]).mistake(0) == ("0", "0.5", None, None)


def test_it_can_be_written_as_json():
    told = json.loads(json.dumps(drawn().to_dict(), allow_nan=False))
    assert [score["name"] for score in told["per_class"]] == ["age", "height"]
    assert told["r2_low"] < told["r2"] < told["r2_high"]
    assert len(repr(drawn())) < 200
    assert "<table>" in drawn()._repr_html_()


@pytest.mark.parametrize(
    ("true", "said", "words"),
    [
        (np.zeros((3, 2)), np.zeros((3, 1)), "do not fit 2 names"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "no images"),
        (np.zeros((1, 2)), np.array([[0.5, np.inf]]), "not finite"),
    ],
)
def test_what_is_no_evaluation_is_refused(true, said, words):
    with pytest.raises(StriateError, match=words):
        RegressionEvaluation(("a", "b"), true, said)
