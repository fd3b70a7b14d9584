import json
import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, top_k_accuracy_score
from torchmetrics.classification import MulticlassCalibrationError

from striate.errors import StriateError
from striate.training.intervals import wilson_interval
from striate.training.metrics import Evaluation


def random_evaluation(seed: int, images: int, classes: int, sharpness: float = 2.0) -> Evaluation:
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(images, classes)) * sharpness
    labels = np.where(generator.random(images) < 0.6, scores.argmax(1), generator.integers(0, classes, images))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    names = [f"{index}.png" for index in range(images)]
    return Evaluation(tuple(f"class {index}" for index in range(classes)), labels, probabilities, names=names, loss=0.5)


sizes = {"seed": st.integers(0, 2**20), "images": st.integers(1, 60), "classes": st.integers(2, 12)}


@settings(max_examples=60, deadline=None)
@given(**sizes)
def test_confusion_and_class_scores_equal_scikit_learn(seed, images, classes):
    evaluation = random_evaluation(seed, images, classes)
    labels, predicted, every = evaluation.labels, evaluation.predicted, range(classes)
    np.testing.assert_array_equal(evaluation.confusion, confusion_matrix(labels, predicted, labels=every))
    oracle = precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    _, *columns = zip(*evaluation.per_class(), strict=True)
    for ours, theirs in zip(columns, oracle, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(**sizes)
def test_accuracies_equal_scikit_learn(seed, images, classes):
    evaluation = random_evaluation(seed, images, classes)
    assert evaluation.top1 == pytest.approx((evaluation.predicted == evaluation.labels).mean())
    if classes <= 5:
        assert evaluation.top5 is None
    else:
        oracle = top_k_accuracy_score(evaluation.labels, evaluation.probabilities, k=5, labels=np.arange(classes))
        assert evaluation.top5 == pytest.approx(oracle)


@pytest.mark.parametrize("bins", [10, 15])
@pytest.mark.parametrize("sharpness", [0.3, 4.0])
def test_calibration_error_equals_torchmetrics(bins, sharpness):
    evaluation = random_evaluation(3, 500, 7, sharpness)
    oracle = MulticlassCalibrationError(num_classes=7, n_bins=bins, norm="l1")
    oracle.update(torch.from_numpy(evaluation.probabilities), torch.from_numpy(evaluation.labels))
    assert evaluation.calibration(bins).ece == pytest.approx(float(oracle.compute()), abs=1e-5)


def test_calibration_bins_by_hand():
    probabilities = np.array([[0.9, 0.1], [1.0, 0.0], [0.4, 0.6], [0.5, 0.5]])
    calibration = Evaluation(("a", "b"), np.array([0, 1, 1, 0]), probabilities).calibration(bins=2)
    np.testing.assert_array_equal(calibration.images, [1, 3])  # 0.5 belongs to (0, 0.5]
    np.testing.assert_allclose(calibration.confidence, [0.5, 2.5 / 3])
    np.testing.assert_allclose(calibration.accuracy, [1.0, 2 / 3])
    assert calibration.ece == pytest.approx(0.25 * 0.5 + 0.75 * 0.5 / 3)


def test_an_empty_calibration_bin_has_no_accuracy():
    calibration = Evaluation(("a", "b"), np.array([0]), np.array([[0.95, 0.05]])).calibration(bins=4)
    assert np.isnan(calibration.accuracy[:3]).all()
    assert calibration.accuracy[3] == 1.0


def test_worst_are_the_confident_mistakes_most_confident_first():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.99, 0.01], [0.3, 0.7]])
    evaluation = Evaluation(("a", "b"), np.array([1, 1, 0, 0]), probabilities)
    assert evaluation.worst(10).tolist() == [1, 3, 0]
    assert evaluation.worst(1).tolist() == [1]


def test_most_confused_pairs_by_hand():
    predicted = np.array([1, 1, 0, 2, 2, 1])
    evaluation = Evaluation(("a", "b", "c"), np.array([0, 0, 0, 0, 2, 2]), np.eye(3)[predicted])
    assert [tuple(pair) for pair in evaluation.most_confused(2)] == [(0, 1, 2, 0.5), (0, 2, 1, 0.25)]
    assert len(evaluation.most_confused(99)) == 3


