"""From what a caller says to what is planned, opened and carried out; nothing is trained here."""

import csv
import inspect
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import striate
from striate.classifier import resume, runs
from striate.classifier.places import place_of
from striate.classifier.request import Request
from striate.classifier.run_config import RunConfig
from striate.data import open_dataset
from striate.data.dataset import Skipped
from striate.errors import StriateError, UsageError
from striate.training.fabric import create_fabric
from striate.training.progress import Lines, Quiet
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.watch import Watching


class Stop(Exception):
    """As far as a test goes."""


def stop(*arguments, **options):
    raise Stop


@pytest.fixture
def planned(monkeypatch):
    """Collects what would be planned, and goes no further."""
    calls: list[tuple] = []
    monkeypatch.setattr(runs, "plan_run", lambda dataset, asked, watch: calls.append((dataset, asked)) or stop())
    return calls


@pytest.fixture
def carried_out(monkeypatch):
    """Collects what would be carried out."""
    calls: list[tuple] = []
    monkeypatch.setattr(runs, "execute", lambda *arguments: calls.append(arguments))
    return calls


@pytest.fixture
def fabrics(monkeypatch):
    """Collects the devices that are asked for; one processor is given."""
    asked: list[tuple] = []
    one = create_fabric("cpu", 1, "32-true")
    monkeypatch.setattr(runs, "create_fabric", lambda *given: asked.append(given) or one)
    return asked


def test_all_that_is_said_is_planned(planned, colours, tmp_path):
    dataset, recipe = open_dataset(colours), Recipe(name="mine")
    said = {"model": "resnet18", "weights": None, "recipe": recipe, "size": 40, "freeze": "stage1", "seed": 6}
    said |= {
        "device": "cpu",
        "devices": 2,
        "precision": "bf16",
        "workers": 5,
        "cache": "disk",
        "options": {"stem": "small"},
    }
    rates = {"epochs": 7, "batch_size": 12, "learning_rate": 0.25}
    with pytest.raises(Stop):
        striate.train(dataset, **said, **rates, settings={"augment.flip": 0.5}, run=tmp_path / "run")
    said |= {"settings": rates | {"augment.flip": 0.5}, "run": tmp_path / "run"}
    assert planned == [(dataset, Request(source=dataset, **said))]


def test_what_is_left_out_is_left_open(planned, colours):
    dataset = open_dataset(colours)
    with pytest.raises(Stop):
        striate.train(dataset)
    ((opened, asked),) = planned
    open_questions = dict.fromkeys(
        [
            "model",
            "weights",
            "recipe",
            "size",
            "resize",
            "freeze",
            "workers",
            "run",
            "task",
            "transfer",
            "grow_from",
            "views",
            "shallow",
        ]
    )
    decided = {"settings": {}, "options": {}, "seed": 0, "device": "auto", "devices": 1, "precision": "auto"}
    decided |= {
        "grow_rule": "identity",
        "source": dataset,
        "target": (),
        "val_fraction": 0.1,
        "command": "",
        "cache": "auto",
    }
    assert (opened, vars(asked)) == (dataset, open_questions | decided)


def test_defaults_are_those_that_are_told():
    told = {"val_fraction": 0.1, "seed": 0, "device": "auto", "devices": 1, "precision": "auto", "time_limit": 0}
    told |= {
        "cache": "auto",
        "grow_rule": "identity",
        "checkpoint_every": 60,
        "quiet": False,
        "report": True,
        "drop_checkpoint": False,
    }
    asked = {name: each.default for name, each in inspect.signature(striate.train).parameters.items()}
    assert asked == dict.fromkeys(asked, None) | told | {"source": inspect.Parameter.empty}
    kept = {name: told[name] for name in ("time_limit", "checkpoint_every", "quiet", "report", "drop_checkpoint")}
    assert kept == {name: each.default for name, each in inspect.signature(runs.watching).parameters.items()}
    assert kept.keys() == Watching.__annotations__.keys()
    later = {name: each.default for name, each in inspect.signature(resume).parameters.items() if name != "watch"}
    later_only = dict.fromkeys(["data", "workers", "cache", "trust", "model"])
    assert later == {"run": inspect.Parameter.empty, "extend": 0} | later_only
    with pytest.raises(TypeError, match="epochs"):
        resume("run", epochs=3)


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("seed", [0, 2**32 - 1], [-1, 2**32]),
        ("devices", [1, 1024], [0, 1025]),
        ("size", [1, 8192], [0, 8193]),
        ("workers", [0, 256, None], [-1, 257]),
        ("val_fraction", [0, 0.999], [-0.001, 1]),
    ],
)
def test_numbers_are_taken_up_to_their_bounds(planned, colours, name, taken, refused):
    dataset = open_dataset(colours)
    for value in taken:
        with pytest.raises(Stop):
            striate.train(dataset, **{name: value})
    for value in refused:
        with pytest.raises(UsageError, match=f"^{name} is "):
            striate.train(dataset, **{name: value})
    assert [getattr(asked, name) for _, asked in planned] == taken


