"""A training that was interrupted and goes on is the one that was not, to the bit: every state by its own case."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from striate.augment import Augment
from striate.errors import StriateError
from striate.models import Foreign, ModelSpec
from striate.training.checkpoints import FORMAT, load_checkpoint
from striate.training.metrics import Evaluation
from striate.training.state import Position

#: One of each: what has a state beside the weights.
CASES = {
    "momentum": {},
    "adam and an average": {"optimizer": "adamw", "learning_rate": 0.01, "average": 0.9},
    "adam, its rate falling by epochs": {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "schedule": "staircase",
        "every": 1,
    },
    "rmsprop, clipped": {"optimizer": "rmsprop", "learning_rate": 0.003, "clip_norm": 0.5},
    "warm-up and augmentation": {"warmup_epochs": 2, "augment": Augment(crop_padding=2, rotate=9)},
}


def outcome(folder: Path) -> dict[str, object]:
    """Everything in the last checkpoint but the clock."""
    tensors, state = load_checkpoint(folder / "last.ckpt")
    position = {name: value for name, value in state.pop("position").items() if name not in ("timing", "seconds")}
    bits = {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
    return {**bits, **position, **state, "metrics": (folder / "metrics.csv").read_text()}


def interrupted(small, folder: Path, chosen, steps: int, **options):
    """A training that was interrupted after so many steps, and stands where its checkpoint left it."""
    run = small.training(folder, chosen, **options)
    small.stop_after(run, steps)
    assert run.train().stopped_by == "interrupted"
    again = small.training(folder, chosen, **options)
    again.restore()
    assert again.position.step == steps
    return again


def differences(first: Path, second: Path) -> list[str]:
    one, other = outcome(first), outcome(second)
    return [name for name in one | other if one.get(name) != other.get(name)]


#: What has a state while the trained set changes in epochs 2 (step 4) and 3 (step 8).
THAWING = {
    "momentum": {"clip_norm": 0.5},
    "adam and an average": {"optimizer": "adamw", "learning_rate": 0.01, "average": 0.9},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.003},
    "rates by part": {"stage_decay": 0.4, "schedule": "staircase", "every": 1},
    "auxiliary heads": {"average": 0.5},
}


def frozen(small, folder, chosen, case="", **options):
    """A training that begins frozen up to its first stage; one of these cases has heads on its stages."""
    torch.manual_seed(0)
    model = small.network(auxiliary=case == "auxiliary heads").freeze("one")
    return small.training(folder, chosen, model=model, **options)


def broken_off(small, begin, folder: Path, *steps: int):
    """A training that `begin` makes and that was interrupted after each of these numbers of steps in turn."""
    for step in steps:
        run = begin(folder)
        if run.run.checkpoint.exists():
            run.restore()
        small.stop_after(run, step)
        assert run.train().stopped_by == "interrupted"
    again = begin(folder)
    again.restore()
    assert again.position.step == steps[-1]
    return again


#: Exactly at a change; and in turn frozen as at first, just after a change, exactly at one, after all.
@pytest.mark.parametrize("steps", [(4,), (3, 5, 8, 11)])
@pytest.mark.parametrize("case", THAWING)
def test_a_trained_set_that_changes_comes_back(case, steps, tmp_path, small):
    chosen = small.recipe(unfreeze="2:stem,3:none", **THAWING[case])

    def begin(folder):
        return frozen(small, folder, chosen, case)

    whole = begin(tmp_path / "whole")
    whole.train()
    again = broken_off(small, begin, tmp_path / "broken", *steps)
    # the set that the checkpoint was written with: that of the epoch of its last step
    assert again.trained.frozen == ("one", "stem", "none")[(steps[-1] - 1) // 4]
    again.train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []
    assert {name for name in outcome(tmp_path / "whole") if name.startswith("optimizer/")} >= {
        f"optimizer/{name}/{'momentum_buffer' if whole.recipe.optimizer == 'sgd' else 'step'}"
        for name, _ in whole.module.named_parameters()
    }


def test_a_checkpoint_of_frozen_training_knows_nothing_of_what_is_frozen(tmp_path, small):
    run = frozen(small, tmp_path, small.recipe(unfreeze="2:none"))
    small.stop_after(run, 3)
    run.train()
    tensors, state = load_checkpoint(tmp_path / "last.ckpt")
    assert {**state["trained"], "sealed": len(state["trained"]["sealed"])} == {"frozen": "one", "since": 0, "sealed": 9}
    kept = {name.split("/")[1] for name in tensors if name.startswith("optimizer/")}
    assert kept == {name for name, weight in run.module.named_parameters() if weight.requires_grad}
    assert kept
    assert not any(name.startswith(("stem", "stages.one")) for name in kept)


def test_an_extension_goes_on_with_what_was_unfrozen_and_unfreezes_what_is_due(tmp_path, small):
    chosen = small.recipe(unfreeze="2:stem,4:none", epochs=2)

    def begin(folder):
        return frozen(small, folder, chosen)

    begin(tmp_path / "whole").train()
    (tmp_path / "broken").mkdir()
    shutil.copy(tmp_path / "whole" / "last.ckpt", tmp_path / "broken" / "last.ckpt")
    outcomes = []
    for folder, stops in (("whole", ()), ("broken", (9, 12, 13))):
        run = begin(tmp_path / folder)
        run.restore()
        run.extend(3)
        for step in stops:
            small.stop_after(run, step)
            run.train()
            run = begin(tmp_path / folder)
            run.restore()
        assert run.trained.frozen == ("none" if stops else "stem")
        run.train()
        outcomes.append(run.trained.state())
    assert outcomes == [{"frozen": "none", "since": 12, "sealed": {}}] * 2
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


@pytest.mark.parametrize("steps", [(3,), (8,), (6, 9)])
def test_the_scale_of_16_bit_gradients_goes_on_through_a_change(steps, tmp_path, small):
    """With a scale that overflows in the first steps after each change."""
    chosen = small.recipe(unfreeze="2:stem,3:none", clip_norm=1.0)

    def begin(folder):
        run = frozen(small, folder, chosen, fabric=small.half_precision())
        run.update.scaler.load_state_dict(run.update.state() | {"scale": 2.0**30, "growth_interval": 2})
        return run

    whole = begin(tmp_path / "whole")
    whole.train()
    assert whole.update.state()["scale"] < 2.0**30
    broken_off(small, begin, tmp_path / "broken", *steps).train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


def test_a_plateau_comes_back_with_a_trained_set_that_changes(tmp_path, small, monkeypatch):
    labels = np.arange(32) % 2
    flat = Evaluation(("above", "below"), labels, np.eye(2)[labels], loss=0.5)
    monkeypatch.setattr("striate.training.validation.evaluate", lambda *arguments: flat)
    chosen = small.recipe(epochs=6, schedule="plateau", patience=1, gamma=0.5, unfreeze="3:stem,5:none")

    def begin(folder):
        return frozen(small, folder, chosen)

    whole = begin(tmp_path / "whole").train()
    assert [row["learning_rate"] / 0.05 for row in whole.history] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    broken_off(small, begin, tmp_path / "broken", 7, 8, 10, 16, 17).train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


def somebody_elses(until: str) -> Foreign:
    """A module with two parts, a bare weight, and weights that its author fixed, frozen up to its first part."""

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.low = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2))
            self.mid = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
            self.shift = nn.Parameter(torch.zeros(4, 1, 1))
            self.fixed = nn.Parameter(torch.ones(6, 1, 1), requires_grad=False)
            self.last = nn.Linear(6, 2)

        def forward(self, x):
            return self.last((self.mid(self.low(x) + self.shift) * self.fixed).mean((2, 3)))

    torch.manual_seed(0)
    return Foreign(Own(), ModelSpec("own"), 1, (12, 12)).freeze(until)


@pytest.mark.parametrize("steps", [(3,), (4,), (6,)])
def test_somebody_elses_network_comes_back_with_a_trained_set_that_changes(steps, tmp_path, small):
    chosen = small.recipe(unfreeze="2:none", stage_decay=0.5, average=0.9)

    def begin(folder):
        return small.training(folder, chosen, model=somebody_elses("mid"))

    whole = begin(tmp_path / "whole")
    whole.train()
    broken_off(small, begin, tmp_path / "broken", *steps).train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []
    assert whole.module.module.fixed.eq(1).all()
    assert whole.module.module.shift.ne(0).any()


def test_a_trained_set_of_another_network_does_not_fit(tmp_path, small):
    run = frozen(small, tmp_path, small.recipe(unfreeze="2:stem"))
    run.train()
    other = small.training(tmp_path, small.recipe(), model=small.stateless())
    with pytest.raises(StriateError):
        other.restore()


@pytest.mark.parametrize("steps", [4, 6])  # between two epochs, and within one
@pytest.mark.parametrize("case", CASES)
def test_every_state_comes_back(case, steps, tmp_path, small):
    chosen = small.recipe(**CASES[case])
    small.training(tmp_path / "whole", chosen).train()
    interrupted(small, tmp_path / "broken", chosen, steps).train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


def test_auxiliary_heads_and_their_sums_come_back(tmp_path, small):
    chosen = small.recipe(average=0.9)
    small.training(tmp_path / "whole", chosen, auxiliary=True).train()
    interrupted(small, tmp_path / "broken", chosen, 6, auxiliary=True).train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


def test_the_scale_of_16_bit_gradients_comes_back(tmp_path, small):
    def begin(folder):
        run = small.training(folder, small.recipe(clip_norm=1.0), fabric=small.half_precision())
        run.update.scaler.load_state_dict(run.update.state() | {"scale": 2.0**40, "growth_interval": 3})
        return run

    begin(tmp_path / "whole").train()
    broken = begin(tmp_path / "broken")
    small.stop_after(broken, 6)
    broken.train()
    kept = broken.update.state()
    assert kept["scale"] < 2.0**40
    again = small.training(tmp_path / "broken", small.recipe(clip_norm=1.0), fabric=small.half_precision())
    again.restore()
    assert again.update.state() == kept
    again.train()
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


def test_a_plateaus_patience_and_rate_come_back(tmp_path, small, monkeypatch):
    labels = np.arange(32) % 2
    flat = Evaluation(("above", "below"), labels, np.eye(2)[labels], loss=0.5)
    monkeypatch.setattr("striate.training.validation.evaluate", lambda *arguments: flat)
    chosen = small.recipe(epochs=7, schedule="plateau", patience=1, gamma=0.5)
    whole = small.training(tmp_path / "whole", chosen).train()
    rates = [row["learning_rate"] / 0.05 for row in whole.history]
    assert rates == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
    for steps in (8, 10, 14):
        folder = tmp_path / f"broken{steps}"
        interrupted(small, folder, chosen, steps).train()
        assert differences(tmp_path / "whole", folder) == []


def test_the_best_so_far_comes_back_and_its_rows(tmp_path, small):
    saved: list[float] = []
    run = small.training(tmp_path, small.recipe(), save=lambda network, best, _: saved.append(best["epoch"]))
    small.stop_after(run, 9)
    best = dict(run.train().best)
    rows = [dict(row) for row in run.position.history]
    again = small.training(tmp_path, small.recipe())
    again.restore()
    assert again.position.best == best
    assert again.position.history == rows
    assert len(again.position.timing) == 2


def test_a_checkpoint_of_an_earlier_version_is_read(tmp_path, small):
    small.training(tmp_path, small.recipe(epochs=1)).train()
    path = tmp_path / "last.ckpt"
    with safe_open(path, framework="pt") as file:
        state = json.loads(file.metadata()[FORMAT])
    position = state["position"] | {"best_loss": 0.4, "epochs_since_best_loss": 2}
    position["timing"] = [{"epoch": 1, "seconds": 1.5, "images_per_second": 9.0, "loading_share": 0.1}]
    read = Position.from_state(position)
    assert read.epoch == 1
    assert read.timing == [
        {"epoch": 1, "seconds": 1.5, "validation_seconds": "", "images_per_second": 9.0, "loading_share": 0.1}
    ]
    with pytest.raises(TypeError):
        Position.from_state(position | {"of_tomorrow": 1})


def test_sums_of_another_network_do_not_fit(tmp_path, small):
    run = small.training(tmp_path, small.recipe())
    small.stop_after(run, 2)
    run.train()
    again = small.training(tmp_path, small.recipe())
    again.sums.names.append("train_other_loss")
    again.sums.reset()
    with pytest.raises(StriateError, match="does not fit the run's network and recipe"):
        again.restore()


def test_random_state_moves_on_between_the_steps(tmp_path, small):
    """Dropout draws from it: a checkpoint that kept no state, or an early one, would show."""
    run = small.training(tmp_path, small.recipe())
    start = torch.get_rng_state()
    small.stop_after(run, 3)
    run.train()
    kept = load_checkpoint(tmp_path / "last.ckpt")[0]["random/cpu"]
    assert not torch.equal(kept, start)
    assert torch.equal(kept, torch.get_rng_state())
