"""Each task: loss, running figure, answers and evaluation, against scikit-learn's and PyTorch's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from torch.nn import functional

from striate.data import ArrayImages, Split
from striate.errors import UsageError
from striate.training.balance import times_by_rarest_label
from striate.training.recipes import Recipe
from striate.training.tasks import MultiLabel, Regression, SingleLabel, read_task
from striate.training.thresholds import fitted_thresholds

NAMES = ("a", "b", "c")
LOGITS = torch.from_numpy(np.random.default_rng(0).normal(0, 2, (40, 3)))
CLASSES = torch.from_numpy(np.random.default_rng(1).integers(0, 3, 40))
LABELS = torch.from_numpy(np.random.default_rng(1).random((40, 3)) < 0.4)
VALUES = torch.from_numpy(np.random.default_rng(1).normal([5, -300, 0.01], [2, 50, 0.003], (40, 3)))
SOFT = torch.from_numpy(np.random.default_rng(2).dirichlet([0.3] * 3, 40))
REGRESSION = Regression.of(NAMES, VALUES.numpy())


def split(labels: torch.Tensor) -> Split:
    pixels = np.zeros((40, 2, 2, 3), np.uint8)
    return Split("val", ArrayImages(pixels, [f"{row}.png" for row in range(40)]), labels.numpy())


def test_labels_are_learnt_by_the_mean_binary_cross_entropy():
    loss = MultiLabel(NAMES).loss(Recipe(), "cross_entropy")
    chances = LOGITS.sigmoid().numpy()
    wanted = np.mean([metrics.log_loss(LABELS[:, k].numpy(), chances[:, k]) for k in range(3)])
    assert loss(LOGITS, LABELS).item() == pytest.approx(wanted, rel=1e-6)
    smoothed = MultiLabel(NAMES).loss(Recipe(label_smoothing=0.2), "cross_entropy")
    truth = LABELS.double() * 0.8 + 0.1
    by_hand = -(truth * LOGITS.sigmoid().log() + (1 - truth) * (-LOGITS).sigmoid().log()).mean()
    assert smoothed(LOGITS, LABELS).item() == pytest.approx(by_hand.item(), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("own", lambda error: error.square()),
        ("mean_squared_error", lambda error: error.square()),
        ("mean_absolute_error", lambda error: error.abs()),
        ("huber", lambda error: torch.where(error.abs() < 1, error.square() / 2, error.abs() - 0.5)),
    ],
)
def test_values_are_learnt_in_standard_deviations(name, by_hand):
    standard = (VALUES - VALUES.mean(0)) / VALUES.std(0, unbiased=False)
    loss = REGRESSION.loss(Recipe(loss=name), "cross_entropy")
    assert loss(LOGITS, VALUES).item() == pytest.approx(by_hand(LOGITS - standard).mean().item(), rel=1e-9)


def test_a_constant_value_has_a_deviation_of_one():
    task = Regression.of(("a", "b"), np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert (task.mean, task.deviation) == ((2.0, 5.0), (1.0, 1.0))


def counted(task, labels) -> float:
    """The running figure of three batches."""
    parts = [(0, 7), (7, 8), (8, 40)]
    sums = sum(torch.stack(task.tally(LOGITS[start:end], labels[start:end])).double() for start, end in parts)
    assert sums.shape == (task.counts,)
    return task.tallied(sums.tolist(), 40)


def test_running_figures_equal_scikit_learns():
    wanted = metrics.accuracy_score(CLASSES, LOGITS.argmax(1))
    assert counted(SingleLabel(NAMES), CLASSES) == pytest.approx(wanted, rel=1e-9)
    wanted = metrics.f1_score(LABELS, LOGITS > 0, average="micro")
    assert counted(MultiLabel(NAMES), LABELS) == pytest.approx(wanted, rel=1e-9)
    wanted = metrics.r2_score(VALUES, REGRESSION.answers(LOGITS[:, None]))
    assert counted(REGRESSION, VALUES) == pytest.approx(wanted, rel=1e-9)
    assert SingleLabel(NAMES).tallied([0.0], 0) == MultiLabel(NAMES).tallied([0.0, 0.0, 0.0], 0) == 0


def test_mixed_images_are_right_where_the_larger_share_is_named():
    assert counted(SingleLabel(NAMES), SOFT) == (LOGITS.argmax(1) == SOFT.argmax(1)).double().mean()
    assert counted(MultiLabel(NAMES), LABELS * 0.9) == counted(MultiLabel(NAMES), LABELS)


def test_the_mean_of_several_views_is_that_of_answers():
    views = torch.stack([LOGITS, LOGITS.flip(0), LOGITS + 1], 1)
    np.testing.assert_allclose(SingleLabel(NAMES).answers(views), views.softmax(2).mean(1), rtol=1e-6)
    np.testing.assert_allclose(MultiLabel(NAMES).answers(views), views.sigmoid().mean(1), rtol=1e-6)
    wanted = views.mean(1).numpy() * VALUES.numpy().std(0) + VALUES.numpy().mean(0)
    np.testing.assert_allclose(REGRESSION.answers(views), wanted, rtol=1e-9)


@pytest.mark.parametrize("views", [1, 2])
def test_evaluations_measure_the_loss_of_the_answers(views):
    logits = torch.stack([LOGITS, LOGITS / 2][:views], 1)
    found = SingleLabel(NAMES).measure(logits, split(CLASSES))
    chances = logits.softmax(2).mean(1).numpy()
    assert found.loss == pytest.approx(metrics.log_loss(CLASSES, chances), rel=1e-6)
    found = MultiLabel(NAMES).measure(logits, split(LABELS))
    chances = logits.sigmoid().mean(1).numpy()
    wanted = np.mean([metrics.log_loss(LABELS[:, k].numpy(), chances[:, k]) for k in range(3)])
    assert found.loss == pytest.approx(wanted, rel=1e-6)
    assert (found.names[3], found.split, found.classes) == ("3.png", "val", NAMES)
    found = REGRESSION.measure(logits, split(VALUES))
    wanted = metrics.mean_squared_error(VALUES / VALUES.std(0, unbiased=False), found.predicted / VALUES.numpy().std(0))
    assert found.loss == pytest.approx(wanted, rel=1e-6)
    np.testing.assert_array_equal(found.labels, VALUES)


def test_what_views_gain_is_paired():
    tasks = [(SingleLabel(NAMES), CLASSES), (MultiLabel(NAMES), LABELS), (REGRESSION, VALUES)]
    for task, labels in tasks:
        once = task.measure(torch.flip(LOGITS, (1,))[:, None], split(labels))
        better = task.measure(LOGITS[:, None], split(labels))
        value, gain, low, high = task.gain(once, better)
        back = task.gain(better, once)
        assert low < gain < high
        assert (back[1], back[2], back[3]) == pytest.approx((-gain, -high, -low))
        assert value + (-gain if task is REGRESSION else gain) == pytest.approx(back[0])
    assert task.gain(once, once) == (value, 0, 0, 0)
    error = np.abs(once.predicted - once.labels) / VALUES.numpy().std(0)
    assert value == pytest.approx(error.mean())


def test_soft_labels_are_the_mean_over_classes_by_their_shares():
    for name in ("cross_entropy", "binary", "squared_error", "half_squared_error", "hinge"):
        loss = SingleLabel(NAMES).loss(Recipe(loss=name), "cross_entropy")
        hard = functional.one_hot(CLASSES, 3).double()
        assert loss(LOGITS, hard).item() == pytest.approx(loss(LOGITS, CLASSES).item(), rel=1e-9)
    for name in ("cross_entropy", "hinge", "rbf", "rbf_distance"):
        logits = -LOGITS.square() if name.startswith("rbf") else LOGITS
        loss = SingleLabel(NAMES).loss(Recipe(loss=name), "rbf")
        rows = [
            sum(SOFT[row, k] * loss(logits[row : row + 1], torch.tensor([k])) for k in range(3)) for row in range(40)
        ]
        assert loss(logits, SOFT).item() == pytest.approx((sum(rows) / 40).item(), rel=1e-9)


def test_soft_labels_teach():
    for name in ("cross_entropy", "hinge"):
        logits = LOGITS.clone().requires_grad_()
        SingleLabel(NAMES).loss(Recipe(loss=name), "cross_entropy")(logits, SOFT).backward()
        assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("task", "recipe", "own", "words"),
    [
        (MultiLabel(NAMES), Recipe(loss="hinge"), "cross_entropy", "is for one class per image; several labels take"),
        (MultiLabel(NAMES), Recipe(loss="huber"), "cross_entropy", "is for one class per image; several labels take"),
        (MultiLabel(NAMES), Recipe(), "rbf", "outputs are distances from classes"),
        (REGRESSION, Recipe(loss="cross_entropy"), "hinge", "is for classes; values take one of mean_squared_error"),
        (REGRESSION, Recipe(label_smoothing=0.1), "hinge", "not smoothed like classes"),
        (REGRESSION, Recipe(), "rbf", "outputs are distances from classes"),
        (SingleLabel(NAMES), Recipe(loss="huber"), "cross_entropy", "is for values; classes take one of cross_entropy"),
    ],
)
def test_what_does_not_go_with_a_task_is_refused(task, recipe, own, words):
    with pytest.raises(UsageError, match=words):
        task.loss(recipe, own)


def test_recipes_that_were_made_for_classes_are_fitted():
    made = Recipe(loss="hinge", label_smoothing=0.1, learning_rate=0.3)
    assert SingleLabel(NAMES).fitting(made) == made
    assert MultiLabel(NAMES).fitting(made) == replace(made, loss="own")
    assert REGRESSION.fitting(made) == replace(made, loss="own", label_smoothing=0.0, clip_norm=1.0)
    assert REGRESSION.fitting(replace(made, clip_norm=5.0)).clip_norm == 5
    assert REGRESSION.fitting(replace(made, loss="huber")).loss == "huber"
    assert MultiLabel(NAMES).fitting(replace(made, loss="binary")).loss == "binary"


def test_outputs_are_as_many_as_names_but_for_one_sigmoid():
    assert [SingleLabel(tuple("abcd"[:count])).outputs(1) for count in (2, 3)] == [1, 3]
    assert [task(("a", "b")).outputs(1) for task in (MultiLabel, Regression)] == [2, 2]
    assert MultiLabel(("a",)).outputs(1000) == 1


@pytest.mark.parametrize("task", [SingleLabel(NAMES), MultiLabel(NAMES), REGRESSION])
def test_tasks_are_written_and_read(task):
    assert read_task(NAMES, task.to_dict()) == task
    assert read_task(NAMES, {}) == SingleLabel(NAMES)


@pytest.mark.parametrize(
    "written",
    [{"kind": "x"}, {"kind": "regression"}, {"kind": "regression", "mean": [1.0], "deviation": [1.0]}],
)
def test_what_is_no_task_is_refused(written):
    with pytest.raises((UsageError, KeyError, ValueError)):
        read_task(NAMES, written)


def test_rare_classes_count_more_where_that_is_asked_for():
    """The rule is scikit-learn's; a loss that is only checked knows no labels."""
    labels = np.repeat([0, 1, 2], [30, 8, 2])
    weights = torch.from_numpy(compute_class_weight("balanced", classes=np.arange(3), y=labels))
    truth = functional.one_hot(torch.from_numpy(labels), 3).double()
    balanced = Recipe(balance="weights", loss="cross_entropy", label_smoothing=0.1)
    wanted = functional.cross_entropy(LOGITS, truth, weights, label_smoothing=0.1)
    found = SingleLabel(NAMES).loss(balanced, "hinge", labels)(LOGITS, torch.from_numpy(labels))
    assert found.item() == pytest.approx(wanted.item(), rel=1e-9)
    for recipe, known in ((replace(balanced, balance="sampler"), labels), (balanced, None)):
        loss = SingleLabel(NAMES).loss(recipe, "hinge", known)
        wanted = functional.cross_entropy(LOGITS, truth, label_smoothing=0.1)
        assert loss(LOGITS, torch.from_numpy(labels)).item() == pytest.approx(wanted.item(), rel=1e-9)
    np.testing.assert_allclose(SingleLabel(NAMES).weights(labels)[:, 0], compute_sample_weight("balanced", labels))
    assert [SingleLabel(NAMES).times(labels)[labels == k].sum() for k in range(3)] == pytest.approx([40 / 3] * 3)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_having_and_lacking_a_label_count_alike(smoothing):
    """Each label is balanced as scikit-learn would two classes; smoothed and mixed labels have a share of both."""
    known = LABELS.bool().numpy()
    loss = MultiLabel(NAMES).loss(Recipe(balance="weights", label_smoothing=smoothing), "hinge", known)
    there = np.array([False, True])
    weights = np.stack([compute_class_weight("balanced", classes=there, y=column) for column in known.T])
    without, with_it = torch.from_numpy(weights).T
    for labels in (LABELS.double(), 0.7 * LABELS.double() + 0.3 * LABELS.flip(0).double()):
        truth = labels * (1 - smoothing) + smoothing / 2
        wanted = -(with_it * truth * functional.logsigmoid(LOGITS))
        wanted -= without * (1 - truth) * functional.logsigmoid(-LOGITS)
        assert loss(LOGITS, labels).item() == pytest.approx(wanted.mean().item(), rel=1e-9)
    each = np.stack([compute_sample_weight("balanced", column) for column in known.T], 1)
    np.testing.assert_allclose(MultiLabel(NAMES).weights(known), each)
    np.testing.assert_array_equal(MultiLabel(NAMES).times(known), times_by_rarest_label(known))


