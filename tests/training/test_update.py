"""Clipping measures true gradients in every precision; a step that overflows is left out and spoils nothing."""

import copy

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from striate.training.optimizers import OPTIMIZERS, create_optimizer, parameter_groups
from striate.training.update import Update

X = torch.tensor([[3.0, 4.0], [1.0, 2.0]])


def dense(rate: float, clip_norm: float, fabric: Fabric, name: str = "sgd") -> tuple[nn.Linear, Update]:
    """A dense layer of two inputs whose weights are zero, and what updates it."""
    layer = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(layer.weight)
    optimizer = create_optimizer(name, parameter_groups(layer, 0), rate, 0.9, nesterov=False)
    _, wrapped = fabric.setup(layer, optimizer)
    return layer, Update(fabric, layer, wrapped, clip_norm)


@pytest.fixture
def fabric(request, small) -> Fabric:
    if request.param == "16-mixed":
        return small.half_precision()
    return Fabric(accelerator="cpu", devices=1, precision=request.param)


every_precision = pytest.mark.parametrize("fabric", ["32-true", "bf16-mixed", "16-mixed"], indirect=True)


@every_precision
def test_a_clipped_step_has_the_length_of_the_norm_times_the_rate(fabric):
    layer, update = dense(0.5, 2.0, fabric)
    update(30 * layer(X[:1]).sum())  # the gradient is (90, 120), of length 150: clipped to (1.2, 1.6)
    assert torch.allclose(layer.weight, torch.tensor([[-0.6, -0.8]]), atol=1e-4)
    assert layer.weight.grad is None


@every_precision
def test_gradients_below_the_norm_are_left_alone(fabric):
    layer, update = dense(0.5, 1000.0, fabric)
    update(layer(X[:1]).sum())
    assert torch.allclose(layer.weight, torch.tensor([[-1.5, -2.0]]))
    assert torch.allclose(update.optimizer.optimizer.state[layer.weight]["momentum_buffer"], X[:1])


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_that_overflows_changes_nothing_and_halves_the_scale(name, clip_norm, small):
    junk = [torch.full((1, 2), 7e7) for _ in range(50)]  # what uninitialised memory may hold
    del junk
    layer, update = dense(0.1, clip_norm, small.half_precision(), name)
    twin, reference = dense(0.1, clip_norm, small.half_precision(), name)
    before = update.state()["scale"]
    update(layer(X[:1]).sum() * float("inf"))
    assert layer.weight.eq(0).all()
    assert update.state()["scale"] == before / 2
    for _ in range(3):
        update(layer(X).sum())
        reference(twin(X).sum())
    assert torch.allclose(layer.weight, twin.weight, rtol=1e-4)
    assert layer.weight.ne(0).all()


@every_precision
def test_momenta_begin_at_zero_where_a_first_step_may_be_left_out(fabric):
    layer, update = dense(0.1, 0.0, fabric)
    momentum = update.optimizer.optimizer.state[layer.weight].get("momentum_buffer")
    if update.scaler is None:
        assert momentum is None
    else:
        assert momentum.eq(0).all()


def test_the_scale_comes_back_and_only_where_there_is_one(small):
    layer, update = dense(0.1, 0.0, small.half_precision())
    update(layer(X).sum() * float("inf"))
    update(layer(X).sum())
    kept = copy.deepcopy(update.state())
    assert kept["scale"] == 32768
    assert kept["_growth_tracker"] == 1
    _, again = dense(0.1, 0.0, small.half_precision())
    again.restore(kept)
    assert again.state() == kept
    _, plain = dense(0.1, 0.0, Fabric(accelerator="cpu", devices=1))
    assert plain.state() == {}
    plain.restore({})


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_training_in_16_bit_learns_what_it_learns_in_32(clip_norm, tmp_path, small):
    chosen = small.recipe(epochs=8, clip_norm=clip_norm)
    full = small.training(tmp_path / "full", chosen).train().history
    half = small.training(tmp_path / "half", chosen, fabric=small.half_precision()).train().history
    assert full[-1]["train_loss"] < 0.8 * full[0]["train_loss"]
    assert half[-1]["train_loss"] == pytest.approx(full[-1]["train_loss"], abs=0.12)
