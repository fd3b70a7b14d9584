"""Going on with a run: what is finished is never overwritten, what moved is found again, what was edited is named."""

import dataclasses
import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import striate
from striate.classifier import resume, runs
from striate.classifier.run_config import RunConfig, identity
from striate.errors import StriateError
from striate.training.first_weights import draw_first_weights
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.units import decimal_size

FAST = {"model": "lenet5", "epochs": 1, "quiet": True, "report": False, "workers": 0, "batch_size": 4}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}


def config_of(run: Path) -> dict:
    return json.loads((run / "config.json").read_text(encoding="utf-8"))


def edit(run: Path, **fields: object) -> None:
    (run / "config.json").write_text(json.dumps(config_of(run) | fields), encoding="utf-8")


def refused(run: Path, **options: object) -> str:
    """What `resume` says when it refuses; nothing in the folder has changed."""
    before = contents(run)
    with pytest.raises(StriateError) as error:
        resume(run, quiet=True, **options)
    assert contents(run) == before
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("extend", [0, 3])
def test_a_finished_run_without_its_checkpoint_is_left_alone(run, colours, tmp_path, extend):
    (run / "last.ckpt").unlink()
    line = refused(run, extend=extend)
    assert str(run) in line
    assert "last.ckpt is gone" in line
    advised = shlex.split(line.partition("striate train ")[2])
    assert advised == [str(colours), "--model", "lenet5", "--weights", str(run / "model.safetensors")]
    anew = striate.train(colours, **FAST, weights=advised[-1], run=tmp_path / "anew")
    assert anew.evaluation is not None


@pytest.mark.parametrize("kept", ["metrics.csv", "timing.csv", "model.safetensors"])
def test_whatever_is_left_of_a_run_is_not_overwritten(run, kept):
    for path in run.iterdir():
        if path.is_file() and path.name not in ("config.json", kept):
            path.unlink()
    line = refused(run)
    assert ("--weights" in line) == (kept == "model.safetensors")


