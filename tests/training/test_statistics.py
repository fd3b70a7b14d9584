"""Batch-norm statistics fit the weights also after few steps, and nothing else is touched."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from striate.training.batches import Batch
from striate.training.statistics import measure, young


def batches(small, count: int = 3) -> list[Batch]:
    generator = torch.Generator().manual_seed(3)
    shape = (16, 1, 12, 12)
    made = [torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8) for _ in range(count)]
    return [Batch(images, torch.zeros(16, dtype=torch.int64)) for images in made]


def test_statistics_are_torchs_for_averaged_weights(small):
    model = small.network()
    model.train()(torch.randn(8, 1, 12, 12))
    twin = copy.deepcopy(model)
    twin.head[2].p = 0.0
    measure(model, batches(small), small.LOOK)
    update_bn([small.LOOK.normalise(images) for images, _ in batches(small)], twin)
    for name, tensor in model.state_dict().items():
        if "num_batches" not in name:
            assert torch.allclose(tensor, twin.state_dict()[name], atol=1e-6), name


def test_counters_momenta_modes_and_random_numbers_stay(small):
    model = small.network()
    model.train()(torch.randn(8, 1, 12, 12))
    state, weights = torch.get_rng_state(), {name: value.clone() for name, value in model.named_parameters()}
    for mode in (True, False):
        model.train(mode)
        measure(model, batches(small), small.LOOK)
        assert {layer.training for layer in model.modules()} == {mode}
    assert torch.equal(torch.get_rng_state(), state)
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [(layer.momentum, layer.num_batches_tracked.item()) for layer in norms] == [(0.1, 1), (0.1, 1)]
    assert all(torch.equal(value, weights[name]) for name, value in model.named_parameters())


def test_frozen_parts_and_auxiliary_heads_keep_theirs(small):
    model = small.network(auxiliary=True)
    model.auxiliary["one"].add_module("norm", nn.BatchNorm1d(2))
    model.auxiliary["one"].norm.running_mean.fill_(7)
    model.stages.one[1].running_mean.fill_(7)
    model.freeze("one")
    measure(model, batches(small), small.LOOK)
    assert model.stages.one[1].running_mean.eq(7).all()
    assert model.auxiliary["one"].norm.running_mean.eq(7).all()
    assert model.stages.two[1].running_mean.ne(0).all()
    assert not model.stages.one.training


def test_weights_in_double_precision_are_measured_in_it(small):
    model = small.network().double()
    measure(model, batches(small), small.LOOK)
    assert model.stages.one[1].running_mean.dtype == torch.float64


@pytest.mark.parametrize(("step", "momentum", "expected"), [(99, 0.1, True), (100, 0.1, False), (999, 0.01, True)])
def test_training_is_young_for_ten_spans_of_its_slowest_norm(step, momentum, expected, small):
    model = small.network()
    model.stages.two[1].momentum = momentum
    assert young(model, step) is expected


@pytest.mark.parametrize(("step", "expected"), [(9, True), (10, False)])
def test_a_plain_mean_remembers_everything_and_is_young_for_ten_steps(step, expected, small):
    model = small.network()
    model.stages.one[1].momentum = model.stages.two[1].momentum = None
    assert young(model, step) is expected


def test_a_network_without_norms_or_with_frozen_ones_is_never_young(small):
    assert not young(nn.Linear(2, 2), 1)
    assert not young(small.network().freeze("all"), 1)


def test_after_a_few_wild_steps_the_validation_loss_is_sound(tmp_path, small, monkeypatch):
    """Trailing statistics would tell of a loss many times the true one, and the network saved would have it."""

    def losses(folder: str) -> list[float]:
        model = small.network()
        chosen = small.recipe(epochs=2, learning_rate=2.0, clip_norm=1.0)
        return [row["val_loss"] for row in small.training(tmp_path / folder, chosen, model=model).train().history]

    settled = losses("settled")
    monkeypatch.setattr("striate.training.loop.young", lambda model, step: False)
    trailing = losses("trailing")
    assert max(settled) < 2
    assert max(trailing) > 2 * max(settled)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_what_is_saved_has_the_statistics_that_were_validated(average, tmp_path, small):
    saved = []
    run = small.training(tmp_path, small.recipe(epochs=1, average=average), save=lambda net, *_: saved.append(net))
    run.train()
    fresh = copy.deepcopy(saved[-1])
    measure(fresh, run.train_batches.epoch(0), small.LOOK)
    for name, tensor in saved[-1].state_dict().items():
        assert torch.allclose(tensor, fresh.state_dict()[name], atol=1e-6), name
