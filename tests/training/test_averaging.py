import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from striate.training.averaging import WeightAverage


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 16, 2))


def train_step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    model(torch.randn(5, 3, 6, 6)).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()


def test_the_average_follows_the_formula_and_forgets_the_start_quickly():
    model = nn.Linear(2, 1)
    average = WeightAverage(model, decay=0.5)
    expected = model.weight.detach().double().clone()
    for step in range(1, 25):
        with torch.no_grad():
            model.weight.add_(torch.randn(1, 2))
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach().double()
        torch.testing.assert_close(average.model.weight.double(), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_with_constant_decay_it_is_torchs_average_buffers_included(memory_format):
    model = network().to(memory_format=memory_format)
    decay = 0.1  # below (1 + 1) / (10 + 1), so constant from the first step on
    ours = WeightAverage(model, decay)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    theirs.update_parameters(model)  # the first call copies
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for step in range(1, 6):
        train_step(model, optimizer)
        ours.update(step)
        theirs.update_parameters(model)
    expected = theirs.module.state_dict()
    for name, tensor in ours.model.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, expected[name], msg=name)
    assert not torch.equal(ours.model[1].running_mean, model[1].running_mean)


def test_counters_are_copied():
    model = network()
    average = WeightAverage(model, 0.9)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in (1, 2, 3):
        train_step(model, optimizer)
        average.update(step)
    assert average.model[1].num_batches_tracked.item() == 3


def test_frozen_parameters_stay_bit_for_bit():
    model = network()
    model[0].requires_grad_(False)
    before = copy.deepcopy(model[0].state_dict())
    average = WeightAverage(model, 0.9)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for step in range(1, 20):
        train_step(model, optimizer)
        average.update(step)
    for name, tensor in average.model[0].state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not torch.equal(average.model[3].weight, model[3].weight)


def test_the_average_is_a_network_of_its_own_that_takes_no_gradient_and_evaluates():
    model = network().train()
    average = WeightAverage(model, 0.9)
    assert model.training
    assert not any(module.training for module in average.model.modules())
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    storages = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert storages.isdisjoint(tensor.data_ptr() for tensor in average.model.state_dict().values())


def test_it_goes_on_from_loaded_weights():
    model = network()
    first = WeightAverage(model, 0.9)
    state = {name: torch.full_like(tensor, 3) for name, tensor in first.model.state_dict().items()}
    first.model.load_state_dict(state)
    model.load_state_dict({name: torch.full_like(tensor, 5) for name, tensor in model.state_dict().items()})
    first.update(1000)
    torch.testing.assert_close(first.model[0].weight, torch.full_like(model[0].weight, 3.2))