def test_equal_probabilities_rank_the_lower_class_first():
    evaluation = Evaluation(tuple("abcdefgh"), np.array([4, 5, 0]), np.full((3, 8), 0.125))
    assert evaluation.ranks.tolist() == [4, 5, 0]
    assert evaluation.top5 == pytest.approx(2 / 3)
    assert evaluation.top1 == pytest.approx(1 / 3)


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (10, 10), (81, 263), (9_523, 10_000)])
def test_wilson_interval_equals_scipy(correct, count):
    oracle = binomtest(correct, count).proportion_ci(method="wilson")
    assert wilson_interval(correct, count) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_wilson_interval_of_a_textbook_example():
    # Newcombe (1998, Statistics in Medicine 17), table I, method 3: 81 of 263 -> 0.2553 to 0.3662.
    low, high = wilson_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_dict_is_strict_json_even_with_a_nan_loss():
    evaluation = random_evaluation(0, 30, 6)
    figures = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert figures["images"] == 30
    assert np.trace(figures["confusion"]) / 30 == pytest.approx(figures["top1"])
    broken = Evaluation(("a", "b"), np.array([0]), np.array([[1.0, 0.0]]), loss=math.nan)
    assert json.loads(json.dumps(broken.to_dict(), allow_nan=False))["loss"] is None


def test_the_dict_holds_each_figure_under_its_own_name():
    evaluation = random_evaluation(1, 200, 7)
    figures = evaluation.to_dict()
    low, high = binomtest(evaluation.correct, 200).proportion_ci(method="wilson")
    oracle = MulticlassCalibrationError(num_classes=7, n_bins=15, norm="l1")
    oracle.update(torch.from_numpy(evaluation.probabilities), torch.from_numpy(evaluation.labels))
    assert figures["top1"] == (evaluation.probabilities.argmax(1) == evaluation.labels).mean()
    assert (figures["top1_low"], figures["top1_high"]) == pytest.approx((low, high))
    assert figures["top5"] == pytest.approx(
        top_k_accuracy_score(evaluation.labels, evaluation.probabilities, k=5, labels=np.arange(7))
    )
    assert figures["ece"] == pytest.approx(float(oracle.compute()), abs=1e-5)
    assert figures["loss"] == 0.5
    precision, recall, f1, support = precision_recall_fscore_support(evaluation.labels, evaluation.predicted)
    for place, score in enumerate(figures["per_class"]):
        assert score["name"] == f"class {place}"
        wanted = (precision[place], recall[place], f1[place], support[place])
        assert (score["precision"], score["recall"], score["f1"], score["support"]) == pytest.approx(wanted)
    assert figures["confusion"] == confusion_matrix(evaluation.labels, evaluation.predicted).tolist()


def test_labels_at_the_boundary_of_the_classes():
    chances = np.full((1, 3), 1 / 3)
    for label in (0, 2):
        assert Evaluation(("a", "b", "c"), np.array([label]), chances).confusion.sum() == 1
    for label in (-1, 3):
        with pytest.raises(StriateError, match=f"labels run from {label} to {label}"):
            Evaluation(("a", "b", "c"), np.array([label]), chances)


def test_a_large_confusion_matrix_stays_out_of_the_dict():
    assert random_evaluation(0, 50, 101).to_dict()["confusion"] is None
    assert np.sum(random_evaluation(0, 50, 100).to_dict()["confusion"]) == 50


@pytest.mark.parametrize(
    ("labels", "probabilities", "names", "message"),
    [
        ([], np.zeros((0, 2)), [], "no images"),
        ([0], [[0.2, 0.3, 0.5]], [], r"shape \(1, 3\)"),
        ([2], [[0.5, 0.5]], [], "labels run from 2 to 2"),
        ([0], [[0.5, 0.5]], ["a", "b"], "2 names for 1 images"),
        ([0, 0], [[0.5, 0.5], [math.nan, 0.5]], [], "not finite for 1 of 2 images"),
        ([0], [[3.5, -1.0]], [], "not scores"),
    ],
)
def test_bad_input_is_one_clear_line(labels, probabilities, names, message):
    with pytest.raises(StriateError, match=message) as error:
        Evaluation(("a", "b"), np.array(labels), np.array(probabilities), names=names)
    assert "\n" not in str(error.value)


def test_the_module_loads_no_heavy_package_of_its_own():
    code = "import sys, striate.training; before = set(sys.modules); import striate.training.metrics; "
    code += "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "sklearn", "torchmetrics", "scipy", "matplotlib"} & set(found.split())


