"""Probes against fits that really leave an image out, and forecasts against errors worked out by hand."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from striate.transfer import probing
from striate.transfer.probing import LeastSquares, Probe, forecast, probe


def blobs(count, width, classes=3, seed=0, spread=1.5):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = rng.normal(size=(classes, width))
    return (centres[labels] + spread * rng.normal(size=(count, width))).astype(np.float32), labels


def targets(labels):
    return np.where(np.eye(labels.max() + 1)[labels] > 0, 1.0, -1.0)


@pytest.mark.parametrize(("count", "width"), [(12, 30), (40, 5)], ids=["wide", "tall"])
def test_what_is_left_out_is_told_as_by_a_fit_to_all_others(count, width):
    x, labels = blobs(count, width, spread=4)
    found = LeastSquares(x, labels)
    scaled = ((x - x.mean(0)) / x.std(0)).astype(np.float64)
    for row in range(count):
        others = np.arange(count) != row
        ridge = Ridge(alpha=found.strength).fit(scaled[others], targets(labels)[others])
        np.testing.assert_allclose(found.left_out[row], ridge.predict(scaled[row : row + 1])[0], rtol=1e-3, atol=1e-3)
    assert (found.right == (found.left_out.argmax(1) == labels)).all()
    others = np.where(targets(labels) > 0, -np.inf, found.left_out).max(1)
    np.testing.assert_allclose(found.margins, found.left_out[np.arange(count), labels] - others, rtol=1e-6)


def test_other_images_are_told_as_by_ridge_regression():
    x, labels = blobs(60, 8)
    new, _ = blobs(50, 8, seed=1)
    found = LeastSquares(x, labels + 4)  # classes need not begin at 0
    mean, scale = x.mean(0), x.std(0)
    ridge = Ridge(alpha=found.strength).fit((x - mean) / scale, targets(labels))
    expected = ridge.predict((new - mean) / scale).argmax(1) + 4
    assert (found.classes(new) == expected).all()


def test_the_strength_is_that_of_the_least_error_of_what_is_left_out(monkeypatch):
    x, labels = blobs(60, 40, spread=4)
    best = LeastSquares(x, labels)
    losses = {}
    for share in probing.STRENGTHS:
        with monkeypatch.context() as patched:
            patched.setattr(probing, "STRENGTHS", (share,))
            one = LeastSquares(x, labels)
        losses[one.strength] = np.square(one.left_out - targets(labels)).mean()
    assert best.strength == min(losses, key=losses.get)
    assert len({round(loss, 6) for loss in losses.values()}) > 5


def test_a_feature_that_never_changes_is_no_matter():
    x, labels = blobs(30, 4)
    still = np.concatenate([x, np.full((30, 1), 7, np.float32)], 1)
    np.testing.assert_allclose(LeastSquares(still, labels).left_out, LeastSquares(x, labels).left_out, atol=1e-4)


def test_a_probe_knows_the_nearest_and_its_interval():
    x, labels = blobs(60, 6)
    found = probe(x, labels)
    for row in range(60):
        others = np.arange(60) != row
        near = KNeighborsClassifier(1, metric="cosine").fit(x[others], labels[others])
        assert found.nearest[row] == (near.predict(x[row : row + 1])[0] == labels[row])
    assert found.accuracy == found.right.mean()
    assert found.interval[0] < found.accuracy < found.interval[1]


def wrongs(*errors, count=1000):
    """Whether each of so many images was told wrong, with these shares of errors at a quarter, half and all."""
    found = np.full((3, probing.DRAWS, count), np.nan)
    for row, error in enumerate(errors):
        found[row, : 1 if row == 2 else probing.DRAWS] = np.arange(count) < error * count
    return found


@pytest.mark.parametrize(
    ("errors", "images", "expected"),
    [
        ((0.4, 0.2, 0.1), 2000, 0.1 * 2 ** (-0.7 * 0.85)),  # steeper than an error falls
        ((0.2, 0.16, 0.128), 4000, 0.128 * 0.8 ** (2 * 0.85)),
        ((0.1, 0.1, 0.1), 9000, 0.1),
        ((0.1, 0.2, 0.3), 9000, 0.3),  # more images never make it worse
        ((0.1, 0.01, 0.0), 9000, 0.0),
    ],
)
def test_the_error_falls_as_a_power_of_the_number_of_images(errors, images, expected):
    assert probing._extrapolated(wrongs(*errors), images) == pytest.approx(expected, rel=1e-3)


def test_a_forecast_holds_for_the_digits():
    digits = load_digits()
    x, labels = digits.data.astype(np.float32), digits.target
    order = np.random.default_rng(0).permutation(len(x))
    few, many, rest = order[:200], order[:1200], order[1200:]
    actual = (LeastSquares(x[many], labels[many]).classes(x[rest]) == labels[rest]).mean()
    at_hand = probe(x[few], labels[few])
    found = forecast(x[few], labels[few], at_hand, 1200)
    assert found.interval[0] <= actual <= found.interval[1]
    assert abs(found.accuracy - actual) < 0.7 * abs(at_hand.accuracy - actual)
    assert found.interval[0] < found.accuracy < found.interval[1]


def test_what_is_at_hand_needs_no_forecast():
    x, labels = blobs(60, 6)
    at_hand = probe(x, labels)
    found = forecast(x, labels, at_hand, 60)
    assert (found.accuracy, found.interval, found.images) == (at_hand.accuracy, at_hand.interval, 60)


def test_no_image_counts_more_than_fully_in_the_margin():
    told = np.array([True, True, False, False])
    assert Probe(told, told, np.array([0.5, 4.0, -0.1, -3.0])).margin == pytest.approx((0.5 + 1 - 0.1 - 1) / 4)


def test_one_image_of_a_class_is_never_told_right():
    x, labels = blobs(21, 6, spread=0.1)
    labels[-1] = 3
    found = probe(x, labels)
    assert isinstance(found, Probe)
    assert not found.right[-1]
    assert found.right[:-1].all()
    assert 0 < forecast(x, labels, found, 1000).accuracy < 1