def test_values_have_nothing_to_balance():
    for balance in ("weights", "sampler"):
        with pytest.raises(UsageError, match=f"balance is {balance}, which is for classes and labels"):
            REGRESSION.loss(Recipe(balance=balance), "hinge")


def test_thresholds_are_fitted_measured_by_and_told():
    plain = MultiLabel(NAMES)
    val = split(LABELS)
    task = plain.fitted(plain.measure(LOGITS[:, None], val))
    found = task.measure(LOGITS[:, None], val)
    assert found.thresholds == task.thresholds == fitted_thresholds(LABELS.numpy(), LOGITS.sigmoid().float().numpy())
    assert found.macro_f1 > found.at_half.macro_f1
    assert read_task(NAMES, task.to_dict()) == task
    low, high = (f"{100 * each:.0f}%" for each in (min(task.thresholds), max(task.thresholds)))
    assert task.fit_told(val) == f"thresholds, fitted to 40 validation images: {low} to {high}"
    known = LABELS.clone()
    known[:, 0], known[:, 2] = False, True
    assert task.fit_told(split(known)).endswith(
        "; 50% for 'a', which no validation image has; 50% for 'c', which no validation image lacks"
    )
    assert plain.fit_told(None) == "thresholds stay at 50%: there were no validation images to fit them to"
    for other in (SingleLabel(NAMES), REGRESSION):
        assert other.fitted(found) is other
        assert other.fit_told(val) == ""