def test_a_number_of_bits_is_a_precision_too(planned, colours):
    with pytest.raises(Stop):
        striate.train(open_dataset(colours), precision=32)
    assert planned[0][1].precision == "32"


def test_a_place_is_opened_as_the_split_and_the_weights_want_it(monkeypatch, trained, tmp_path):
    asked = []
    monkeypatch.setattr(runs, "open_place", lambda place, **options: asked.append((place, options)) or stop())
    file, grey = trained / "model.safetensors", tmp_path / "grey"
    for given in (
        {},
        {"model": "lenet5"},
        {"model": "lenet5", "weights": file},
        {"model": "resnet18", "weights": "imagenet"},
        {"recipe": "lenet_1998"},
        {"weights": file},
    ):
        with pytest.raises(Stop):
            striate.train(grey, seed=4, val_fraction=0.3, run=tmp_path / "run", **given)
    channels = [None, None, 3, 3, None, 3]  # the last by the network of the weights
    assert asked == [
        (grey, {"seed": 4, "val_fraction": 0.3, "channels": each, "task": None, "target": ()}) for each in channels
    ]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"model": "lenet5", "size": 5}, "lenet5"),
        ({"model": "lenet5", "freeze": "stage9"}, "stage9"),
        ({"model": "lenet5", "weights": "nowhere.safetensors"}, "nowhere"),
        ({"model": "lenet5", "options": {"colour": 3}}, "colour"),
        ({"recipe": "mnist_fast", "freeze": "stage9"}, "stage9"),
        ({"settings": {"network": "lenet5"}, "size": 5}, "lenet5"),
    ],
)
def test_a_network_that_cannot_be_is_refused_before_images_are_looked_for(asked, told, tmp_path):
    with pytest.raises(StriateError, match=told) as error:
        striate.train(tmp_path / "no_images_here", run=tmp_path / "run", **asked)
    assert "no_images_here" not in str(error.value)


def test_a_folder_that_is_taken_is_refused_before_images_are_looked_for(run, tmp_path):
    with pytest.raises(UsageError, match=f"^{run} exists already"):
        striate.train(tmp_path / "no_images_here", run=run)


def test_new_runs_do_not_lie_among_images_in_a_folder_of_their_name(paint, tmp_path, monkeypatch):
    paint(tmp_path / "runs", count=2)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^runs would lie among the images of runs; give a folder elsewhere"):
        striate.train("runs", model="lenet5")


def test_what_is_planned_is_written_and_carried_out(carried_out, fabrics, colours, tmp_path):
    before = time.strftime("%Y-%m-%d %H:%M:%S")
    asked = {"devices": 3, "device": "cpu", "precision": "bf16", "val_fraction": 0.2, "command": "striate train it"}
    striate.train(str(colours), **asked, batch_size=6, model="lenet5", run=tmp_path / "run")
    ((folder, config, dataset, _, watch, *_),) = carried_out
    assert fabrics == [("cpu", 3, "bf16-mixed")]
    assert before <= config.created <= time.strftime("%Y-%m-%d %H:%M:%S")
    assert (config.source, config.absolute_source, config.val_fraction) == (str(colours), str(colours), 0.2)
    assert (config.command, config.recipe.batch_size) == ("striate train it", 6)
    assert RunConfig.read(folder) == config
    assert dataset.source == str(colours)
    assert type(watch.progress) is Lines
    assert (watch.time_limit, watch.checkpoint_every) == (0, 60)
    assert (watch.report, watch.drop_checkpoint) == (True, False)
    assert not folder.skipped.exists()
    RunFolder(tmp_path / "run").lock()  # nobody is in it any more


@pytest.mark.parametrize("source", ["photos", "photos.v2", "list.csv", "link"])
def test_a_run_without_a_folder_is_called_after_its_images(source, carried_out, colours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "photos.v2"):
        (tmp_path / name).mkdir()
    (tmp_path / "list.csv").touch()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    called = {"photos.v2": "photos", "list.csv": "list", "link": "photos"}.get(source, source)
    dataset = replace(open_dataset(colours), source=source)
    for path in (f"runs/{called}", f"runs/{called}-2"):
        striate.train(dataset, model="lenet5")
        assert carried_out[-1][0].path == Path(path)