def test_a_run_that_was_killed_before_it_wrote_anything_starts(run, trained):
    for name in ("last.ckpt", "model.safetensors", "metrics.csv", "timing.csv"):
        (run / name).unlink()
    resume(run, quiet=True, report=False)
    assert (run / "metrics.csv").read_bytes() == (trained / "metrics.csv").read_bytes()
    assert (run / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_checkpoint_is_dropped_when_the_training_is_finished(colours, tmp_path):
    run = tmp_path / "run"
    classifier = striate.train(colours, **FAST, run=run, drop_checkpoint=True)
    assert not (run / "last.ckpt").exists()
    assert config_of(run)["checkpoint"] == "dropped: finished after epoch 1"
    assert striate.load(run).evaluate().top1 == classifier.evaluation.top1
    for extend in (0, 2):
        line = refused(run, extend=extend)
        assert "the training is over and last.ckpt was dropped" in line
        assert f"--weights {run / 'model.safetensors'}" in line


def test_a_checkpoint_of_a_finished_run_is_dropped_later(run, capsys):
    before = {name: content for name, content in contents(run).items() if name not in ("last.ckpt", "config.json")}
    freed = decimal_size((run / "last.ckpt").stat().st_size)
    resume(run, report=False)
    assert f"--drop-checkpoint frees {freed}" in capsys.readouterr().err
    resume(run, report=False, drop_checkpoint=True)
    assert f"last.ckpt is removed ({freed})" in capsys.readouterr().err
    after = contents(run)
    assert "last.ckpt" not in after
    assert {name: after[name] for name in before} == before


def test_the_checkpoint_of_an_unfinished_run_is_kept(colours, tmp_path, capsys):
    run = tmp_path / "run"
    unfinished = {**FAST, "epochs": 5000, "quiet": False}
    striate.train(colours, **unfinished, run=run, time_limit="0.5s", drop_checkpoint=True)
    assert (run / "last.ckpt").exists()
    assert "last.ckpt is kept: the training is not finished" in capsys.readouterr().err
    assert "checkpoint" not in config_of(run)


def test_a_model_that_is_gone_is_written_anew_and_told(run, capsys):
    (run / "model.safetensors").unlink()
    classifier = resume(run, report=False)
    assert "model.safetensors is gone, and with it the best weights" in capsys.readouterr().err
    assert classifier.description.metrics == {"epoch": 2}
    assert (run / "model.safetensors").exists()


def test_the_best_weights_after_a_model_was_lost_are_kept(colours, tmp_path):
    run = tmp_path / "run"
    striate.train(colours, **FAST, learning_rate=0, run=run)  # every epoch is as good as the first
    (run / "model.safetensors").unlink()
    classifier = resume(run, extend=1, quiet=True, report=False)
    assert classifier.description.metrics["epoch"] == 2
    assert "accuracy" in classifier.description.metrics


@pytest.fixture
def moved(paint, tmp_path) -> tuple[Path, Path, Path]:
    """A run whose images were moved, where they were, and where they are."""
    old, new = paint(tmp_path / "photos"), tmp_path / "archive" / "photos"
    striate.train(old, **FAST, run=tmp_path / "run")
    new.parent.mkdir()
    old.rename(new)
    return tmp_path / "run", old, new


def test_images_that_have_moved_are_named_with_the_way_to_find_them(moved, tmp_path, monkeypatch):
    run, old, new = moved
    monkeypatch.chdir(tmp_path)
    line = refused(run, extend=1)
    assert line.startswith(f"{old}: ")
    assert f"striate train --resume {run} --data NEW_PLACE" in line
    with pytest.raises(StriateError, match=f"{old}: .*striate evaluate {run} NEW_PLACE"):
        striate.load(run).evaluate()

    assert resume(run, extend=1, data=new, quiet=True, report=False).evaluation is not None
    assert len((run / "metrics.csv").read_text().splitlines()) == 3
    config = config_of(run)
    assert (config["source"], config["absolute_source"]) == (str(new), str(new))
    resume(run, extend=1, quiet=True, report=False)  # it remembers
    assert striate.load(run).evaluate().split == "val"


def test_other_images_are_not_taken_for_those_that_moved(moved, paint, tmp_path):
    run, _, new = moved
    assert "not the images" in refused(run, data=paint(tmp_path / "other", seed=1))
    assert "nowhere" in refused(run, data=tmp_path / "nowhere")
    (new / "red" / "0.png").unlink()
    assert str(new) in refused(run, data=str(new))


def test_a_data_set_can_be_handed_over_again(paint, tmp_path):
    photos = paint(tmp_path / "photos")
    dataset = striate.open_dataset(photos, test_fraction=0.2)
    striate.train(dataset, **FAST, run=tmp_path / "run")
    line = refused(tmp_path / "run", extend=1)
    assert "changed" in line
    resume(tmp_path / "run", extend=1, data=dataset, quiet=True, report=False)
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 3


def test_images_that_have_changed_are_told_with_the_way_to_others(paint, tmp_path):
    photos = paint(tmp_path / "photos")
    striate.train(photos, **FAST, run=tmp_path / "run")
    shutil.copy(photos / "red" / "0.png", photos / "blue" / "new.png")
    line = refused(tmp_path / "run")
    assert "the images have changed" in line
    assert f"--resume {tmp_path / 'run'} --data NEW_PLACE" in line


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"device": 3}, "device"),
        ({"seed": "0"}, "seed"),
        ({"network": []}, "network"),
        ({"network": {"name": "lenet5"}}, "(network: arguments is missing)"),
        ({"recipe": {"epochs": "many"}}, "(recipe: "),
        ({"recipe": {"epochs": -2}}, "(recipe: epochs is -2"),
        ({"recipe": {"colour": 1}}, "(recipe: "),
        ({"preprocessing": {"size": 3}}, "(preprocessing: "),
        ({"notes": None, "versions": None}, "versions, notes"),
        ({"format": "striate run 9"}, "does not say how"),
        ({"network": {"name": "nonet", "arguments": {}}}, "(network: unknown network 'nonet'"),
        ({"network": {"name": "lenet5", "arguments": {"colour": 1}}}, "(network: unknown option of lenet5 'colour'"),
        ({"network": {"name": "lenet5", "arguments": []}}, "(network: "),
        ({"seed": -5}, "(seed: it is -5"),
        ({"seed": True}, "(seed: "),
        ({"devices": 0}, "(devices: it is 0; whole numbers from 1 to"),
        ({"workers": -3}, "(workers: it is -3"),
        ({"val_fraction": 5}, "(val_fraction: it is a share"),
        ({"device": "quantum"}, "(device: unknown device 'quantum'"),
        ({"device": "auto"}, "(device: "),
        ({"precision": "bf16-true"}, "(precision: unknown precision 'bf16-true'"),
        ({"precision": "auto"}, "(precision: "),
    ],
)
def test_an_edited_config_is_named_with_what_is_wrong_in_it(run, fields, said):
    edit(run, **fields)
    line = refused(run)
    assert line.startswith(f"{run / 'config.json'}: ")
    assert said in line


