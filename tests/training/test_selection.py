"""One rule says which weights are better: it chooses what is saved and when training stops early."""

import math

import numpy as np
import pytest

from striate.training.metrics import Evaluation
from striate.training.selection import beginning_line, better, doubt, early_stop_line, epochs_waited, figures_of
from striate.training.state import Position
from striate.training.value_metrics import RegressionEvaluation


def evaluation(correct: int, loss: float) -> Evaluation:
    """`correct` of ten images."""
    labels = np.arange(10) % 2
    predicted = np.where(np.arange(10) < correct, labels, 1 - labels)
    return Evaluation(("a", "b"), labels, np.eye(2)[predicted], loss=loss)


@pytest.mark.parametrize(
    ("correct", "loss", "expected"),
    [(7, 0.9, True), (6, 0.4, True), (6, 0.5, False), (6, 0.6, False), (5, 0.1, False)],
)
def test_accuracy_decides_and_the_loss_among_equals(correct, loss, expected):
    assert better(evaluation(correct, loss), {"epoch": 1, "accuracy": 0.6, "loss": 0.5}) is expected


@pytest.mark.parametrize(
    ("score", "predicted", "best", "expected"),
    [
        ("r2", [1.0, 2.1], {"r2": 0.9, "loss": 0.5}, True),
        ("r2", [1.0, 3.0], {"r2": 0.9, "loss": 0.5}, False),
        ("r2", [9.0], {"r2": math.nan, "loss": 0.5}, True),  # not defined: the loss decides
        ("r2", [9.0], {"r2": 0.1, "loss": 0.5}, False),
        ("r2", [1.0, 2.1], {"r2": math.nan, "loss": 0.1}, True),  # any score is better than none
    ],
)
def test_every_task_has_its_own_score(score, predicted, best, expected):
    true = np.array([[1.0], [2.0]])[: len(predicted)]
    found = RegressionEvaluation(("a",), true, np.array(predicted)[:, None], loss=0.4)
    assert better(found, {"epoch": 1, **best}) is expected
    assert figures_of(found).keys() == {score, "loss"}


@pytest.mark.parametrize(
    ("before", "correct", "expected"),
    [(0.9, 10, False), (0.8, 10, True), (0.7, 8, False), (0.6, 5, False), (0.6, 8, True)],
)
def test_a_fitted_classifier_is_left_for_more_than_chance_alone(before, correct, expected):
    """Of ten images a tenth is less than the standard error: that of 0.9 is sqrt(11/14 * 3/14 / 14) = 0.11."""
    best = {"accuracy": before, "loss": 9.0}
    assert better(evaluation(correct, 0.1), {"epoch": 0, **best}) is expected
    assert better(evaluation(correct, 0.1), {"epoch": 1, **best}) is (correct / 10 >= before)


def test_of_many_images_little_is_enough():
    assert doubt(0.9, 10) == pytest.approx(0.1096, abs=1e-3)
    assert doubt(0.9, 10_000) == pytest.approx(0.003, abs=1e-4)
    assert doubt(1.0, 10) > 0.05


def test_anything_is_better_than_nothing():
    assert better(evaluation(0, 9.0), None)


@pytest.mark.parametrize(
    ("phases", "epoch", "best", "waited"),
    [
        ([10], 3, 3, 0),
        ([10], 5, 3, 2),
        ([10, 5], 10, 3, 7),
        ([10, 5], 11, 3, 1),  # an extension waits anew
        ([10, 5], 13, 12, 1),
        ([4, 5, 5], 12, 2, 3),
    ],
)
def test_waiting_counts_from_the_best_epoch_or_from_the_extension(phases, epoch, best, waited):
    assert epochs_waited(Position(phases, epoch=epoch, best={"epoch": best})) == waited


def test_the_line_names_the_end_and_the_best():
    position = Position([30], epoch=12, best={"epoch": 9, "accuracy": 0.75, "loss": 0.25})
    line = early_stop_line(position, 3)
    for part in ("after epoch 12 of 30", "last 3 epochs", "epoch 9", "0.2500", "75.00%"):
        assert part in line


FEATURES = {"epoch": 0, "accuracy": 0.75, "loss": 0.5}


@pytest.mark.parametrize(
    ("best", "scores", "line"),
    [
        (FEATURES, [0.625, 0.875, 0.8], ": epoch 2 with 87.50% is less than one standard error better."),
        (FEATURES, [0.625, 0.75, math.nan], ": no epoch was better."),
        (FEATURES, [math.nan], ": no epoch was better."),
        (FEATURES | {"epoch": 2}, [0.625, 0.875], ""),
        ({"epoch": 0}, [None], ""),
        (FEATURES, [], ""),
        (None, [0.5], ""),
    ],
)
def test_it_is_said_where_the_beginning_is_kept(best, scores, line):
    history = [{"epoch": epoch, "val_accuracy": score} for epoch, score in enumerate(scores, 1)]
    told = "Kept is the classifier of features that it began with, accuracy 75.00%" if line else ""
    assert beginning_line(Position([3], best=best, history=history)) == told + line


@pytest.fixture
def figures(monkeypatch):
    """Validation gives these (correct of ten, loss) in turn: figures([(5, 0.7), ...])."""

    def script(pairs):
        outcomes = iter([evaluation(*pair) for pair in pairs])
        monkeypatch.setattr("striate.training.validation.evaluate", lambda *arguments: next(outcomes))

    return script


def test_the_first_of_equal_epochs_is_kept(small, tmp_path, figures):
    saved: list[dict] = []
    figures([(5, 0.7), (6, 0.6), (6, 0.6), (6, 0.5), (6, 0.5)])
    run = small.training(tmp_path, small.recipe(epochs=5), save=lambda network, best, _: saved.append(dict(best)))
    run.train()
    assert [(best["epoch"], best["accuracy"], best["loss"]) for best in saved] == [
        (1, 0.5, 0.7),
        (2, 0.6, 0.6),
        (4, 0.6, 0.5),
    ]


@pytest.mark.parametrize(("patience", "last"), [(1, 3), (2, 4), (3, 8)])
def test_it_stops_after_exactly_so_many_epochs_without_better_weights(patience, last, small, tmp_path, figures):
    figures([(5, 0.7), (6, 0.6), (6, 0.6), (5, 0.1), (6, 0.5), (6, 0.5), (6, 0.9), (6, 0.9), (5, 0.0)])
    position = small.training(tmp_path, small.recipe(epochs=9, early_stopping=patience)).train()
    assert (position.epoch, position.stopped_by) == (last, "early stopping")


def test_the_count_goes_on_where_it_was_when_a_run_is_resumed(small, tmp_path, figures):
    pairs = [(6, 0.5), (5, 0.5), (5, 0.5), (5, 0.5), (5, 0.5)]
    figures(pairs)
    chosen = small.recipe(epochs=5, early_stopping=3)
    run = small.training(tmp_path, chosen)
    small.stop_after(run, 9)
    run.train()
    again = small.training(tmp_path, chosen)
    again.restore()
    assert again.position.best == {"epoch": 1, "accuracy": 0.6, "loss": 0.5}
    figures(pairs[2:])
    position = again.train()
    assert (position.epoch, position.stopped_by) == (4, "early stopping")
