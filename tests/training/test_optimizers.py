import copy

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models import Foreign, ModelSpec
from striate.training.optimizers import (
    OPTIMIZERS,
    create_optimizer,
    parameter_groups,
    rate_scales,
    regroup,
    set_rate,
)


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


def test_parts_have_the_rate_by_their_depth_below_the_head(small):
    """Stem, one, two, head: with a half the last stage has 1/2, the one before 1/4, the stem 1/8; heads have all."""
    network = small.network(auxiliary=True)
    scales = rate_scales(network, 0.5)
    assert scales.keys() == dict(network.named_parameters()).keys()
    wanted = {"stem": 0.125, "stages.one": 0.25, "stages.two": 0.5, "head": 1, "auxiliary": 1}
    for name, scale in scales.items():
        assert scale == next(value for part, value in wanted.items() if name.startswith(f"{part}."))
    assert rate_scales(network, 1.0) == {}
    # for each rate kernels and matrices, biases and norms: the stem's two, a stage's two, and those of all heads
    groups = parameter_groups(network, 0.01, scales)
    assert [(group["scale"], group["weight_decay"], len(group["params"])) for group in groups] == [
        *((0.125, 0.01, 1), (0.125, 0.0, 1), (0.25, 0.01, 1), (0.25, 0.0, 3), (0.5, 0.01, 1), (0.5, 0.0, 3)),
        *((1.0, 0.01, 3), (1.0, 0.0, 3)),
    ]
    network.freeze("one")
    assert {group["scale"] for group in parameter_groups(network, 0.01, scales)} == {0.5, 1}


def test_a_network_whose_parts_are_unknown_has_one_rate():
    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 3))

        def forward(self, x):
            return x.mean((2, 3)) @ self.weight.T

    whole = Foreign(Whole(), ModelSpec("whole"), 3, (4, 4))
    assert rate_scales(whole, 1.0) == {}
    with pytest.raises(
        UsageError, match=r"whole cannot be .* at a rate for each part: .*; make its layers modules"
    ) as e:
        rate_scales(whole, 0.5)
    assert "\n" not in str(e.value)


def test_each_group_has_its_share_of_the_rate_and_equal_shares_are_one_group():
    model = network()
    groups = parameter_groups(model, 0.01, {"0.weight": 0.3, "0.bias": 0.3})
    optimizer = create_optimizer("sgd", groups, 0.1, 0.9, nesterov=True)
    set_rate(optimizer, 0.7)
    rates = {name: group["lr"] for group in optimizer.param_groups for name in names_in(group, model)}
    assert rates == {name: 0.7 * 0.3 if name.startswith("0.") else 0.7 for name, _ in model.named_parameters()}
    plain, equal = parameter_groups(model, 0.01), parameter_groups(model, 0.01, dict.fromkeys(rates, 1.0))
    assert len(plain) == len(equal) == 2
    for mine, other in zip(plain, equal, strict=True):
        assert [id(one) for one in mine["params"]] == [id(one) for one in other["params"]]


def gradients(model: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        parameter.grad = drawn if parameter.requires_grad else None


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_is_trained_already_goes_on_when_more_is_trained(name):
    """Against two optimizers: one that had trained the end alone, and a fresh one for what is trained later."""

    def optimizer_for(model: nn.Module) -> torch.optim.Optimizer:
        return create_optimizer(name, parameter_groups(model, 0.05), 0.1, 0.8, nesterov=True)

    ours = network()
    theirs = copy.deepcopy(ours)
    ours[:2].requires_grad_(False)
    optimizer, of_the_end = optimizer_for(ours), optimizer_for(theirs[2:])
    for step in range(3):
        gradients(ours, step)
        for mine, other in zip(ours[2:].parameters(), theirs[2:].parameters(), strict=True):
            other.grad = mine.grad.clone()
        optimizer.step()
        of_the_end.step()
    kept = {id(one): [value.clone() for value in state.values()] for one, state in optimizer.state.items()}

    ours.requires_grad_(True)
    groups = parameter_groups(ours, 0.05)
    regroup(optimizer, groups)
    assert len(optimizer.param_groups) == 2
    assert [group["params"] for group in optimizer.param_groups] == [group["params"] for group in groups]
    for one, values in kept.items():
        state = next(state for parameter, state in optimizer.state.items() if id(parameter) == one)
        assert all(torch.equal(before, after) for before, after in zip(values, state.values(), strict=True))
    of_the_start = optimizer_for(theirs[:2])
    for step in range(3, 6):
        gradients(ours, step)
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            other.grad = mine.grad.clone()
        for one in (optimizer, of_the_end, of_the_start):
            one.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_what_is_frozen_goes(name):
    model = network()
    optimizer = create_optimizer(name, parameter_groups(model, 0.05), 0.1, 0.8, nesterov=True)
    gradients(model, 0)
    optimizer.step()
    model[:2].requires_grad_(False)
    regroup(optimizer, parameter_groups(model, 0.05))
    assert {id(parameter) for parameter in optimizer.state} == {id(parameter) for parameter in model[2:].parameters()}


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