def test_a_config_without_a_field_is_named_with_it(run):
    config = config_of(run)
    del config["absolute_source"]
    (run / "config.json").write_text(json.dumps(config))
    assert "absolute_source" in refused(run)


@pytest.mark.parametrize("change", ["learning_rate", "epochs", "augment", "size", "arguments", "seed", "freeze"])
def test_a_checkpoint_belongs_to_its_run_in_every_part(run, change):
    config = config_of(run)
    before = identity(config)
    if change in ("learning_rate", "epochs"):
        config["recipe"][change] += 1
    elif change == "augment":
        config["recipe"]["augment"]["flip"] = 0.25
    elif change == "size":
        config["preprocessing"]["size"] = [32, 32]
    elif change == "arguments":
        config["network"]["arguments"]["in_channels"] += 1
    else:
        config[change] = {"seed": 5, "freeze": "stem"}[change]
    assert identity(config) != before
    assert identity(config | {"fingerprint": "0"}) != identity(config)
    edit(run, **config)
    assert "belongs to another run" in refused(run)


def test_a_run_of_another_machines_device_says_what_can_be_done(run, colours, tmp_path):
    edit(run, device="mps")
    line = refused(run, extend=1)
    assert line.startswith(f"{run}: was trained on 'mps', which is not on this machine")
    advised = shlex.split(line.partition("striate train ")[2])
    assert advised == [str(colours), "--model", "lenet5", "--weights", str(run / "model.safetensors")]


def test_a_run_on_images_in_memory_asks_for_them_again(colours, tmp_path):
    dataset = dataclasses.replace(striate.open_dataset(colours), source="")
    striate.train(dataset, **FAST, run=tmp_path / "run")
    assert config_of(tmp_path / "run")["absolute_source"] == ""
    assert "handed over in memory" in refused(tmp_path / "run", extend=1)
    assert resume(tmp_path / "run", extend=1, data=dataset, quiet=True, report=False).evaluation is not None


def test_every_extension_is_a_phase_of_its_own_and_told_in_the_report(run, capsys):
    resume(run, extend=1, quiet=True, report=False)
    resume(run, extend=3)
    assert "extended: epochs 2 + 1 + 3; each" in capsys.readouterr().err
    page = (run / "report.html").read_text(encoding="utf-8")
    assert [page.count(f"--resume {run} --extend {epochs}") for epochs in (1, 2, 3)] == [1, 0, 1]


def test_a_run_lives_through_windows(colours, tmp_path, windows):
    run = tmp_path / "run"
    first = striate.train(colours, **{**FAST, "report": True}, run=run)
    again = resume(run, extend=1, quiet=True)  # `first` is still in use: nothing of its file may be open
    assert not windows(run / "model.safetensors")
    assert len(first.predict(colours)) == len(again.predict(colours)) == 30
    resume(run, quiet=True, drop_checkpoint=True)
    names = {"config.json", "model.safetensors", "metrics.csv", "timing.csv", "report.html"}
    assert names <= set(contents(run)) <= names | {".lock"}
    with pytest.raises(StriateError, match="larger than the 27 images"):
        striate.train(colours, **FAST | {"batch_size": 1000}, run=tmp_path / "failed")
    assert not (tmp_path / "failed").exists()


