"""What trains while, and after, a part of the network is frozen: nothing of the frozen moves, all of the rest does."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.training.recipes import Recipe
from striate.training.statistics import _training_norms
from striate.training.trained_set import TrainedSet, check_parts, in_words

THAWING = {"unfreeze": "2:stem,3:none", "epochs": 3, "average": 0.9, "clip_norm": 0.5}


def by_epoch(small, folder, chosen, **options):
    """A training that begins frozen up to `one`, and what its network and average were after each epoch."""
    model = small.network().freeze("one")
    run = small.training(folder, chosen, model=model, **options)
    seen = [snapshot(run)]
    finish = run.finish_epoch

    def keep():
        finish()
        seen.append(snapshot(run))

    run.finish_epoch = keep
    run.train()
    return run, seen


def snapshot(run):
    networks = {"model": run.module} | ({"average": run.average.model} if run.average else {})
    return {
        f"{kind} {name}": tensor.clone()
        for kind, network in networks.items()
        for name, tensor in network.state_dict().items()
    }


def moved(before, after):
    return {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_frozen_is_frozen_to_the_bit_and_the_rest_moves(optimizer, tmp_path, small):
    chosen = small.recipe(**THAWING, optimizer=optimizer, learning_rate=0.01)
    _, seen = by_epoch(small, tmp_path, chosen)
    of = {part: {name for name in seen[0] if part in name} for part in ("stem", "stages.one", "stages.two", "head")}
    without = {name for name in seen[0] if name.endswith((".0.bias", "stem.bias"))}  # a norm takes it away
    trains = [of["stages.two"] | of["head"]]
    trains += [trains[0] | of["stages.one"], trains[0] | of["stages.one"] | of["stem"]]
    for before, after, trained in zip(seen, seen[1:], trains, strict=False):
        found = moved(before, after)
        assert found <= trained
        assert found >= trained - without


def drawn(make):
    """A network with the same first weights each time."""
    torch.manual_seed(0)
    return make()


def test_the_whole_training_is_one_that_was_frozen_and_one_that_was_not(tmp_path, small):
    """Without momentum and statistics to carry over, two trainings after each other are the same as one."""
    plain = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "epochs": 2}
    chosen = small.recipe(**plain, unfreeze="2:none")
    run = small.training(tmp_path / "one", chosen, model=drawn(small.stateless).freeze())
    run.train()
    once = small.recipe(**plain | {"epochs": 1})
    first = small.training(tmp_path / "two", once, model=drawn(small.stateless).freeze())
    first.train()
    second = small.training(tmp_path / "three", small.recipe(**plain), model=first.module.unfreeze())
    second.position.epoch, second.position.step = 1, 4
    second.train()
    for name, tensor in run.module.state_dict().items():
        assert torch.equal(tensor, second.module.state_dict()[name]), name


def test_norms_go_into_training_with_their_part_and_are_measured_anew(tmp_path, small):
    chosen = small.recipe(epochs=2, unfreeze="2:none", average=0.9)
    run, _ = by_epoch(small, tmp_path, chosen)
    assert run.trained.since == 4
    assert len(_training_norms(run.average.model)) == len(_training_norms(run.module)) == 2
    assert not any(weight.requires_grad for weight in run.average.model.parameters())
    assert all(layer.training for layer in run.model.train().modules())
    assert not any(layer.training for layer in run.average.model.modules())

    words = run.trained.change("one", 8, run.optimizer.optimizer, run.average)
    assert words == "stem to one still frozen"
    for network in (run.module, run.average.model):
        assert network.frozen == ("stem", "one")
        (norm,) = _training_norms(network)
        assert norm is network.stages.two[1]
    assert not any(layer.training for layer in run.module.train().stages.one.modules())
    assert run.trained.since == 8


@pytest.mark.parametrize(("since", "measured"), [(0, False), (150, True)])
def test_training_is_young_again_when_more_trains(since, measured, tmp_path, small, monkeypatch):
    asked = []
    monkeypatch.setattr("striate.training.loop.measure", lambda *arguments: asked.append(True))
    run = small.training(tmp_path, small.recipe())
    run.position.step, run.trained.since = 200, since
    run.settle_statistics()
    assert bool(asked) == measured


def test_no_gradient_is_left_of_what_is_frozen(small):
    network = small.network()
    chosen = Recipe()
    trained = TrainedSet(network, chosen)
    optimizer = torch.optim.SGD(trained.groups(), 0.1)
    for parameter in network.parameters():
        parameter.grad = torch.full_like(parameter, 1e9)
    trained.change("two", 0, optimizer, None)
    assert all(weight.grad is None for part in network.parts().values() for weight in part.parameters())
    assert nn.utils.clip_grad_norm_(network.head.parameters(), 1.0) > 1e9


def test_each_step_is_told_once(tmp_path, small):
    said: list[str] = []

    class Told(small.Watch().progress.__class__):
        def message(self, text):
            said.append(text)

    by_epoch(small, tmp_path, small.recipe(**THAWING | {"epochs": 5}), progress=Told())
    assert said == [
        "epoch 2: one trained from here on; stem still frozen",
        "epoch 3: stem trained from here on; nothing is frozen any more",
    ]
    assert in_words(("stem", "a", "b"), ("stem",)) == "a to b trained from here on; stem still frozen"


def test_rates_by_part_reach_the_steps(tmp_path, small):
    """SGD without momentum moves each weight by its part's share of the rate: hand-made from two trainings."""
    chosen = {"epochs": 1, "momentum": 0.0, "weight_decay": 0.0, "schedule": "constant", "learning_rate": 1.0}
    moves = []
    for decay in (1.0, 0.25):
        recipe = small.recipe(**chosen, stage_decay=decay)
        run = small.training(tmp_path / str(decay), recipe, model=drawn(small.stateless))
        before = {name: tensor.clone() for name, tensor in run.module.state_dict().items()}
        run.model.train()
        run.train_step(next(iter(run.train_batches.epoch(0))))
        moves.append({name: tensor - before[name] for name, tensor in run.module.state_dict().items()})
    shares = {"head.classifier": 1, "stages.one": 0.25, "stem": 0.0625}
    for name, move in moves[1].items():
        share = next(value for part, value in shares.items() if name.startswith(part))
        torch.testing.assert_close(move, share * moves[0][name], rtol=1e-3, atol=1e-7)
        assert move.abs().max() > 0


@pytest.mark.parametrize(
    ("until", "fields"),
    [("three", {}), (None, {"unfreeze": "2:none"}), ("one", {"unfreeze": "2:three"})],
)
def test_parts_that_a_network_does_not_have_are_refused(until, fields, small):
    with pytest.raises(UsageError):
        check_parts(small.network(), until, Recipe(**fields))


def test_a_network_is_frozen_as_it_is_to_begin(small):
    network = small.network()
    check_parts(network, "one", Recipe(unfreeze="2:none", stage_decay=0.5))
    assert network.frozen == ("stem", "one")
