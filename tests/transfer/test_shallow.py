"""Shallow classifiers against scikit-learn's, and the strength that cross-validation finds."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from striate.errors import UsageError
from striate.transfer.head import check_head
from striate.transfer.shallow import STRENGTHS, UNKNOWN, _temperature, by_means, fit

DIGITS = load_digits()
X, Y = DIGITS.data.astype(np.float32)[:600], DIGITS.target[:600]
SCALED = StandardScaler().fit_transform(X.astype(np.float64))


def probabilities(scores):
    shifted = np.exp(scores - scores.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


@pytest.mark.parametrize("strength", [0.3, 0.01])
def test_softmax_is_scikit_learns(strength):
    theirs = LogisticRegression(C=1 / (strength * len(X)), tol=1e-8, max_iter=5000).fit(SCALED, Y)
    ours = fit(X, Y, 10, strength=strength)
    np.testing.assert_allclose(probabilities(ours(X)), theirs.predict_proba(SCALED), atol=3e-3)
    assert ours.weight.dtype == ours.bias.dtype == np.float32
    assert (ours.compared, ours.strength) == ({}, strength)
    assert np.isnan(ours.expected).all()


def test_the_svm_is_scikit_learns():
    strength = 0.05
    theirs = LinearSVC(C=1 / (2 * strength * len(X)) * 2, intercept_scaling=1000, tol=1e-8, max_iter=200_000)
    expected = theirs.fit(SCALED, Y).decision_function(SCALED)
    found = fit(X, Y, 10, "svm", strength=strength)(X)
    assert np.mean(np.abs(found - expected)) < 0.02 * np.abs(expected).max()
    assert np.mean(found.argmax(1) == expected.argmax(1)) > 0.99


def test_ridge_is_scikit_learns():
    values = np.stack([X.sum(1), X[:, 20] ** 2], 1).astype(np.float64)
    theirs = Ridge(alpha=0.1 * len(X)).fit(SCALED, values)
    found = fit(X, values, 2, "ridge", strength=0.1)(X)
    np.testing.assert_allclose(found, theirs.predict(SCALED), rtol=2e-3, atol=2e-3 * np.abs(values).max())


def test_several_labels_are_a_logistic_regression_each():
    labels = np.stack([Y % 2, Y > 4], 1).astype(np.float32)
    found = fit(X, labels, 2, "logistic", strength=0.02)(X)
    for column in range(2):
        theirs = LogisticRegression(C=1 / (0.02 * len(X)), tol=1e-8, max_iter=5000).fit(SCALED, labels[:, column])
        np.testing.assert_allclose(1 / (1 + np.exp(-found[:, column])), theirs.predict_proba(SCALED)[:, 1], atol=3e-3)


def test_the_strength_is_the_one_that_predicts_best_what_it_was_not_fitted_to():
    found = fit(X, Y, 10, seed=1)
    assert found.strength == min(found.compared, key=lambda one: found.compared[one])
    assert found.strength not in (STRENGTHS[0], STRENGTHS[-1])
    assert list(found.compared) == list(STRENGTHS[: len(found.compared)])
    theirs = LogisticRegression(C=1 / (found.strength * len(X)), max_iter=2000)
    parts = StratifiedKFold(5, shuffle=True, random_state=0)
    expected = cross_val_predict(theirs, SCALED, Y, cv=parts, method="predict_proba")
    assert found.compared[found.strength] == pytest.approx(log_loss(Y, expected), rel=0.2)
    assert np.mean(found.expected.argmax(1) == Y) == pytest.approx(np.mean(expected.argmax(1) == Y), abs=0.02)
    assert np.mean(found(X).argmax(1) == Y) > np.mean(found.expected.argmax(1) == Y)


def test_noise_is_fitted_with_the_strongest_penalty_and_a_clear_case_with_a_weak_one():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 30)).astype(np.float32)
    labels = rng.integers(0, 2, 200)
    assert fit(noise, labels, 2).strength >= 1
    noise[:, 3] += 8 * labels
    assert fit(noise, labels, 2).strength < 0.01


@pytest.mark.parametrize("counts", [(1, 1), (2, 1), (1, 30), (3, 3)])
def test_few_images_of_a_class_are_enough(counts):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], counts)
    features = rng.normal(size=(len(labels), 8)).astype(np.float32) + 3 * labels[:, None].astype(np.float32)
    found = fit(features, labels, 2)
    assert np.isfinite(found.weight).all()
    assert (found(features).argmax(1) == labels).mean() > 0.9


def test_features_that_never_change_and_large_offsets_change_nothing():
    constant = np.concatenate([X, np.full((len(X), 1), 7.0, np.float32)], 1)
    found = fit(constant, Y, 10, strength=0.1)
    np.testing.assert_allclose(found(constant), fit(X, Y, 10, strength=0.1)(X), atol=0.03)
    assert np.abs(found.weight[:, -1]).max() == 0
    shifted = fit(X + 1000, Y, 10, strength=0.1)
    np.testing.assert_allclose(shifted(X + 1000), fit(X, Y, 10, strength=0.1)(X), atol=0.05)


def test_a_feature_that_hardly_changes_does_not_make_noise_of_rounding():
    """It would tell the classes, but so little differs in it that an engine's rounding differs as much."""
    hint = (7 + 1e-4 * (Y == 3)).astype(np.float32)[:, None]
    features = np.concatenate([X, hint], 1)
    found = fit(features, Y, 10, strength=0.1)
    rounded = features * (1 + 1e-5 * np.random.default_rng(0).choice([-1, 1], features.shape).astype(np.float32))
    check_head("it", found(rounded), found(features))
    assert np.mean(found(features).argmax(1) == Y) > 0.95