def test_images_are_opened_again_as_they_were_for_the_training(run, monkeypatch):
    look = config_of(run)["preprocessing"] | {"channels": 4, "mean": [0.5] * 4, "std": [0.5] * 4}
    edit(run, preprocessing=look, val_fraction=0.25, seed=9)
    opened = []
    monkeypatch.setattr("striate.classifier.runs.open_place", lambda place, **options: opened.append((place, options)))
    config = RunConfig.read(RunFolder(run))
    with pytest.raises(AttributeError):  # nothing was opened
        runs._same_images(RunFolder(run), config, None)
    with pytest.raises(AttributeError):
        runs._same_images(RunFolder(run), config, "elsewhere")
    options = {"seed": 9, "val_fraction": 0.25, "channels": 4, "task": "single-label", "target": ()}
    assert opened == [(config.absolute_source, options), ("elsewhere", options)]


def test_a_run_of_before_a_field_was_there_trains_on_as_it_was(colours, tmp_path, monkeypatch):
    """Its config.json lacks the field, and its Brier loss is no half of it."""
    later = ("init", "every")
    whole = Recipe.to_dict
    monkeypatch.setattr(
        Recipe, "to_dict", lambda self: {name: value for name, value in whole(self).items() if name not in later}
    )
    settings = {"loss": "squared_error", "label_smoothing": 0}
    striate.train(colours, **FAST | {"epochs": 2}, settings=settings, run=tmp_path / "old")
    monkeypatch.undo()
    old, new = tmp_path / "old", tmp_path / "new"
    assert not set(later) & set(config_of(old)["recipe"])
    striate.train(colours, **FAST | {"epochs": 2}, settings=settings, run=new)
    for run in (old, new):
        resume(run, extend=1, quiet=True, report=False)
    assert (old / "metrics.csv").read_bytes() == (new / "metrics.csv").read_bytes()


def test_first_weights_by_a_rule_are_drawn_once(colours, tmp_path):
    """A run that was killed before its first checkpoint draws them again; one that goes on from it does not."""
    options = FAST | {"learning_rate": 0, "settings": {"init": "gaussian", "average": 0}}
    striate.train(colours, **options, run=tmp_path / "whole")
    torch.manual_seed(0)
    wanted = striate.create_model("lenet5", num_classes=3, in_channels=3, input_size=28)
    draw_first_weights(wanted, "gaussian", None)
    drawn = load_file(tmp_path / "whole" / "model.safetensors")
    assert all(torch.equal(drawn[name], tensor) for name, tensor in wanted.state_dict().items())
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    for name in ("last.ckpt", "model.safetensors", "metrics.csv", "timing.csv"):
        (tmp_path / "killed" / name).unlink()
    resume(tmp_path / "killed", quiet=True, report=False)
    for run in ("whole", "killed"):
        resume(tmp_path / run, extend=1, quiet=True, report=False)
        again = load_file(tmp_path / run / "model.safetensors")
        assert all(torch.equal(again[name], tensor) for name, tensor in drawn.items())
    metrics = [(tmp_path / run / "metrics.csv").read_bytes() for run in ("whole", "killed")]
    assert metrics[0] == metrics[1]


def test_a_head_with_hidden_layers_is_saved_loaded_and_trained_on(colours, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    striate.train(colours, **FAST, options={"hidden": [7, 5]}, run=first)
    model = striate.load(first).model
    assert (model.head.dense1.out_features, model.head.dense2.out_features) == (7, 5)
    resume(first, extend=1, quiet=True, report=False)
    file = first / "model.safetensors"
    anew = FAST | {"learning_rate": 0, "settings": {"average": 0, "init": "gaussian"}}
    cut = striate.train(
        colours, **anew, weights=file, options={"hidden": 6}, freeze="all", run=second
    )  # another head on the frozen convolutions
    before, after = load_file(file), load_file(second / "model.safetensors")
    assert {name.split(".")[0] for name in after if name in before and before[name].equal(after[name])} == {
        "stem",
        "stages",
    }
    assert cut.model.head.dense1.weight.std().item() == pytest.approx(0.01, rel=0.2)
    assert "init=gaussian is for head.dense1, head.classifier; the other" in "".join(config_of(second)["notes"])