def test_mistakes_and_pairs_that_are_equal_come_in_the_order_of_images_and_classes():
    predicted = np.array([1, 0, 2, 1, 0])
    labels = np.array([0, 1, 1, 2, 2])
    evaluation = Evaluation(("a", "b", "c"), labels, np.eye(3)[predicted])
    assert evaluation.worst(3).tolist() == [0, 1, 2]
    pairs = [(pair.true, pair.predicted) for pair in evaluation.most_confused(9)]
    assert pairs == [(0, 1), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert [pair.share for pair in evaluation.most_confused(2)] == [1.0, 0.5]
    assert evaluation.most_confused(0) == []


def test_classes_nobody_is_of_or_taken_for_have_scores_of_zero():
    evaluation = Evaluation(("a", "b", "c"), np.array([0, 0]), np.eye(3)[[0, 1]])
    assert [tuple(score) for score in evaluation.per_class()] == [
        ("a", 1.0, 0.5, 2 / 3, 2),
        ("b", 0.0, 0.0, 0.0, 0),
        ("c", 0.0, 0.0, 0.0, 0),
    ]


def test_what_it_is_given_is_held_in_one_form():
    evaluation = Evaluation(["a", "b"], [1, 0], [[0.25, 0.75], [0.5, 0.5]], names=("x", "y"))
    assert (evaluation.classes, evaluation.names, len(evaluation)) == (("a", "b"), ["x", "y"], 2)
    assert (evaluation.labels.dtype, evaluation.probabilities.dtype) == (np.int64, np.float32)
    assert evaluation.predicted.tolist() == [1, 0]
    assert evaluation.confidence.tolist() == [0.75, 0.5]
    assert (evaluation.split, evaluation.notes, math.isnan(evaluation.loss)) == ("", (), True)
    assert evaluation.correct == 2
    assert evaluation.top1_interval == wilson_interval(2, 2)


@pytest.mark.parametrize(
    ("low", "high", "taken"), [(0, 1, True), (-5e-7, 1.000005, True), (-2e-6, 1, False), (0, 1.00002, False)]
)
def test_probabilities_may_be_out_of_bounds_by_rounding_alone(low, high, taken):
    if taken:
        Evaluation(("a", "b"), [0], [[low, high]])
    else:
        with pytest.raises(
            StriateError, match=r"^evaluation: probabilities run from .* to .*; they must lie in \[0, 1\]"
        ):
            Evaluation(("a", "b"), [0], [[low, high]])


def test_an_interval_of_no_trials_is_everything_and_a_wider_one_is_surer():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    oracle = binomtest(3, 7).proportion_ci(0.9, method="wilson")
    assert wilson_interval(3, 7, z=1.6448536269514722) == pytest.approx((oracle.low, oracle.high))


def test_confidence_at_the_edges_of_bins_belongs_to_the_lower_one():
    chances = np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0], [0.51, 0.49]])
    found = Evaluation(("a", "b"), np.zeros(4, int), chances).calibration(bins=4)
    assert found.images.tolist() == [0, 1, 2, 1]
    nothing = Evaluation(tuple("abcdefgh"), [0], np.zeros((1, 8))).calibration()
    assert nothing.images.tolist() == [1] + [0] * 14


@pytest.mark.parametrize(("classes", "top5"), [(5, None), (6, 5 / 6)])
def test_of_five_classes_the_five_most_probable_say_nothing(classes, top5):
    chances = np.tile(np.arange(classes, 0, -1) / 30, (classes, 1))
    assert Evaluation(tuple("abcdef"[:classes]), np.arange(classes), chances).top5 == top5


def test_a_loss_beyond_all_bounds_is_none_in_the_dict():
    for loss in (math.inf, -math.inf, math.nan):
        assert Evaluation(("a", "b"), [0], [[1, 0]], loss=loss).to_dict()["loss"] is None


def test_however_many_are_equal_they_keep_their_order():
    labels = np.arange(50)
    evaluation = Evaluation(tuple(map(str, labels)), labels, np.eye(50)[(labels + 1) % 50])
    assert evaluation.worst(99).tolist() == labels.tolist()
    assert [pair.true for pair in evaluation.most_confused(99)] == labels.tolist()


def test_figures_to_which_each_class_counts_alike_are_scikit_learns():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 300, p=[0.8, 0.15, 0.05, 0])
    chances = rng.dirichlet([0.5] * 4, 300) + np.eye(4)[labels] / 2
    chances = (chances / chances.sum(1, keepdims=True)).astype(np.float32)
    found = Evaluation(tuple("abcd"), labels, chances)
    said = chances.argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "y_pred contains classes not in y_true"
        assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, said))
    wanted = metrics.f1_score(labels, said, average="macro", labels=[0, 1, 2])
    assert found.macro_f1 == pytest.approx(wanted)
    assert found.unbalanced
    assert found.to_dict()["balanced_accuracy"] == found.balanced_accuracy
    assert found.to_dict()["macro_f1"] == found.macro_f1
    rows = np.concatenate([np.flatnonzero(labels == label)[:10] for label in (0, 1, 2)])
    assert not Evaluation(tuple("abcd"), labels[rows], chances[rows]).unbalanced