def test_without_a_bias_there_is_none():
    found = fit(X, Y, 10, bias=False)
    assert np.abs(found.bias).max() == 0
    assert np.mean(found(X).argmax(1) == Y) > 0.95


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(UsageError, match="shallow classifier 'tree'"):
        fit(X, Y, 10, "tree")
    with pytest.raises(UsageError, match="strength is -1"):
        fit(X, Y, 10, strength=-1)


def test_the_scores_of_an_svm_become_probabilities():
    found = fit(X, Y, 10, "svm")
    assert 0.01 < found.temperature < 1
    bare = fit(X, Y, 10, "svm", strength=found.strength)
    assert bare.temperature == 1
    np.testing.assert_allclose(found(X) * found.temperature, bare(X), atol=1e-4)
    assert log_loss(Y, probabilities(found.expected)) < 0.5 * log_loss(Y, probabilities(bare(X)))
    best = min(log_loss(Y, probabilities(found.expected * share)) for share in (0.5, 0.7, 1.4, 2))
    assert log_loss(Y, probabilities(found.expected)) < best


def test_probabilities_of_few_images_are_no_certainties():
    """All ten images are told right, so without that one image more the temperature would fall without end."""
    rng = np.random.default_rng(0)
    labels = np.arange(10) % 2
    x = (rng.normal(size=(10, 4)) + 20 * labels[:, None]).astype(np.float32)
    found = fit(x, labels, 2, "svm")
    assert (found.expected.argmax(1) == labels).all()
    assert 0.9 < probabilities(found.expected).max(1).mean() < 0.98


def test_class_means_are_compared_by_angle():
    centroids = np.stack([X[label == Y].mean(0) for label in range(10)])
    cosines = cosine_similarity(X, centroids)
    found = by_means(X, Y, 10)
    assert (found(X).argmax(1) == cosines.argmax(1)).all()
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    np.testing.assert_allclose(found(X) * found.temperature * lengths.mean() / lengths, cosines, atol=1e-5)
    left = np.stack([X[(Y[0] == Y) & (np.arange(len(Y)) != 0)].mean(0), centroids[(Y[0] + 1) % 10]])
    own, other = (found.expected[0] * found.temperature * lengths.mean() / lengths[0])[[Y[0], (Y[0] + 1) % 10]]
    np.testing.assert_allclose([own, other], cosine_similarity(X[:1], left)[0], atol=1e-5)
    assert log_loss(Y, probabilities(found.expected)) < 1


def test_one_image_of_each_class_is_enough_for_means():
    rows = [int(np.flatnonzero(label == Y)[0]) for label in range(10)]
    found = by_means(X[rows], Y[rows], 10)
    assert found.temperature == UNKNOWN
    assert np.isnan(found.expected).all()
    assert (found(X[rows]).argmax(1) == Y[rows]).all()
    assert np.mean(found(X).argmax(1) == Y) > 0.5


def test_no_copy_of_an_image_is_predicted_by_what_was_fitted_to_another():
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(60, 40)).astype(np.float32), rng.integers(0, 2, 60)
    copies = np.concatenate([images + 0.01 * rng.normal(size=images.shape).astype(np.float32) for _ in range(4)])
    repeated = np.tile(labels, 4)
    honest = fit(copies, repeated, 2, copies=4)
    assert abs((honest.expected.argmax(1) == repeated).mean() - 0.5) < 0.2  # noise tells nothing
    assert (fit(copies, repeated, 2).expected.argmax(1) == repeated).mean() > 0.95  # but its own copies
    assert np.isfinite(honest.expected).all()


def test_copies_that_are_the_same_change_nothing():
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(50, 6)).astype(np.float32), rng.integers(0, 3, 50)
    one = fit(features, labels, 3, strength=0.1)
    three = fit(np.tile(features, (3, 1)), np.tile(labels, 3), 3, strength=0.1, copies=3)
    np.testing.assert_allclose(three.weight, one.weight, rtol=1e-3, atol=1e-4)


