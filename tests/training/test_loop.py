"""The loop against a hand-written one, and what ends it, bends it or breaks it."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch.nn import functional

from striate.augment import Augment
from striate.data import ArrayImages, Preprocessing, Split
from striate.errors import StriateError
from striate.models import create_model
from striate.training.batches import Batches
from striate.training.checkpoints import load_checkpoint, save_checkpoint
from striate.training.loop import Training
from striate.training.material import Material
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.tasks import SingleLabel
from striate.training.watch import Watch

LOOK = Preprocessing((28, 28), 1, (0.5,), (0.25,))


def split(name: str, count: int, seed: int) -> Split:
    """Two classes that a network tells apart at once: bright above, bright below."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 120, (count, 28, 28, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[14 * label : 14 * label + 14] += 100
    return Split(name, ArrayImages(images, [f"{name}[{i}]" for i in range(count)]), labels)


def training(
    folder: Path, recipe: Recipe, *, val: bool = True, saved: list | None = None, identity="", **watch
) -> Training:
    torch.manual_seed(0)
    train = Batches(split("train", 64, 0), LOOK, recipe.batch_size, recipe.augment, seed=5)
    saved = [] if saved is None else saved
    run = RunFolder(folder)
    run.path.mkdir(exist_ok=True)

    def save(network, figures, learnt):
        saved.append(figures | {"weights": {k: v.clone() for k, v in network.state_dict().items()}})

    return Training(
        create_model("lenet5", num_classes=2),
        Material(train, Batches(split("val", 32, 1), LOOK, 32) if val else None, SingleLabel(("above", "below")), LOOK),
        recipe,
        run,
        Fabric(accelerator="cpu", devices=1),
        Watch(**watch),
        save,
        identity,
    )


def recipe(**fields) -> Recipe:
    return Recipe(**{"epochs": 3, "batch_size": 16, "learning_rate": 0.05, "warmup_epochs": 0, **fields})


def test_it_takes_the_steps_of_a_hand_written_loop(tmp_path):
    chosen = recipe(label_smoothing=0.1, weight_decay=0.01, clip_norm=0.5, augment=Augment(crop_padding=2))
    ours = training(tmp_path, chosen)
    ours.train()

    torch.manual_seed(0)
    model = create_model("lenet5", num_classes=2).to(memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    spared = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 0.01}, {"params": spared}], 0.05, momentum=0.9, nesterov=True
    )
    batches = Batches(split("train", 64, 0), LOOK, 16, chosen.augment, seed=5)
    step, figures = 0, []
    for epoch in range(3):
        losses, correct = [], 0
        for images, labels in batches.epoch(epoch):
            for group in optimizer.param_groups:
                group["lr"] = 0.05 * 0.5 * (1 + math.cos(math.pi * step / 12))
            logits = model((images / 255 - 0.5) / 0.25)
            loss = functional.cross_entropy(logits, labels, label_smoothing=0.1)
            losses.append(loss.item())
            correct += int((logits.argmax(1) == labels).sum())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            step += 1
        figures.append((epoch + 1, step, sum(losses) / 4, correct / 64))
    columns = ("epoch", "step", "train_loss", "train_accuracy")
    assert [tuple(row[name] for name in columns) for row in ours.position.history] == [
        pytest.approx(row, rel=1e-4) for row in figures
    ]
    for (name, mine), (_, theirs) in zip(ours.module.named_parameters(), model.named_parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6), name


