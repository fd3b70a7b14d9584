"""The loop against a hand-written one, and what ends it, bends it or breaks it."""

import math
from pathlib import Path

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
from striate.training.loop import Training
from striate.training.progress import Quiet
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder

LOOK = Preprocessing((28, 28), 1, (0.5,), (0.25,))


def split(name: str, count: int, seed: int) -> Split:
    """Two classes that a network tells apart at once: bright above, bright below."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 120, (count, 28, 28, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[14 * label : 14 * label + 14] += 100
    return Split(name, ArrayImages(images, [f"{name}[{i}]" for i in range(count)]), labels)


def training(folder: Path, recipe: Recipe, *, val: bool = True, saved: list | None = None, **options) -> Training:
    torch.manual_seed(0)
    train = Batches(split("train", 64, 0), LOOK, recipe.batch_size, recipe.augment, seed=5)
    saved = [] if saved is None else saved
    run = RunFolder(folder)
    run.path.mkdir(exist_ok=True)

    def save(network, figures):
        saved.append(figures | {"weights": {k: v.clone() for k, v in network.state_dict().items()}})

    return Training(
        create_model("lenet5", num_classes=2),
        train,
        Batches(split("val", 32, 1), LOOK, 32) if val else None,
        ("above", "below"),
        LOOK,
        recipe,
        run,
        Fabric(accelerator="cpu", devices=1),
        save,
        Quiet(),
        **options,
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
    with pytest.raises(StriateError, match=r"not a number in epoch \d, by step \d+.*lower --lr"):
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
    assert saved == [(run.result, {"epoch": steps // 4})]
    assert [network for network, _, _ in measured] == ([run.result] if steps < 100 else [])
    assert all(len(list(batches)) == 4 for _, batches, _ in measured)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    training(tmp_path, recipe(epochs=1), identity="one").train()
    with pytest.raises(StriateError, match="another run"):
        training(tmp_path, recipe(epochs=1), identity="two").restore()
