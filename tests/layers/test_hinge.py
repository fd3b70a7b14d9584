"""Hinge losses against numbers by hand, scikit-learn and torch."""

import pytest
import sklearn.metrics
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import HINGES, HingeLoss


@pytest.mark.parametrize(
    ("kind", "plain", "squared"),
    [
        # scores 0.5, 2, -3 and 1.2 with class 0 right: 1 - 0.5; then 1 + s of the others, 3, 0 and 2.2
        ("one_versus_rest", 0.5 + 3 + 2.2, 0.25 + 9 + 4.84),
        # 1 + s - 0.5 of the others: 2.5, 0 and 1.7
        ("crammer_singer", 2.5, 6.25),
        ("weston_watkins", 2.5 + 1.7, 6.25 + 2.89),
    ],
)
def test_by_hand(kind, plain, squared):
    scores, labels = torch.tensor([[0.5, 2.0, -3.0, 1.2]]), torch.tensor([0])
    assert HingeLoss(kind)(scores, labels).item() == pytest.approx(plain)
    assert HingeLoss(kind, squared=True)(scores, labels).item() == pytest.approx(squared)


def test_peers():
    scores, labels = 2 * torch.randn(50, 7, dtype=torch.float64), torch.arange(50) % 7
    theirs = sklearn.metrics.hinge_loss(labels.numpy(), scores.numpy())
    assert HingeLoss("crammer_singer")(scores, labels).item() == pytest.approx(theirs)
    for squared in (False, True):
        for margin in (0.5, 1.0):
            theirs = nn.MultiMarginLoss(2 if squared else 1, margin)(scores, labels) * 7  # torch divides by K
            ours = HingeLoss("weston_watkins", margin=margin, squared=squared)(scores, labels)
            torch.testing.assert_close(ours, theirs)
    machines = [sklearn.metrics.hinge_loss((labels == j).numpy(), scores[:, j].numpy()) for j in range(7)]
    assert HingeLoss("one_versus_rest")(scores, labels).item() == pytest.approx(sum(machines))


@pytest.mark.parametrize("kind", HINGES)
def test_clear_decisions_cost_nothing_and_gradients_are_right(kind):
    scores = torch.tensor([[4.0, -2, -1], [-3, 5, -2]], dtype=torch.float64)
    assert HingeLoss(kind)(scores, torch.tensor([0, 1])) == 0
    assert HingeLoss(kind)(scores, torch.tensor([1, 1])) > 0
    unclear = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: HingeLoss(kind, squared=True)(s, torch.tensor([0, 1, 4, 2])), (unclear,))


@pytest.mark.parametrize("kind", HINGES)
def test_a_linear_layer_learns_by_it(kind):
    torch.manual_seed(0)
    x, labels = torch.randn(60, 8), torch.arange(60) % 3
    x[range(60), labels] += 4
    layer = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    for _ in range(60):
        optimizer.zero_grad()
        HingeLoss(kind)(layer(x), labels).backward()
        optimizer.step()
    assert (layer(x).argmax(1) == labels).float().mean() > 0.95


def test_wrong_use():
    with pytest.raises(UsageError, match="'crammer_singer'"):
        HingeLoss("cramer_singer")
    with pytest.raises(UsageError, match="margin is 0"):
        HingeLoss(margin=0)
    for scores, labels in ((torch.zeros(2, 1), torch.zeros(2)), (torch.zeros(2, 3), torch.zeros(3))):
        with pytest.raises(UsageError, match="labels"):
            HingeLoss()(scores, labels.long())


def test_scores_of_places_are_no_scores_of_images():
    with pytest.raises(UsageError, match=r"not \(2, 3, 4\) and \(2,\)"):
        HingeLoss()(torch.zeros(2, 3, 4), torch.zeros(2).long())