def test_the_best_validated_weights_are_saved(tmp_path):
    saved: list[dict] = []
    position = training(tmp_path, recipe(epochs=5), saved=saved).train()
    best = max(position.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert saved[-1]["epoch"] == best["epoch"]
    assert saved[-1]["accuracy"] == best["val_accuracy"]
    assert position.stopped_by == "finished"


def test_without_validation_the_last_weights_are_saved_once(tmp_path):
    saved: list[dict] = []
    training(tmp_path, recipe(), val=False, saved=saved).train()
    assert [figures["epoch"] for figures in saved] == [3]


def test_without_validation_statistics_are_settled_once_before_the_last_weights_are_saved(tmp_path, small, monkeypatch):
    order = []
    monkeypatch.setattr("striate.training.loop.measure", lambda *what: order.append("settled"))
    small.training(tmp_path, small.recipe(), val=False, save=lambda *what: order.append("saved")).train()
    assert order == ["settled", "saved"]


def test_an_average_is_told_the_steps_of_all_epochs(tmp_path, monkeypatch):
    run, told = training(tmp_path, recipe(epochs=3, average=0.9)), []
    monkeypatch.setattr(run.average, "update", told.append)
    run.train()
    assert told == list(range(1, 3 * run.train_batches.steps + 1))


def test_an_average_is_what_is_validated_and_saved(tmp_path):
    saved: list[dict] = []
    run = training(tmp_path, recipe(epochs=1, average=0.9), saved=saved)
    run.train()
    averaged, trained = run.average.model.state_dict(), run.module.state_dict()
    for name, tensor in saved[-1]["weights"].items():
        assert torch.equal(tensor, averaged[name])
        assert not torch.equal(tensor, trained[name])


def test_early_stopping_waits_for_its_patience_and_stays_stopped(tmp_path):
    stopping = recipe(epochs=30, learning_rate=1e-12, early_stopping=2)
    position = training(tmp_path, stopping).train()
    assert position.stopped_by == "early stopping"
    assert position.epoch < 30
    again = training(tmp_path, stopping)
    again.restore()
    assert again.position.stopped_by == "early stopping"
    again.extend(2)
    done = again.position.epoch
    assert again.position.phases == [done, 2]
    assert again.train().epoch == done + 2


def test_a_plateau_lowers_the_rate(tmp_path):
    flat = recipe(epochs=6, learning_rate=1e-12, schedule="plateau", patience=1, gamma=0.5)
    position = training(tmp_path, flat).train()
    rates = [row["learning_rate"] for row in position.history]
    assert rates[0] == 1e-12
    assert rates[-1] <= 0.5e-12


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path):
    run = training(tmp_path, recipe(learning_rate=100.0, weight_decay=100.0))
    with pytest.raises(StriateError, match=r"not a number in epoch \d, by step \d+.*lower learning_rate"):
        run.train()
    again = training(tmp_path, recipe(learning_rate=100.0, weight_decay=100.0))
    again.restore()
    assert all(bool(tensor.isfinite().all()) for tensor in again.module.parameters())


def test_a_time_limit_stops_and_saves_the_position(tmp_path):
    position = training(tmp_path, recipe(epochs=1000), time_limit=0.3).train()
    assert position.stopped_by == "time limit"
    again = training(tmp_path, recipe(epochs=1000))
    again.restore()
    assert again.position.step == position.step > 0
    assert again.position.stopped_by == ""


def test_every_extension_begins_at_a_tenth_of_the_rate(tmp_path, small):
    run = small.training(tmp_path, small.recipe(epochs=1, schedule="linear"))
    run.extend(1)
    run.extend(2)
    rates = []
    for run.position.step in (0, 2, 4, 6, 8, 12):
        rates.append(run.learning_rate())
    assert rates == pytest.approx([0.05, 0.025, 0.005, 0.0025, 0.005, 0.0025])


@pytest.mark.parametrize("early_stopping", [0, 2])
def test_what_comes_with_the_last_step_does_not_leave_it_unfinished(tmp_path, small, early_stopping):
    run = small.training(tmp_path, small.recipe(learning_rate=0, early_stopping=early_stopping))
    small.stop_after(run, 12)
    assert run.train().stopped_by == "finished"
    again = small.training(tmp_path, small.recipe(learning_rate=0, early_stopping=early_stopping))
    again.restore()
    assert (again.position.stopped_by, len(again.position.history)) == ("finished", 3)


