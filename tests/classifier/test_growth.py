"""A run that grows from another: what its folder says, what trains when, that it goes on exactly, what is refused."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import striate
from striate.classifier import resume
from striate.classifier.growth import read_growth
from striate.classifier.run_config import RunConfig
from striate.errors import StriateError, UsageError
from striate.training.run_folder import RunFolder

PLAIN = {"workers": 0, "quiet": True, "batch_size": 4}
NORMS = {"width": 0.05, "norm": "batch"}


@pytest.fixture(scope="module")
def shallow(colours, tmp_path_factory) -> Path:
    """A narrow column A with batch norms, hardly trained."""
    run = tmp_path_factory.mktemp("grown") / "a"
    return striate.train(colours, model="vgg_a", options=NORMS, size=32, epochs=2, **PLAIN, report=False, run=run).path


def tensors(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model.safetensors")


def test_the_folder_says_what_grew_from_what(shallow, colours, tmp_path, capsys):
    arguments = {**PLAIN, "quiet": False, "epochs": 1, "learning_rate": 0.0}
    run = striate.train(colours, model="vgg_d", grow_from=shallow, run=tmp_path / "d", **arguments).path
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    assert config["grown"].keys() == {"from", "shallow", "rule", "copied", "new", "fresh"}
    assert (config["grown"]["from"], config["grown"]["shallow"]) == (str(shallow), "vgg_a")
    assert (config["grown"]["rule"], config["grown"]["fresh"]) == ("identity", [])
    assert config["weights"] is None
    words = f"grown from {shallow} (vgg_a): 8 of 13 convolutions copied, 5 new begin as identity"
    assert words in config["notes"]
    assert words in capsys.readouterr().err
    report = (run / "report.html").read_text(encoding="utf-8")
    assert words in report
    assert f"{shallow}, whose vgg_a it grew from" in report
    # options, size and preprocessing are the shallow network's
    before, after = striate.load(shallow), striate.load(run)
    for name in ("width", "norm", "input_size"):
        assert after.model.spec.arguments[name] == before.model.spec.arguments[name]
    assert after.description.preprocessing.mean == before.description.preprocessing.mean
    assert RunConfig.read(RunFolder(run)).grown == config["grown"]
    given, kept = tensors(shallow), tensors(run)
    weights = [name for name in given if "running" not in name and "num_batches" not in name]
    assert all(kept[name].equal(given[name]) for name in weights)  # at a rate of 0


def test_new_layers_train_first_and_then_all(shallow, colours, tmp_path, capsys):
    phases = {"freeze": "copied", "settings": {"unfreeze": "2:none"}}
    once = {**PLAIN, "quiet": False, "val_fraction": 0, "grow_from": shallow, "model": "vgg_d"}
    first = striate.train(colours, **once, freeze="copied", epochs=1, run=tmp_path / "one").path
    report = (first / "report.html").read_text(encoding="utf-8")
    assert "the copied layers" in report
    assert "random first weights" not in capsys.readouterr().err
    given, kept = tensors(shallow), tensors(first)
    assert all(kept[name].equal(given[name]) for name in given if "num_batches" not in name)
    new = [name for name in kept if name not in given and name.endswith("weight")]
    assert len(new) == 10
    both = striate.train(colours, **once, **phases, epochs=2, run=tmp_path / "two").path
    assert "epoch 2: the copied layers trained from here on; nothing is frozen any more" in capsys.readouterr().err
    assert "the copied layers from epoch 2 on" in (both / "report.html").read_text(encoding="utf-8")
    assert not tensors(both)["stem.conv1.weight"].equal(given["stem.conv1.weight"])


@pytest.mark.sampled
@pytest.mark.parametrize("rule", ["identity", "random"])
def test_it_goes_on_bit_for_bit_and_needs_the_shallow_run_no_more(rule, shallow, colours, tmp_path):
    own = tmp_path / "a"
    shutil.copytree(shallow, own)
    settings = {"unfreeze": "2:none", "average": 0.9}
    arguments = {"model": "vgg_d", "grow_from": own, "grow_rule": rule, "freeze": "copied", "settings": settings}
    arguments |= {**PLAIN, "epochs": 3, "report": False}
    straight = striate.train(colours, **arguments, run=tmp_path / "straight").path
    stopped = striate.train(colours, **arguments, run=tmp_path / "stopped", time_limit=1e-9).path
    shutil.rmtree(own)
    for _ in range(12):  # a step at a time, through the frozen epoch and beyond it
        resume(stopped, time_limit=1e-9, quiet=True, report=False, workers=0)
    resume(stopped, quiet=True, report=False, workers=0)
    wanted, found = tensors(straight), tensors(stopped)
    assert wanted.keys() == found.keys()
    assert all(found[name].equal(wanted[name]) for name in wanted)
    rows = [list(csv.DictReader((run / "metrics.csv").open(encoding="utf-8"))) for run in (straight, stopped)]
    assert rows[0] == rows[1]


def test_a_run_cannot_begin_once_the_shallow_one_is_gone_or_another(shallow, colours, tmp_path):
    own = tmp_path / "a"
    shutil.copytree(shallow, own)
    run = striate.train(colours, model="vgg_d", grow_from=own, **PLAIN, epochs=1, report=False, run=tmp_path / "d").path
    for name in ("last.ckpt", "model.safetensors", "metrics.csv", "timing.csv"):
        (run / name).unlink()
    shutil.rmtree(own)
    with pytest.raises(StriateError, match="a: no such model file"):
        resume(run, quiet=True)
    striate.train(
        colours, model="vgg_b", options=NORMS, size=32, epochs=1, **PLAIN, report=False, run=own, val_fraction=0
    )
    with pytest.raises(StriateError, match="a: not the network any more that was to grow"):
        resume(run, quiet=True)


def test_edited_growth_is_another_run(shallow, colours, tmp_path):
    run = striate.train(
        colours, model="vgg_d", grow_from=shallow, **PLAIN, epochs=1, report=False, run=tmp_path / "d"
    ).path
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    for edited, line in (
        ({**config["grown"], "copied": ["stem.conv1"]}, "belongs to another run"),
        ({**config["grown"], "copied": "stem"}, "grown: it does not say what was copied from where"),
        ("vgg_a", "grown: "),
    ):
        (run / "config.json").write_text(json.dumps({**config, "grown": edited}), encoding="utf-8")
        with pytest.raises(StriateError, match=line):
            resume(run, quiet=True, extend=1)
    with pytest.raises(ValueError, match="what was copied from where"):
        read_growth({**config["grown"], "rule": "none"})


def test_other_classes_get_a_fresh_head_and_the_recipes_rule_for_what_is_new(shallow, colours, tmp_path):
    few = tmp_path / "few"
    for name in ("blue", "red"):
        shutil.copytree(colours / name, few / name)
    run = striate.train(
        few, model="vgg_b", grow_from=shallow, grow_rule="random", settings={"init": "xavier"}, **PLAIN, epochs=1,
        report=False, run=tmp_path / "b",
    ).path  # fmt: skip
    config = RunConfig.read(RunFolder(run))
    assert config.grown["fresh"] == ["head.classifier"]
    assert any("head.classifier at random, for other outputs or images" in note for note in config.notes)
    before, after = striate.load(shallow), striate.load(run)
    assert after.description.preprocessing.mean == before.description.preprocessing.mean  # not of these images
    assert after.description.preprocessing.size == before.description.preprocessing.size
    new = after.model.get_parameter("stem.conv2.weight")
    assert (new != 0).float().mean() > 0.9  # no Dirac kernels
    assert "init=xavier is for layers that are neither copied nor begin as identity" in config.notes


IMPOSSIBLE = [
    ({"model": "resnet18"}, "resnet18 is of another family than vgg_a; vgg_a grows into"),
    ({"model": "vgg_a"}, "vgg_a is not vgg_a made deeper"),
    ({}, "which network is to grow"),
    ({"model": "torchvision:vgg16"}, "is not of the catalogue"),
    ({"model": torch.nn.Linear(2, 2)}, "a module that is handed over does not grow"),
    ({"model": "vgg_d", "weights": "imagenet"}, "weights and grow_from both say what training starts from"),
    ({"model": "vgg_d", "grow_rule": "grow"}, "unknown rule of growing 'grow'"),
    ({"model": "vgg_d", "options": {"width": 0.1}}, r"stem.conv1 is conv1 Conv2d\(3, 3|stem.conv1 is Conv2d\(3, 3"),
    ({"model": "vgg_d", "freeze": "copied", "settings": {"unfreeze": "2:stem"}}, "lie among new ones; write 2:none"),
]


@pytest.mark.parametrize(("arguments", "line"), IMPOSSIBLE)
def test_what_cannot_grow_is_refused_before_an_image_is_read(arguments, line, shallow, tmp_path):
    with pytest.raises(UsageError, match=line) as raised:
        striate.train(tmp_path / "no images", grow_from=shallow, run=tmp_path / "run", **arguments)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_files_that_nothing_grows_from_are_refused(shallow, tmp_path):
    no = tmp_path / "no images"
    with pytest.raises(StriateError, match="no such model file"):
        striate.train(no, model="vgg_d", grow_from=tmp_path / "nowhere")
    with pytest.raises(StriateError, match=r"last.ckpt: a checkpoint, not a model"):
        striate.train(no, model="vgg_d", grow_from=shallow / "last.ckpt")
    save_file(tensors(shallow), tmp_path / "nameless.safetensors")
    with pytest.raises(UsageError, match=r"nameless.safetensors: does not say what network it is; grow from a run"):
        striate.train(no, model="vgg_d", grow_from=tmp_path / "nameless.safetensors")
    with pytest.raises(UsageError, match="grow_rule says how a network grows: give grow_from with it"):
        striate.train(no, model="vgg_d", grow_rule="random")
    with pytest.raises(UsageError, match="no layer of vgg_d is copied from a shallower network"):
        striate.train(no, model="vgg_d", freeze="copied", size=32)
