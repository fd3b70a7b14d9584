"""What a step minimises, on one logit or several, with heads on inner stages or without: against sums by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from striate.errors import UsageError
from striate.models import ConvNet
from striate.training.objective import Objective
from striate.training.recipes import Recipe
from striate.training.tasks import SingleLabel

LABELS = torch.tensor([0, 1, 1, 0, 1])


def network(outputs: int, heads: int = 0, loss: str = "cross_entropy") -> ConvNet:
    """Linear all through, with a head on each of the first `heads` of its two stages."""
    torch.manual_seed(outputs)
    stages = {"one": nn.Conv2d(2, 3, 1), "two": nn.Conv2d(3, 3, 1)}

    def head() -> nn.Sequential:
        parts = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        parts.add_module("classifier", nn.Linear(3, outputs))
        return parts

    inner = {name: head() for name in list(stages)[:heads]} or None
    weight = 0.5 if heads else 0.0
    return ConvNet(
        nn.Conv2d(1, 2, 1),
        stages,
        dict(head().named_children()),
        in_channels=1,
        auxiliary=inner,
        auxiliary_weight=weight,
        loss=loss,
    )


def classes(count: int) -> SingleLabel:
    """The task of telling so many classes apart."""
    return SingleLabel(tuple("abcde"[:count]))


def outputs_of(model: ConvNet, images: torch.Tensor) -> list[torch.Tensor]:
    """Raw outputs of the head and of the auxiliary heads, layer by layer."""
    one = model.stages.one(model.stem(images))
    two = model.stages.two(one)
    places = {"one": one, "two": two}
    return [model.head(two), *(head(places[name]) for name, head in model.auxiliary.items())]


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(9)
    return torch.randn(5, 1, 4, 4)


@pytest.mark.parametrize("heads", [0, 1, 2])
def test_one_logit_is_measured_as_a_sigmoid_in_every_head(heads, images):
    model = network(1, heads)
    found = Objective(model, Recipe(), classes(2))(model, images, LABELS)
    raw = outputs_of(model, images)
    parts = [F.binary_cross_entropy_with_logits(each[:, 0], LABELS.float()) for each in raw]
    total = parts[0] + 0.5 * sum(parts[1:])
    torch.testing.assert_close(found.loss, total)
    torch.testing.assert_close(torch.stack(found.parts), torch.stack([*parts, total] if heads else parts))
    torch.testing.assert_close(found.logits.softmax(1)[:, 1], raw[0][:, 0].sigmoid())


@pytest.mark.parametrize("heads", [0, 2])
def test_loss_smoothing_and_weight_are_the_recipes(heads, images):
    model = network(3, heads, loss="hinge")
    weight = 0.2 if heads else 0.0
    chosen = Recipe(loss="cross_entropy", label_smoothing=0.3, auxiliary_weight=weight)
    found = Objective(model, chosen, classes(3))(model, images, LABELS)
    parts = [F.cross_entropy(each, LABELS, label_smoothing=0.3) for each in outputs_of(model, images)]
    torch.testing.assert_close(found.loss, parts[0] + weight * sum(parts[1:]))


@pytest.mark.parametrize("heads", [0, 2])
def test_otherwise_they_are_the_networks_own(heads, images):
    model = network(3, heads, loss="hinge")
    found = Objective(model, Recipe(), classes(3))(model, images, LABELS)
    raw = outputs_of(model, images)
    parts = []
    for logits in raw:
        excess = [
            [max(0.0, s - row[label] + 1) for s in row] for row, label in zip(logits.tolist(), LABELS, strict=True)
        ]
        parts.append(sum(sum(row) - 1 for row in excess) / 5)
    assert found.loss.item() == pytest.approx(parts[0] + 0.5 * sum(parts[1:]), rel=1e-5)
    torch.testing.assert_close(found.logits, raw[0])


def test_the_figures_are_named_in_the_order_of_the_parts(images):
    for heads, names in ((0, []), (1, ["train_one_loss"]), (2, ["train_one_loss", "train_two_loss"])):
        model = network(2, heads)
        objective = Objective(model, Recipe(), classes(2))
        assert objective.figures == ["train_loss", *names, *(["train_total_loss"] if heads else [])]
        assert len(objective(model, images, LABELS).parts) == len(objective.figures)


def test_the_loss_teaches_every_head(images):
    model = network(2, 2)
    Objective(model, Recipe(), classes(2))(model, images, LABELS).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_what_does_not_go_together_is_refused_at_once():
    with pytest.raises(UsageError, match="RBF outputs"):
        Objective(network(2), Recipe(loss="rbf"), classes(2))
    with pytest.raises(UsageError, match="built without auxiliary"):
        Objective(network(2), Recipe(auxiliary_weight=0.3), classes(2))
