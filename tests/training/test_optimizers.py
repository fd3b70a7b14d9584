import copy

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.training.optimizers import OPTIMIZERS, create_optimizer, parameter_groups


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))


def names_in(group: dict, model: nn.Module) -> set[str]:
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    return {known[id(parameter)] for parameter in group["params"]}


def test_kernels_and_matrices_decay_biases_and_norms_do_not():
    model = network()
    decayed, spared = parameter_groups(model, 0.01)
    assert decayed["weight_decay"] == 0.01
    assert spared["weight_decay"] == 0
    assert names_in(decayed, model) == {"0.weight", "3.weight"}
    assert names_in(spared, model) == {"0.bias", "1.weight", "1.bias", "3.bias"}


def test_frozen_parameters_are_in_no_group_and_empty_groups_go():
    model = network()
    model[:3].requires_grad_(False)
    decayed, spared = parameter_groups(model, 0.01)
    assert names_in(decayed, model) == {"3.weight"}
    assert names_in(spared, model) == {"3.bias"}
    assert len(parameter_groups(nn.Linear(2, 2, bias=False), 0.01)) == 1


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("sgd", lambda groups: torch.optim.SGD(groups, 0.1, momentum=0.8, nesterov=True)),
        ("adam", lambda groups: torch.optim.Adam(groups, 0.1, betas=(0.8, 0.999))),
        ("adamw", lambda groups: torch.optim.AdamW(groups, 0.1, betas=(0.8, 0.999))),
        ("rmsprop", lambda groups: torch.optim.RMSprop(groups, 0.1, alpha=0.9, eps=1e-7, momentum=0.8)),
    ],
)
def test_each_name_steps_as_torchs_plain_optimizer(name, oracle):
    ours = network()
    theirs = copy.deepcopy(ours)
    optimizers = (
        create_optimizer(name, parameter_groups(ours, 0.05), 0.1, 0.8, nesterov=True),
        oracle(parameter_groups(theirs, 0.05)),
    )
    for _ in range(4):
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_listed_name_builds_without_momentum_too(name):
    model = network()
    optimizer = create_optimizer(name, parameter_groups(model, 0.0), 0.1, 0.0, nesterov=True)
    model(torch.randn(6, 2, 4, 4)).square().mean().backward()
    before = model[0].weight.detach().clone()
    optimizer.step()
    assert not torch.equal(before, model[0].weight)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_weight_decay_is_in_adams_gradient_and_beside_adamws(name):
    """One step by hand. Adam's first is of the rate's size whatever the gradient g: rate * g / (|g| + 1e-8)."""
    rate, decay, weights, gradient = 0.1, 0.5, torch.tensor([[2.0, -3.0]]), torch.tensor([[0.4, 1.0]])
    parameter = nn.Parameter(weights.clone())
    parameter.grad = gradient.clone()
    create_optimizer(name, [{"params": [parameter], "weight_decay": decay}], rate, 0.9, nesterov=False).step()
    if name == "adam":  # the decay turns the second gradient over
        wanted = weights - rate * (gradient + decay * weights).sign()
    else:
        wanted = weights * (1 - rate * decay) - rate * gradient.sign()
    torch.testing.assert_close(parameter.detach(), wanted)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UsageError, match=r"'adan'.*'adam' or 'adamw'"):
        create_optimizer("adan", parameter_groups(network(), 0.0), 0.1, 0.9, nesterov=False)
