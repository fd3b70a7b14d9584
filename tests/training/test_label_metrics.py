"""Figures of several labels, against scikit-learn's."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from striate.errors import StriateError
from striate.training import label_metrics
from striate.training.label_metrics import MultiLabelEvaluation, average_precision

NAMES = ("a", "b", "c", "d", "e")


def drawn(images: int = 300, levels: int = 0, seed: int = 0) -> MultiLabelEvaluation:
    """Labels of different rates and probabilities that know something of them; of a few `levels`, with many ties."""
    rng = np.random.default_rng(seed)
    labels = rng.random((images, 5)) < [0.5, 0.3, 0.1, 0.05, 0.8]
    chances = np.clip(0.6 * labels + rng.normal(0.2, 0.25, labels.shape), 0, 1)
    chances = np.round(chances * levels) / levels if levels else chances
    return MultiLabelEvaluation(NAMES, labels, chances, loss=0.5)


@pytest.mark.parametrize(("images", "levels"), [(300, 0), (300, 4), (40, 2), (7, 0), (2000, 10)])
def test_figures_equal_scikit_learns(images, levels):
    found = drawn(images, levels)
    labels, chances, said = found.labels, found.probabilities, found.predicted
    there = labels.any(0)
    close = {"rel": 1e-6, "abs": 1e-9}
    assert found.mean_average_precision == pytest.approx(
        metrics.average_precision_score(labels[:, there], chances[:, there], average="macro"), **close
    )
    assert found.micro_f1 == pytest.approx(metrics.f1_score(labels, said, average="micro", zero_division=0), **close)
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, said, average="macro", zero_division=0), **close)
    assert found.hamming_loss == pytest.approx(metrics.hamming_loss(labels, said), **close)
    assert found.subset_accuracy == pytest.approx(metrics.accuracy_score(labels, said), **close)
    each = metrics.precision_recall_fscore_support(labels, said, average=None, zero_division=0)
    scores = found.per_class()
    for got, wanted in zip(zip(*[score[2:6] for score in scores], strict=True), each, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
    for place in np.flatnonzero(there):
        wanted = metrics.average_precision_score(labels[:, place], chances[:, place])
        assert scores[place].average_precision == pytest.approx(wanted, **close)


def test_average_precision_by_hand():
    has = np.array([True, False, True, False])
    assert average_precision(has, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(has, np.full(4, 0.5)) == 0.5  # one threshold, which takes all
    assert math.isnan(average_precision(np.zeros(3, bool), np.array([0.1, 0.2, 0.3])))


def test_a_label_that_no_image_has_does_not_count():
    labels = np.array([[1, 0], [0, 0], [1, 0]], bool)
    found = MultiLabelEvaluation(("a", "b"), labels, np.array([[0.9, 0.1], [0.2, 0.7], [0.8, 0.1]]))
    assert found.mean_average_precision == 1
    assert math.isnan(found.per_class()[1].average_precision)
    assert found.per_class()[1][2:6] == (0, 0, 0, 0)
    none = MultiLabelEvaluation(("a",), np.zeros((2, 1)), np.full((2, 1), 0.2))
    assert (math.isnan(none.score), none.micro_f1, none.subset_accuracy) == (True, 0.0, 1.0)


def test_the_interval_is_that_of_scikit_learns_figure_over_drawn_images():
    found = drawn(150)
    rng = np.random.default_rng(0)
    draws = [rng.multinomial(150, np.full(150, 1 / 150)) for _ in range(200)]
    wanted = [
        np.mean(
            [
                metrics.average_precision_score(found.labels[:, k], found.probabilities[:, k], sample_weight=draw)
                for k in range(5)
                if (found.labels[:, k] * draw).any()
            ]
        )
        for draw in draws
    ]
    assert found.map_interval == pytest.approx(tuple(np.percentile(wanted, (2.5, 97.5))), rel=1e-6)


def test_very_many_images_have_no_interval(monkeypatch):
    monkeypatch.setattr(label_metrics, "LONGEST_BOOTSTRAP", 1499)
    assert all(map(math.isnan, drawn(300).map_interval))
    assert drawn(300).to_dict()["map_low"] is None


def test_the_worst_images_are_those_of_the_surest_wrong_label():
    labels = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], bool)
    chances = np.array([[0.9, 0.8], [0.4, 0.1], [0.2, 0.9], [0.05, 0.6]])
    found = MultiLabelEvaluation(("a", "b"), labels, chances)
    assert found.worst(9).tolist() == [3, 0, 1]  # 0.95, 0.8 and 0.6 off; the third is all right
    assert found.worst(1).tolist() == [3]
    assert found.mistake(0) == ("a", "a, b", None, None)
    assert found.mistake(3) == ("a, b", "b", None, None)
    assert found.mistake(1) == ("a", "none", None, None)


def test_it_can_be_written_as_json():
    found = drawn(50)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["map"] == found.mean_average_precision
    assert (told["map_low"], told["map_high"]) == found.map_interval
    assert [score["name"] for score in told["per_class"]] == list(NAMES)
    assert found.figures() == {"map": found.score, "f1": found.micro_f1}
    assert len(repr(found)) < 200
    assert "<table>" in found._repr_html_()


@pytest.mark.parametrize(
    ("labels", "chances", "words"),
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), "do not fit 2 labels"),
        (np.zeros(3), np.zeros((3, 2)), "do not fit 2 labels"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "no images"),
        (np.zeros((1, 2)), np.array([[0.5, np.nan]]), "not finite"),
        (np.zeros((1, 2)), np.array([[0.5, 1.5]]), "must lie in"),
    ],
)
def test_what_is_no_evaluation_is_refused(labels, chances, words):
    with pytest.raises(StriateError, match=words):
        MultiLabelEvaluation(("a", "b"), labels, chances)


def test_labels_are_said_from_their_thresholds_on():
    plain = drawn()
    cuts = (0.2, 0.9, 0.4, 0.5, 0.7)
    found = replace(plain, thresholds=cuts)
    said = plain.probabilities >= np.array(cuts)
    np.testing.assert_array_equal(found.predicted, said)
    assert found.macro_f1 == pytest.approx(metrics.f1_score(plain.labels, said, average="macro"))
    assert found.at_half.macro_f1 == plain.macro_f1
    assert found.mean_average_precision == plain.mean_average_precision
    for place, (score, half) in enumerate(zip(found.per_class(), plain.per_class(), strict=True)):
        assert score.threshold == cuts[place]
        assert score.f1 == pytest.approx(metrics.f1_score(plain.labels[:, place], said[:, place]))
        assert (score.f1_at_half, half.f1_at_half, half.threshold) == (half.f1, half.f1, 0.5)
    told = found.to_dict()
    assert (told["micro_f1"], told["micro_f1_at_half"]) == (found.micro_f1, plain.micro_f1)
    assert (told["macro_f1"], told["macro_f1_at_half"]) == (found.macro_f1, plain.macro_f1)
    with pytest.raises(StriateError, match="2 thresholds for 5 labels"):
        replace(plain, thresholds=(0.5, 0.5))


@pytest.mark.parametrize("levels", [0, 4])
def test_curves_are_scikit_learns(levels):
    found = drawn(300, levels)
    recall, precision = found.curve(1)
    theirs, their_recall, _ = metrics.precision_recall_curve(found.labels[:, 1], found.probabilities[:, 1])
    np.testing.assert_allclose(recall, their_recall[-2::-1], rtol=1e-9)
    np.testing.assert_allclose(precision, theirs[-2::-1], rtol=1e-9)


def test_the_surest_mistakes_of_a_label_come_first():
    labels = np.array([[1, 0], [0, 0], [1, 0], [0, 1], [1, 1]], bool)
    chances = np.array([[0.4, 0.9], [0.9, 0.1], [0.05, 0.1], [0.2, 0.9], [0.8, 0.9]])
    found = MultiLabelEvaluation(("a", "b"), labels, chances, thresholds=(0.3, 0.5))
    assert found.worst_of(0, 5).tolist() == [2, 1]
    assert found.worst_of(0, 1).tolist() == [2]
    assert found.worst_of(1, 5).tolist() == [0]
