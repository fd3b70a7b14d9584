"""Losses by name against sums by hand; two classes on one logit; which loss a network trains with."""

import math

import pytest
import torch
import torch.nn.functional as F

from striate.errors import UsageError
from striate.layers import RBFDistanceLoss, RBFLoss
from striate.models import create_model
from striate.training.losses import LOSSES, OWN, choose_loss, class_logits
from striate.training.recipes import Recipe

LOGITS, LABELS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 0.2]]), torch.tensor([0, 2])


def test_binary_by_hand():
    def cost(logit: float, positive: bool) -> float:
        return math.log(1 + math.exp(-logit if positive else logit))

    wanted = cost(1, True) + cost(-2, False) + cost(0.5, False) + cost(0, False) + cost(3, False) + cost(0.2, True)
    assert LOSSES["binary"](LOGITS, LABELS).item() == pytest.approx(wanted / 2)


def test_squared_error_by_hand():
    wanted = 0.0
    for row, label in zip(LOGITS.tolist(), LABELS.tolist(), strict=True):
        total = sum(math.exp(value) for value in row)
        wanted += sum((math.exp(value) / total - (i == label)) ** 2 for i, value in enumerate(row))
    assert LOSSES["squared_error"](LOGITS, LABELS).item() == pytest.approx(wanted / 2)


def test_half_of_the_squared_error_has_the_lectures_derivative():
    """1/2 sum (t - o)^2 over the classes, the mean over images; its derivative by each output is o - t."""
    outputs = LOGITS.softmax(1)
    truth = torch.tensor([[1.0, 0, 0], [0, 0, 1]])
    wanted = sum(0.5 * (t - o) ** 2 for t, o in zip(truth.flatten().tolist(), outputs.flatten().tolist(), strict=True))
    assert LOSSES["half_squared_error"](LOGITS, LABELS).item() == pytest.approx(wanted / 2)
    logits = LOGITS.clone().requires_grad_()
    LOSSES["half_squared_error"](logits, LABELS).backward()
    by_outputs = (outputs - truth) / 2  # of the mean over two images
    by_logits = outputs * (by_outputs - (by_outputs * outputs).sum(1, keepdim=True))  # through the softmax
    torch.testing.assert_close(logits.grad, by_logits)


def test_hinge_by_hand():
    """The lecture's: max(0, s_j - s_y + 1) over the wrong classes. 0 + 0.5, then 0.8 + 3.8."""
    assert LOSSES["hinge"](LOGITS, LABELS).item() == pytest.approx((0.5 + 4.6) / 2)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_right_class_pays(name):
    logits = -100 * torch.rand(16, 10)
    better = logits.clone()
    labels = torch.arange(16) % 10
    better[torch.arange(16), labels] = 0.0
    assert LOSSES[name](better, labels) < LOSSES[name](logits, labels)


def test_lenets_losses_are_counted_per_unit_of_f6():
    logits, labels = -100 * torch.rand(4, 10), torch.arange(4)
    torch.testing.assert_close(84 * LOSSES["rbf"](logits, labels), RBFLoss()(logits, labels))
    torch.testing.assert_close(84 * LOSSES["rbf_distance"](logits, labels), RBFDistanceLoss()(logits, labels))


def test_one_logit_is_a_sigmoid():
    logit, labels = torch.randn(12, 1), torch.arange(12) % 2
    logits = class_logits(logit, 2)
    torch.testing.assert_close(
        F.cross_entropy(logits, labels), F.binary_cross_entropy_with_logits(logit[:, 0], labels.float())
    )
    torch.testing.assert_close(logits.softmax(1)[:, 1], logit[:, 0].sigmoid())
    assert torch.equal(logits.argmax(1), (logit[:, 0] > 0).long())


def test_other_logits_are_left_alone():
    for shape, classes in (((4, 2), 2), ((4, 3), 3), ((4, 1), 1)):
        logits = torch.randn(shape)
        assert class_logits(logits, classes) is logits


def test_a_network_trains_with_its_own_loss_unless_told():
    logits, labels = -100 * torch.rand(4, 10), torch.arange(4)
    assert torch.equal(choose_loss(OWN, "rbf")(logits, labels), LOSSES["rbf"](logits, labels))
    assert torch.equal(choose_loss(OWN, "cross_entropy")(logits, labels), F.cross_entropy(logits, labels))
    assert torch.equal(choose_loss("hinge", "rbf")(logits, labels), LOSSES["hinge"](logits, labels))
    smoothed = F.cross_entropy(logits, labels, label_smoothing=0.1)
    assert torch.equal(choose_loss(OWN, "cross_entropy", 0.1)(logits, labels), smoothed)


def test_losses_that_do_not_go_with_the_network_or_the_recipe_are_refused():
    for name in ("rbf", "rbf_distance"):
        with pytest.raises(UsageError, match="RBF outputs, such as lenet5_1998"):
            choose_loss(name, "cross_entropy")
    for name in LOSSES.keys() - {"cross_entropy"}:
        with pytest.raises(UsageError, match="label_smoothing=0"):
            choose_loss(name, "rbf", 0.1)
    with pytest.raises(UsageError, match=r"unknown loss 'hing'.*'hinge'"):
        choose_loss("hing", "cross_entropy")
    with pytest.raises(UsageError, match=r"unknown loss 'hing'.*'hinge'"):
        Recipe(loss="hing")
    assert Recipe().override({"loss": "rbf_distance"}).loss == "rbf_distance"


def test_every_networks_own_loss_is_there():
    for name in ("lenet5_1998", "lenet5", "resnet18"):
        with torch.device("meta"):
            assert create_model(name).loss in LOSSES


def test_an_unknown_loss_is_told_with_those_there_are():
    with pytest.raises(UsageError) as error:
        choose_loss("xyz", "cross_entropy")
    names = "binary, cross_entropy, half_squared_error, hinge, own, rbf, rbf_distance, squared_error"
    assert str(error.value) == f"unknown loss 'xyz'. Known: {names}."


WEIGHTS = torch.tensor([0.5, 4.0, 1.0])
SOFT = torch.tensor([[0.7, 0.3, 0.0], [0.1, 0.2, 0.7]])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("labels", [F.one_hot(LABELS, 3).float(), SOFT])
def test_weighed_cross_entropy_is_pytorchs_of_shares(labels, smoothing):
    theirs = torch.nn.CrossEntropyLoss(WEIGHTS, label_smoothing=smoothing)(LOGITS, labels)
    ours = choose_loss("cross_entropy", "hinge", smoothing, WEIGHTS.double())
    torch.testing.assert_close(ours(LOGITS, labels), theirs)
    if labels is not SOFT:
        torch.testing.assert_close(ours(LOGITS, LABELS), theirs)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_class_counts_as_its_weight_says_in_every_loss(name):
    logits = -LOGITS.square()
    weighed, plain = choose_loss(name, "rbf", 0.0, WEIGHTS), LOSSES[name]
    alone = [plain(logits[row : row + 1], LABELS[row : row + 1]) for row in range(2)]
    wanted = (0.5 * alone[0] + 1.0 * alone[1]) / 2
    torch.testing.assert_close(weighed(logits, LABELS), wanted)
    torch.testing.assert_close(choose_loss(name, "rbf", 0.0, torch.ones(3))(logits, LABELS), plain(logits, LABELS))
    halves = (weighed(logits[:1], LABELS[:1]) + weighed(logits[1:], LABELS[1:])) / 2
    torch.testing.assert_close(halves, wanted)  # processes that share a batch take the mean of theirs