@pytest.mark.parametrize("source", ["", "/"])
def test_images_without_a_name_give_a_run_of_no_name(source, carried_out, colours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert runs._stem(source) == "run"


def test_what_was_left_out_is_listed_in_the_folder(carried_out, colours, tmp_path):
    dataset = replace(open_dataset(colours), skipped=(Skipped("a.png", "broken"), Skipped("b.png", "empty")))
    striate.train(dataset, model="lenet5", run=tmp_path / "run")
    rows = list(csv.reader((tmp_path / "run" / "skipped.csv").open()))
    assert rows == [["path", "reason"], ["a.png", "broken"], ["b.png", "empty"]]


@pytest.fixture
def second(monkeypatch, run):
    """This process is the second of two in `run`, and may write nothing."""
    told = SimpleNamespace(world_size=2, is_global_zero=False, broadcast=lambda _: (str(run), ""))
    monkeypatch.setattr(runs, "create_fabric", lambda *given: told)
    return {path: path.read_bytes() for path in run.iterdir() if path.is_file() and path.name != ".lock"}


def written(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.iterdir() if path.is_file() and path.name != ".lock"}


def test_only_the_first_process_writes_and_speaks(carried_out, second, run, colours, tmp_path):
    dataset = replace(open_dataset(colours), skipped=(Skipped("a.png", "broken"),))
    striate.train(dataset, model="lenet5", run=tmp_path / "other")
    resume(run, data=shutil.copytree(colours, tmp_path / "copy"))
    assert [folder.path for folder, *_ in carried_out] == [run, run]
    assert [type(watch.progress) for _, _, _, _, watch, *_ in carried_out] == [Quiet, Quiet]
    assert carried_out[1][1].source == str(tmp_path / "copy")
    assert written(run) == second
    assert not (tmp_path / "other").exists()


def test_a_run_goes_on_where_its_configuration_says(monkeypatch, carried_out, fabrics, run):
    RunFolder(run).update_config(devices=3, precision="bf16-mixed", workers=4)
    resume(run)
    assert fabrics == [("cpu", 3, "bf16-mixed")]
    assert carried_out[0][1] == RunConfig.read(RunFolder(run))
    assert type(carried_out[0][4].progress) is Lines
    RunFolder(run).lock()  # nobody is in it any more


def test_images_that_have_moved_are_remembered(carried_out, run, colours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = RunConfig.read(RunFolder(run))
    shutil.copytree(colours, tmp_path / "copy")
    resume(run, data="copy")
    moved = replace(before, source="copy", absolute_source=str(tmp_path / "copy"))
    assert carried_out[0][1] == RunConfig.read(RunFolder(run)) == moved
    assert carried_out[0][2].source == "copy"
    handed = replace(open_dataset(colours), source="")
    resume(run, data=handed)
    assert carried_out[1][1] == RunConfig.read(RunFolder(run)) == replace(before, source="", absolute_source="")
    assert carried_out[1][2] is handed
    assert place_of("") == {"source": "", "absolute_source": ""}


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [("extend", [0, 1_000_000], [-1, 1_000_001]), ("workers", [0, 256], [-1, 257])],
)
def test_numbers_of_a_run_that_goes_on_have_bounds(carried_out, run, name, taken, refused):
    for value in taken:
        resume(run, **{name: np.int64(value)})
        assert (carried_out[-1][5] if name == "extend" else carried_out[-1][1].workers) == value
    for value in refused:
        with pytest.raises(UsageError, match=f"^{name} is "):
            resume(run, **{name: value})


def test_where_pictures_are_kept_may_change_as_a_run_goes_on_and_decides_nothing(carried_out, run):
    before = RunConfig.read(RunFolder(run))
    assert before.cache == "auto"
    resume(run, cache="disk")
    assert carried_out[-1][1] == replace(before, cache="disk")
    assert carried_out[-1][1].identity == before.identity
    for refused in (lambda: resume(run, cache="tape"), lambda: striate.train(run, cache="tape")):
        with pytest.raises(UsageError, match="unknown cache 'tape'"):
            refused()


def test_nothing_is_kept_of_images_where_the_cache_is_off(planned, colours):
    from striate.data import FileImages

    for cache in ("off", "disk"):
        with pytest.raises(Stop):
            striate.train(colours, cache=cache)
        assert type(planned[-1][0].train.images) is FileImages


def test_a_run_that_goes_on_keeps_as_little_in_memory(carried_out, run):
    from striate.data import FileImages

    resume(run, cache="off")
    assert type(carried_out[-1][2].train.images) is FileImages
    resume(run)
    assert type(carried_out[-1][2].train.images) is not FileImages


def test_images_that_are_not_the_same_are_told_by_where_they_were_looked_for(carried_out, run, paint, tmp_path):
    other = open_dataset(paint(tmp_path / "other", seed=3))
    with pytest.raises(StriateError, match=f"^{other.source}: not the images that {run} was trained on"):
        resume(run, data=other)
    RunFolder(run).update_config(source=other.source, absolute_source=other.source)
    words = f"^{other.source}: the images have changed since {run} was trained.*striate train --resume {run} --data NEW"
    with pytest.raises(StriateError, match=words):
        resume(run)
    spaced = RunFolder(run.rename(tmp_path / "my run"))
    with pytest.raises(StriateError, match=f"--resume '{spaced.path}' --data NEW_PLACE"):
        resume(spaced.path)
    assert not carried_out
