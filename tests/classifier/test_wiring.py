"""What a caller says arrives where it is used: in the plan, in the watch, in the loop; nothing is trained here."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import striate
from striate.classifier import preparing, reporting, resume, runs, saving
from striate.classifier.run_config import RunConfig
from striate.classifier.saving import saver
from striate.data import open_dataset
from striate.models import Trust
from striate.training.fabric import create_fabric
from striate.training.progress import Quiet
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.tasks import MultiLabel, SingleLabel
from striate.training.watch import Watch

WATCH = {"time_limit": 120, "checkpoint_every": 7, "report": False, "drop_checkpoint": True}
SAID = {**WATCH, "time_limit": "2m", "quiet": True, "workers": 3}


@pytest.fixture
def carried_out(monkeypatch):
    """Collects what would be carried out."""
    calls: list[tuple] = []
    monkeypatch.setattr(runs, "execute", lambda *arguments: calls.append(arguments))
    return calls


def check_watch(watch, expected) -> None:
    assert type(watch.progress) is Quiet
    assert {name: getattr(watch, name) for name in expected} == expected


def test_settings_of_a_new_run_arrive(carried_out, colours, tmp_path):
    striate.train(colours, model="lenet5", **SAID, run=tmp_path / "run", seed=3, val_fraction=0.2)
    ((folder, config, dataset, fabric, watch, *_),) = carried_out
    assert 60 < watch.time_limit < 120  # planning took some of it
    check_watch(watch, WATCH | {"time_limit": watch.time_limit})
    assert folder.path == tmp_path / "run"
    assert RunConfig.read(folder) == config
    assert (config.workers, config.seed, config.val_fraction, config.command) == (3, 3, 0.2, "")
    assert dataset.fingerprint == config.fingerprint
    assert fabric.world_size == 1


def test_settings_of_a_run_that_goes_on_arrive(carried_out, run):
    RunFolder(run).update_config(workers=2)
    before = RunConfig.read(RunFolder(run))
    resume(run, extend=4, **SAID)
    ((folder, config, dataset, _, watch, extend, _),) = carried_out
    check_watch(watch, WATCH)
    assert (folder.path, extend) == (run, 4)
    assert config == replace(before, workers=3)
    assert dataset.fingerprint == config.fingerprint
    assert RunConfig.read(folder) == before
    resume(run, quiet=True)
    check_watch(carried_out[1][4], dict(zip(WATCH, (0, 60, True, False), strict=True)))
    assert carried_out[1][1].workers == before.workers
    assert carried_out[1][5] == 0


def test_a_folder_is_unlocked_and_an_unstarted_one_taken_away_whatever_happens(monkeypatch, run, colours, tmp_path):
    monkeypatch.setattr(runs, "execute", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            resume(run)
        with pytest.raises(KeyboardInterrupt):
            striate.train(colours, model="lenet5", run=tmp_path / "deep" / "new")
    assert not (tmp_path / "deep").exists()


def test_all_that_a_configuration_says_arrives_in_the_loop(monkeypatch, run, colours):
    (run / "last.ckpt").unlink()
    folder = RunFolder(run)
    RunFolder(run).update_config(workers=2, seed=9, recipe=Recipe(batch_size=6, epochs=3).to_dict())
    config = RunConfig.read(folder)
    dataset, fabric = open_dataset(colours, test_fraction=0.3), create_fabric("cpu", 1, "32-true")
    monkeypatch.setattr(preparing, "Training", lambda **arguments: SimpleNamespace(**arguments))
    watch = Watch(Quiet(), time_limit=5, checkpoint_every=8)
    network = preparing.network_of(config, Trust(), pretrained=True)
    training = preparing.prepare(network, folder, config, dataset, fabric, watch)
    material = training.material
    torch.manual_seed(9)
    fresh = striate.create_model(config.network.name, **config.network.arguments).state_dict()
    assert all(tensor.equal(fresh[name]) for name, tensor in training.model.state_dict().items())
    assert material.train.split is dataset.train
    assert (material.train.batch_size, material.train.seed, material.train.workers) == (6, 9, 2)
    assert material.train.training
    assert material.val.split is dataset.val
    assert (material.val.workers, material.val.training) == (2, False)
    assert training.recipe == Recipe(batch_size=6, epochs=3)
    assert material.preprocessing == config.preprocessing
    assert material.task == SingleLabel(dataset.classes)
    assert (training.run, training.fabric, training.watch) == (folder, fabric, watch)
    assert training.identity == config.identity
    assert material.final_images == len(dataset.test) != len(dataset.val)


def test_what_a_saved_model_says_of_itself_comes_from_configuration_and_data(monkeypatch, run, colours):
    kept = []
    monkeypatch.setattr(saving, "save_model", lambda *arguments: kept.append(arguments))
    folder, dataset = RunFolder(run), open_dataset(colours, test_fraction=0.3)
    config = replace(RunConfig.read(folder), seed=5, val_fraction=0.25, source="somewhere")
    network = striate.load(run).model
    learnt = MultiLabel(dataset.classes, (0.25, 0.5, 0.75))
    saver(folder, config, dataset)(network, {"epoch": 3, "loss": 0.5}, learnt)
    ((path, saved, description),) = kept
    assert (path, saved) == (folder.model, network)
    assert description.network == config.network.to_dict()
    assert (description.classes, description.preprocessing) == (dataset.classes, config.preprocessing)
    assert (description.recipe, description.versions) == (config.recipe.to_dict(), config.versions)
    assert description.metrics == {"epoch": 3, "loss": 0.5}
    assert description.learnt == learnt
    assert description.data == {
        "source": "somewhere",
        "fingerprint": dataset.fingerprint,
        "images": {split.name: len(split) for split in (dataset.train, dataset.val, dataset.test)},
        "seed": 5,
        "val_fraction": 0.25,
    }


def test_the_reports_samples_differ_in_picture_and_chance(monkeypatch, run, colours):
    """Six pictures spread over the training images, each in six versions by a seed of its own."""
    asked = []

    def batches(split, look, size, augment, seed, **_):
        asked.append((len(split), size, seed))
        return SimpleNamespace(epoch=lambda epoch: iter([SimpleNamespace(images=torch.zeros(size, 3, 28, 28))]))

    monkeypatch.setattr(reporting, "Batches", batches)
    rows = reporting._augmented(Recipe(), open_dataset(colours), striate.load(run))
    assert asked == [(6, 6, seed) for seed in (0, 5, 10, 15, 20, 26)]  # of 27 images
    assert [len(versions) for _, versions in rows] == [6] * 6


@pytest.mark.parametrize("checkpoint", [True, False])
def test_pretrained_weights_are_read_for_a_first_start_only(monkeypatch, run, checkpoint):
    asked = []
    network = SimpleNamespace(freeze=lambda until: asked.append(("freeze", until)))
    monkeypatch.setattr(preparing, "create_model", lambda name, **options: asked.append(options) or network)
    config = replace(RunConfig.read(RunFolder(run)), weights="/start.safetensors", freeze="stem")
    preparing.network_of(config, Trust(), pretrained=not checkpoint)
    weights = None if checkpoint else "/start.safetensors"
    assert asked == [{**config.network.arguments, "weights": weights}, ("freeze", "stem")]