def test_means_of_copies_know_which_are_of_one_image():
    rng = np.random.default_rng(2)
    images, labels = rng.normal(size=(6, 5)).astype(np.float32), np.array([0, 0, 0, 1, 1, 1])
    copies = np.concatenate([images, images + 0.1, images - 0.1]).astype(np.float32)
    found = by_means(copies, np.tile(labels, 3), 2, copies=3)
    for row in range(6):  # its own class's mean is that of the copies of the two other images
        others = np.tile((labels == labels[row]) & (np.arange(6) != row), 3)
        rivals = np.tile(labels != labels[row], 3)
        for copy in range(3):
            vector = copies[row + 6 * copy]
            cosines = [
                vector @ (mean / np.linalg.norm(mean)) for mean in (copies[others].mean(0), copies[rivals].mean(0))
            ]
            scores = found.expected[row + 6 * copy][[labels[row], 1 - labels[row]]]
            ratio = scores / np.array(cosines)
            np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
    lone = by_means(np.concatenate([images[:4], images[:4]]), np.tile([0, 0, 0, 1], 2), 2, copies=2)
    assert np.isnan(lone.expected[[3, 7]]).all()
    assert np.isfinite(lone.expected[[0, 1, 2, 4, 5, 6]]).all()


def test_weights_are_scikit_learns_class_weights():
    rare = np.flatnonzero((Y != 3) & (Y != 7) | (np.arange(len(Y)) % 8 == 0))
    x, y = X[rare], Y[rare]
    scaled, weights = StandardScaler().fit_transform(x.astype(np.float64)), compute_sample_weight("balanced", y)
    given = weights[:, None].astype(np.float32)
    theirs = LogisticRegression(C=1 / (0.02 * len(x)), tol=1e-8, max_iter=5000, class_weight="balanced")
    expected = theirs.fit(scaled, y).predict_proba(scaled)
    np.testing.assert_allclose(probabilities(fit(x, y, 10, strength=0.02, weights=given)(x)), expected, atol=3e-3)
    plain = probabilities(fit(x, y, 10, strength=0.02)(x))
    assert np.abs(plain - expected).max() > 0.02
    labels = np.stack([y == 3, y > 4], 1)
    each = np.stack([compute_sample_weight("balanced", column) for column in labels.T], 1).astype(np.float32)
    found = fit(x, labels, 2, "logistic", strength=0.02, weights=each)(x)
    for column in range(2):
        expected = theirs.fit(scaled, labels[:, column]).predict_proba(scaled)[:, 1]
        np.testing.assert_allclose(1 / (1 + np.exp(-found[:, column])), expected, atol=3e-3)


@pytest.mark.parametrize("loss", ["softmax", "svm"])
def test_an_image_of_weight_two_is_one_that_is_there_twice(loss):
    twice = np.arange(0, len(X), 5)
    weights = np.ones((len(X), 1), np.float32)
    weights[twice] = 2
    weights /= weights.mean()
    doubled = fit(np.concatenate([X, X[twice]]), np.concatenate([Y, Y[twice]]), 10, loss, strength=0.05)(X)
    weighed = fit(X, Y, 10, loss, strength=0.05, weights=weights)(X)
    # They are standardised otherwise, by the copies too.
    assert np.abs(weighed - doubled).mean() < 0.05 * np.abs(doubled).mean()
    assert np.mean(weighed.argmax(1) == doubled.argmax(1)) > 0.99


def test_weights_are_compared_by_and_their_temperature_is_found_by_them():
    weights = np.where(Y == 3, 6, 0.5).astype(np.float32)[:, None]
    found = fit(X, Y, 10, "svm", weights=weights)
    known = np.isfinite(found.expected[:, 0])
    best, counts = found.compared[found.strength], weights[known, 0]
    assert best == min(found.compared.values())
    scores = found.expected[known] * found.temperature
    signs = np.where(np.eye(10, dtype=bool)[Y[known]], 1, -1)
    losses = np.square(np.maximum(0, 1 - signs * scores)).sum(1)
    assert best == pytest.approx((losses * counts).mean(), rel=1e-3)
    plain = fit(X, Y, 10, "svm")
    unweighed = plain.expected[known] * plain.temperature
    losses = np.square(np.maximum(0, 1 - signs * unweighed)).sum(1)
    assert found.compared[plain.strength] < 0.98 * (losses * counts).mean()  # what is compared was fitted by them
    assert found.temperature == pytest.approx(_temperature(scores, Y[known], counts[:, None]), rel=1e-4)


def test_a_temperature_is_that_of_images_as_often_as_they_count():
    rng, labels = np.random.default_rng(0), np.arange(400) % 3
    scores = np.eye(3)[labels] * np.where(np.arange(400) < 200, 3, 0.5)[:, None] + rng.normal(size=(400, 3))
    often = np.where(np.arange(400) < 200, 1, 3)
    again = np.repeat(np.arange(400), often)
    wanted = _temperature(scores[again], labels[again])
    assert _temperature(scores, labels, often[:, None]) == pytest.approx(wanted, rel=0.01)
    assert _temperature(scores, labels) < 0.9 * wanted