@pytest.mark.parametrize(("average", "steps"), [(0.0, 2), (0.9, 6), (0.0, 103)])
def test_weights_saved_before_an_epochs_end_have_statistics_that_fit(tmp_path, small, average, steps, monkeypatch):
    """Where batch norm is young, and only there: 100 steps at its momentum; an average's as the weights' own."""
    measured, saved = [], []
    chosen = small.recipe(epochs=40, learning_rate=0.01, average=average)
    run = small.training(tmp_path, chosen, val=False, save=lambda *what: saved.append(what))
    monkeypatch.setattr("striate.training.loop.measure", lambda *what: measured.append(what))
    small.stop_after(run, steps)
    run.train()
    assert measured == []
    run.save_result_so_far()
    assert saved == [(run.result, {"epoch": steps // 4}, run.task)]
    assert [network for network, _, _ in measured] == ([run.result] if steps < 100 else [])
    assert all(len(list(batches)) == 4 for _, batches, _ in measured)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    training(tmp_path, recipe(epochs=1), identity="one").train()
    with pytest.raises(StriateError, match="another run"):
        training(tmp_path, recipe(epochs=1), identity="two").restore()


def test_the_network_lies_channels_last_and_is_trained_in_place(tmp_path, small):
    model = small.network()
    run = small.training(tmp_path, small.recipe(epochs=1), model=model)
    assert run.module is model
    assert model.stem.weight.is_contiguous(memory_format=torch.channels_last)
    assert model.stages.one[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_what_a_recipe_says_reaches_the_parts_of_the_loop(tmp_path, small):
    fields = {"patience": 4, "gamma": 0.3, "optimizer": "sgd", "momentum": 0.7, "nesterov": False, "weight_decay": 0.02}
    chosen = small.recipe(epochs=6, clip_norm=2.0, learning_rate=0.25, schedule="step", average=0.8, **fields)
    run = small.training(tmp_path, chosen, final_images=11, identity="me")
    assert (run.plateau.patience, run.plateau.gamma) == (4, 0.3)
    assert run.schedule == chosen.rate_schedule()
    assert {(group["lr"], group["momentum"], group["nesterov"]) for group in run.optimizer.param_groups} == {
        (0.25, 0.7, False)
    }
    assert [group["weight_decay"] for group in run.optimizer.param_groups] == [0.02, 0]
    assert (run.update.clip_norm, run.guard.clips, run.guard.steps, run.guard.run) == (2.0, True, 4, tmp_path)
    assert run.average.decay == 0.8
    pace = run.pace
    assert (pace.steps, pace.batch_size, pace.validation_images, pace.final_images) == (4, 16, 32, 11)
    assert (run.epochs, run.position.phases, run.identity) == (6, [6], "me")
    plain = small.training(tmp_path / "plain", small.recipe(), val=False)
    assert (plain.average, plain.guard.clips, plain.pace.validation_images) == (None, False, 0)
    assert (plain.watch.time_limit, plain.watch.checkpoint_every, plain.pace.final_images, plain.identity) == (
        0,
        60,
        0,
        "",
    )


def test_statistics_are_settled_over_the_last_batches_of_the_epoch_just_done(tmp_path, small, monkeypatch):
    """Of the epoch that is going on where none is done; of all its batches where there are few."""
    asked = []
    run = small.training(tmp_path, small.recipe())
    monkeypatch.setattr("striate.training.loop.measure", lambda *given: asked.append(given[1]))
    monkeypatch.setattr(run.train_batches, "epoch", lambda *given: given)
    for steps, epoch in ((4, 0), (4, 1), (4, 3), (19, 1), (20, 1), (21, 1), (100, 2)):
        run.train_batches.steps, run.position.epoch = steps, epoch
        run.settle_statistics()
    assert asked == [(0, 0), (0, 0), (2, 0), (0, 0), (0, 0), (0, 1), (1, 80)]


def test_the_rate_of_a_step_is_that_of_its_own_place(tmp_path, small, monkeypatch):
    run = small.training(tmp_path, small.recipe(epochs=2, schedule="linear", optimizer="adamw", learning_rate=0.01))
    rates, update = [], run.update
    monkeypatch.setattr(
        run, "update", lambda loss: rates.append([each["lr"] for each in run.optimizer.param_groups]) or update(loss)
    )
    run.update.state = update.state
    position = run.train()
    assert rates == [pytest.approx([0.01 * (1 - step / 8)] * 2) for step in range(8)]
    assert [row["learning_rate"] for row in position.history] == pytest.approx([0.005, 0.0])


@pytest.mark.parametrize(("limit", "began", "late"), [(0, 1e9, False), (5, 4.0, False), (5, 6.0, True)])
def test_time_is_up_after_the_limit_where_there_is_one(tmp_path, small, monkeypatch, limit, began, late):
    run = small.training(tmp_path, small.recipe(), time_limit=limit)
    monkeypatch.setattr("striate.training.loop.time.monotonic", lambda: 2e9)
    run.began, run.interruption = 2e9 - began, SimpleNamespace(requested=False)
    assert run.should_stop() is late
    assert run.position.stopped_by == ("time limit" if late else "")


def test_several_processes_stop_for_the_reason_of_any(tmp_path, small, monkeypatch):
    run = small.training(tmp_path, small.recipe())
    run.began, run.interruption = 0.0, SimpleNamespace(requested=False)
    for wish, reason in ((0.0, ""), (1.0, "time limit"), (2.0, "interrupted")):
        asked = []
        others = SimpleNamespace(world_size=2)
        others.all_reduce = lambda mine, reduce_op: asked.append((mine.item(), reduce_op)) or torch.tensor(wish)  # noqa: B023
        monkeypatch.setattr(run, "fabric", others)
        assert run.should_stop() is bool(wish)
        assert (run.position.stopped_by, asked) == (reason, [(0.0, "max")])
        run.position.stopped_by = ""


def test_several_processes_agree_on_the_figures_of_the_first(tmp_path, small, monkeypatch):
    run = small.training(tmp_path, small.recipe())
    told = []
    broadcast = SimpleNamespace(world_size=2, broadcast=lambda said: told.append(said) or ("heard", "bf16"))
    monkeypatch.setattr(run, "fabric", broadcast)
    assert (run.validate(), run.validation.chosen) == ("heard", "bf16")
    ((figures, chosen),) = told
    assert (len(figures), chosen) == (32, "32")
    without = small.training(tmp_path / "without", small.recipe(), val=False)
    assert without.validate() is None


def test_only_the_first_process_writes(tmp_path, small, monkeypatch):
    saved = []
    run = small.training(tmp_path, small.recipe(epochs=1), save=lambda *given: saved.append(given))
    second = SimpleNamespace(world_size=1, is_global_zero=False, device=torch.device("cpu"))
    monkeypatch.setattr(run, "fabric", second)
    monkeypatch.setattr(run.events, "write", saved.append)
    position = run.train()
    assert (len(position.history), len(position.timing)) == (1, 1)
    run.save_result_so_far()
    assert saved == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("there", [True, False])
def test_weights_are_saved_as_they_are_only_where_none_were(tmp_path, small, there):
    saved = []
    run = small.training(tmp_path, small.recipe(), save=lambda *given: saved.append(given))
    run.position.epoch = 2
    if there:
        run.run.model.touch()
    run.save_result_so_far()
    assert saved == ([] if there else [(run.module, {"epoch": 2}, run.task)])


def test_a_checkpoint_holds_all_that_decides_how_it_goes_on(tmp_path, small):
    run = small.training(tmp_path, small.recipe(epochs=1, average=0.9), identity="me")
    run.train()
    tensors, state = load_checkpoint(run.run.checkpoint)
    assert state.keys() == {"position", "plateau", "seen", "scale", "trained", "validation", "identity"}
    assert state["trained"] == {"frozen": "none", "since": 0, "sealed": {}}
    assert (state["identity"], state["scale"], state["seen"]) == ("me", {}, 0)
    assert state["position"]["stopped_by"] == "finished"
    kinds = {name.split("/")[0] for name in tensors}
    assert kinds == {"model", "average", "optimizer", "random", "sums"}
    damaged = small.training(tmp_path, small.recipe(epochs=1, average=0.9), identity="me")
    for without in ("position", "plateau", "seen"):
        save_checkpoint(run.run.checkpoint, tensors, {name: value for name, value in state.items() if name != without})
        with pytest.raises(StriateError, match=f"last.ckpt: does not fit the run's network and recipe .*{without}"):
            damaged.restore()
    save_checkpoint(run.run.checkpoint, tensors, {name: value for name, value in state.items() if name != "identity"})
    with pytest.raises(StriateError, match=r"last\.ckpt: belongs to another run than .*config\.json describes"):
        damaged.restore()
