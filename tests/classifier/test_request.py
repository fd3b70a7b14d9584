"""Impossible values are refused before an image is looked for, and before a folder is made."""

import inspect
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import striate
from striate.classifier import resume
from striate.classifier.request import Request, check_hardware, check_network, check_recipe
from striate.classifier.values import (
    DECIDED,
    fields,
    network_options,
    place,
    recipe_fields,
    seconds,
    share,
    whole,
    word,
)
from striate.data import open_dataset
from striate.errors import StriateError, UsageError
from striate.models import create_model
from striate.models.options import OF_ALL
from striate.training.recipes import Recipe
from striate.training.shelf import get_recipe

BAD = [
    ("seed", -1),
    ("seed", 1.5),
    ("seed", "7"),
    ("seed", True),
    ("seed", 2**32),
    ("seed", None),
    ("time_limit", "soon"),
    ("time_limit", "-5"),
    ("time_limit", -5),
    ("time_limit", math.nan),
    ("time_limit", "15 minutes"),
    ("time_limit", None),
    ("checkpoint_every", -1),
    ("checkpoint_every", math.nan),
    ("checkpoint_every", "often"),
    ("val_fraction", -0.1),
    ("val_fraction", 1),
    ("val_fraction", math.nan),
    ("val_fraction", "0.1"),
    ("val_fraction", None),
    ("workers", -3),
    ("workers", 2.5),
    ("workers", 10**6),
    ("size", 0),
    ("size", -32),
    ("size", 10**6),
    ("size", 32.0),
    ("devices", 0),
    ("devices", -1),
    ("devices", "2"),
    ("epochs", 0),
    ("epochs", 2.5),
    ("epochs", math.nan),
    ("batch_size", 0),
    ("learning_rate", -0.1),
    ("learning_rate", math.nan),
    ("learning_rate", math.inf),
    ("device", "quantum"),
    ("precision", "8"),
    ("recipe", "tinny"),
    ("recipe", {"epochs": 3}),
    ("model", "lenet6"),
    ("freeze", "stage9"),
    ("weights", "imagenett"),
    ("weights", "nowhere.safetensors"),
    ("options", {"colour": "red"}),
    ("settings", {"augment.rotat": 3}),
    ("settings", {"augment.flip": 7}),
    ("settings", {"network": "lenet6"}),
    ("settings", {"epochs": True}),
    ("settings", {3: 4}),
    ("settings", "epochs=3"),
    ("settings", ["epochs=3"]),
    ("options", ["shortcut=B"]),
    *(("options", {name: 3}) for name in DECIDED),
    ("epochs", True),
    ("time_limit", True),
    ("model", ""),
    ("model", 5),
    ("freeze", ""),
    ("freeze", 5),
    ("weights", ""),
    ("weights", 5),
    ("run", ""),
    ("run", 5),
    ("run", "a\0b"),
    ("precision", 8),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda item: str(item)[:30])
def test_an_impossible_value_is_refused_before_images_and_folder(name, value, tmp_path):
    values = {"model": "resnet18", "run": tmp_path / "run", name: value}
    if name == "settings":
        values["model"] = None
    with pytest.raises(StriateError) as error:
        striate.train(tmp_path / "no_images_here", **values)
    assert "no_images_here" not in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


#: Parts that a network does not have, or in an order that frees nothing, each with what is said of it.
PARTS = [
    ({"settings": {"unfreeze": "2:none"}}, "give freeze with it, one of "),
    ({"settings": {"unfreeze": "2:layer9"}, "freeze": "all"}, "names 'layer9', and "),
    ({"settings": {"unfreeze": "2:all"}, "freeze": "all"}, "frees nothing in epoch 2"),
    ({"recipe": Recipe(unfreeze="2:layer9"), "freeze": "all"}, "names 'layer9', and "),
    ({"settings": {"unfreeze": "soon"}, "freeze": "all"}, "write EPOCH:PART"),
    ({"freeze": "layer9"}, "unknown stage of "),
]
#: Somebody else's network, whose parts are found by running it; it works at 20 pixels only.
NET = """
from torch import nn
def build(num_classes):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(1024, num_classes))
class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(__import__("torch").ones(3, 3))
    def forward(self, x):
        return x.mean((2, 3)) @ self.weight.T
"""


@pytest.mark.parametrize("asked", PARTS, ids=lambda asked: str(asked)[:60])
@pytest.mark.parametrize("model", ["resnet18", "net.py:build"])
def test_parts_that_there_are_not_are_refused_before_images_and_folder(model, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    options, said = asked
    with pytest.raises(UsageError, match=re.escape(said)) as error:
        striate.train("no_images_here", model=model, size=20 if model != "resnet18" else None, **options)
    assert "\n" not in str(error.value)
    if "names" in said:
        assert ("0, 2 (" if model != "resnet18" else "stem, stage1, stage2, stage3, stage4 (") in str(error.value)
    assert not Path("runs").exists()


def test_a_network_without_parts_says_so_before_images_where_they_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    for asked in ({"settings": {"stage_decay": 0.5}}, {"freeze": "all"}):
        with pytest.raises(UsageError, match=r"Whole cannot be frozen, nor trained at a rate for each part: .*; make"):
            striate.train("no_images_here", model="net.py:Whole", **asked)
    with pytest.raises(StriateError, match="no_images_here"):
        striate.train("no_images_here", model="net.py:Whole")


def test_what_a_network_of_ones_own_cannot_work_on_is_left_to_the_images(tmp_path, monkeypatch):
    """At 224 pixels, which it is tried on where nobody says, its dense layer does not fit."""
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    chance = torch.get_rng_state()
    with pytest.raises(StriateError, match="no_images_here"):
        striate.train("no_images_here", model="net.py:build", freeze="all")
    assert torch.equal(torch.get_rng_state(), chance)


def test_a_module_that_is_handed_over_is_as_it_was_after_it_was_looked_at(tmp_path):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    module(torch.zeros(1, 3, 8, 8))
    module[1].requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    chance = torch.get_rng_state()
    with pytest.raises(StriateError, match="no_images_here"):
        striate.train(tmp_path / "no_images_here", model=module, size=8, freeze="all", settings={"unfreeze": "2:none"})
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert [weight.requires_grad for weight in module.parameters()] == [True, True, False, False, True, True]
    assert torch.equal(torch.get_rng_state(), chance)


@pytest.mark.parametrize("source", ["", None, 5, "a\0b", b"photos"])
def test_what_is_no_place_of_images_is_refused(source, tmp_path):
    with pytest.raises(UsageError, match=r"source is .*; give a path"):
        striate.train(source, run=tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_field_that_is_given_twice_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"epochs is given twice, as 2 and as 3 \(among settings\)"):
        striate.train(tmp_path / "no_images_here", epochs=2, settings={"epochs": 3})


def test_a_run_folder_among_the_images_is_refused(paint, tmp_path, monkeypatch):
    photos = paint(tmp_path / "photos", count=3)
    monkeypatch.chdir(photos)
    for source in (".", photos, open_dataset(".")):
        for where in ({}, {"run": "red/run"}, {"run": photos / "new"}):
            with pytest.raises(UsageError, match=r"would lie among the images of .*run=FOLDER"):
                striate.train(source, **where)
    assert sorted(path.name for path in photos.iterdir()) == ["blue", "green", "red"]
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(UsageError, match="would lie among the images of"):
        striate.train(photos, run=tmp_path / "link" / "run")
    with pytest.raises(UsageError, match="would lie among the images of"):
        striate.train(tmp_path / "link", run=photos / "run")
    fast = {"model": "lenet5", "epochs": 1, "workers": 0, "report": False, "quiet": True}
    assert striate.train(".", run="../photos-run", **fast).path == Path("../photos-run")


def test_a_home_is_a_home_in_every_path(colours, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    fast = {"model": "lenet5", "epochs": 1, "workers": 0, "report": False, "quiet": True}
    (tmp_path / "photos").symlink_to(colours)
    assert striate.train("~/photos", run="~/deep/run", **fast).path == tmp_path / "deep" / "run"
    assert striate.load("~/deep/run").save("~/copy.safetensors") == tmp_path / "copy.safetensors"
    assert resume("~/deep/run", quiet=True, report=False).evaluate("~/photos").split == "val"
    with pytest.raises(UsageError, match="~no-such-user/run does not exist"):
        resume("~no-such-user/run")


def test_a_recipes_network_can_be_set_and_its_weights_say_the_channels(colours, tmp_path):
    fast = {"epochs": 1, "workers": 0, "report": False, "quiet": True}
    first = striate.train(colours, run=tmp_path / "first", settings={"network": "keras_mnist"}, **fast)
    assert first.description.network["name"] == first.description.recipe["network"] == "keras_mnist"
    grey = striate.train(open_dataset(colours, channels=1), model="striate_s", run=tmp_path / "grey", **fast)
    weights = grey.path / "model.safetensors"
    again = striate.train(colours, recipe="mnist_fast", weights=weights, run=tmp_path / "again", **fast)
    assert (again.description.network["name"], again.model.in_channels) == ("striate_s", 1)


def test_a_possible_request_gets_as_far_as_the_images(tmp_path):
    possible = {"seed": 0, "time_limit": "15m", "val_fraction": 0, "workers": 0, "size": 64, "freeze": "stage2"}
    possible |= {"recipe": Recipe(), "settings": {"augment.flip": 0.5}, "options": {"stem": "small"}, "devices": 1}
    with pytest.raises(StriateError, match="no_images_here"):
        striate.train(tmp_path / "no_images_here", model="resnet18", run=tmp_path / "run", **possible)


@pytest.mark.parametrize(
    ("name", "value"),
    [("extend", -1), ("extend", 1.5), ("workers", -3), ("time_limit", "soon"), ("checkpoint_every", math.nan)],
)
def test_going_on_refuses_the_same(run, name, value):
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(UsageError, match=name):
        resume(run, **{name: value})
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("given", "expected"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("1.5h", 5400), ("90", 90), (" 15 m ", 900), (0, 0), (0.5, 0.5), (7, 7)],
)
def test_a_time_is_seconds_or_text_with_a_unit(given, expected):
    assert seconds("time_limit", given) == expected


def test_numbers_of_numpy_are_taken_and_become_pythons():
    assert type(whole("seed", np.int64(3), 0, 9)) is int
    assert [whole("seed", edge, 0, 9) for edge in (0, 9)] == [0, 9]
    assert share("val_fraction", np.float64(0.25)) == 0.25
    assert share("val_fraction", 0) == 0
    assert share("val_fraction", np.float32(0.25)) == seconds("time_limit", np.float32(0.25)) == 0.25
    assert type(share("val_fraction", np.float32(0.25))) is type(seconds("time_limit", np.int64(3))) is float
    with pytest.raises(UsageError, match="val_fraction"):
        share("val_fraction", 1)
    with pytest.raises(UsageError, match="seed is 10; whole numbers from 0 to 9"):
        whole("seed", 10, 0, 9)


def test_frozen_random_weights_and_a_rate_of_zero_are_told(colours, tmp_path, capsys):
    fast = {"model": "lenet5", "epochs": 1, "workers": 0, "report": False}
    notes = {}
    for name, values in {
        "all": {"freeze": "all"},
        "stem": {"freeze": "stem"},
        "stage": {"model": "striate_s", "freeze": "stage1"},
        "rate": {"learning_rate": 0},
        "climb": {"settings": {"warmup_epochs": 5}},
        "none": {},
    }.items():
        run = Path(tmp_path / name)
        striate.train(colours, run=run, **(fast | values))
        written = _notes(run)
        notes[name], said = written, capsys.readouterr().err
        for note in written:
            assert f"note: {note}" in said
    assert any("frozen until 'all' at random first weights" in note for note in notes["all"])
    assert any("frozen until 'stem' at random first weights" in note for note in notes["stem"])
    assert any("frozen until 'stage1' at random first weights" in note for note in notes["stage"])
    assert any("learning rate is 0" in note for note in notes["rate"])
    assert any("warm-up takes 90% of training, not 5 epochs" in note for note in notes["climb"])
    assert not any("frozen" in note or "rate is 0" in note or "warm-up" in note for note in notes["none"])
    start = tmp_path / "none" / "model.safetensors"
    striate.train(colours, run=tmp_path / "tuned", weights=start, freeze="all", **fast)
    assert not any("frozen" in note for note in _notes(tmp_path / "tuned"))


def _notes(run: Path) -> list[str]:
    return json.loads((run / "config.json").read_text(encoding="utf-8"))["notes"]


@pytest.mark.parametrize("value", ["lenet5", "a b"])
def test_a_name_is_a_word(value):
    assert word("model", value) == value
    for wrong in ("", None, 3, Path("lenet5"), b"lenet5"):
        with pytest.raises(UsageError, match=re.escape(f"model is {wrong!r}; give a name, or leave it out.")):
            word("model", wrong)


def test_a_place_is_a_path_as_it_was_given(tmp_path):
    for value in ("photos", Path("photos"), tmp_path, " ", "~/photos"):
        assert place("source", value) is value
    for wrong in ("", None, 3, b"photos", "a\0b", ["photos"]):
        with pytest.raises(UsageError, match=re.escape(f"source is {wrong!r}; give a path.")):
            place("source", wrong)


def test_values_by_name_are_copied():
    given = {"a": 1}
    found = fields("settings", given)
    assert found == given
    assert found is not given
    assert fields("settings", None) == {}
    for wrong in ([], "", 0, {1: 2}, {"a": 1, 2: 3}):
        with pytest.raises(UsageError, match=re.escape(f"settings is {wrong!r}; give values by name, such as")):
            fields("settings", wrong)


def test_fields_of_a_recipe_come_from_arguments_and_settings():
    arguments = {"epochs": 0, "batch_size": None, "learning_rate": 0.5}
    assert recipe_fields(arguments, {"gamma": 1}) == {"epochs": 0, "learning_rate": 0.5, "gamma": 1}
    assert recipe_fields(arguments, {"batch_size": 3}) == {"epochs": 0, "learning_rate": 0.5, "batch_size": 3}
    assert recipe_fields({}, None) == {}
    with pytest.raises(UsageError, match=r"^epochs is given twice, as 0 and as 4 \(among settings\)\.$"):
        recipe_fields(arguments, {"epochs": 4})


def test_what_is_decided_elsewhere_is_no_option_of_a_network():
    assert network_options({"stem": "small"}) == {"stem": "small"}
    assert network_options(None) == {}
    why = {
        "name": "give it as the model",
        "num_classes": "the images decide it",
        "in_channels": "the images decide it",
        "input_size": "give it as the size",
        "weights": "give them by themselves",
        "fully_convolutional": "a network is trained with its dense layers",
    }
    assert why.keys() == set(inspect.signature(create_model).parameters) - {"options", *OF_ALL}
    for name, reason in why.items():
        with pytest.raises(UsageError, match=f"^{name} is no option of a network: {reason}\\.$"):
            network_options({name: 1})


@pytest.mark.parametrize(("low", "high"), [(0, 9), (1, 2000)])
def test_a_whole_number_lies_between_its_bounds(low, high):
    for value in (low, high, np.int64(high), np.uint8(low)):
        assert whole("size", value, low, high) == value
        assert type(whole("size", value, low, high)) is int
    for wrong in (low - 1, high + 1, 1.0, "1", None, True, False, np.float64(1), [1]):
        with pytest.raises(UsageError) as error:
            whole("size", wrong, low, high)
        assert str(error.value) == f"size is {wrong}; whole numbers from {low} to {high:,} are possible."


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("1s", 1), ("2 m", 120), ("0.5h", 1800), ("1.25m", 75), ("10", 10), ("\t3s\n", 3)],
)
def test_a_time_in_words(text, number):
    assert seconds("time_limit", text) == number
    assert type(seconds("time_limit", text)) is float


@pytest.mark.parametrize(
    "text", ["", "s", "1 d", "1ms", "-1s", "1e3", ".5s", "1.s", "1h30m", "1S", "one", True, None, -0.1, [1], math.nan]
)
def test_what_is_no_time_is_told_how_one_is_written(text):
    with pytest.raises(UsageError) as error:
        seconds("time_limit", text)
    assert str(error.value) == f"time_limit {text}: give seconds, or write it as 90s, 15m or 2h."


def test_a_recipe_is_known_as_far_as_it_is_asked_for():
    assert check_recipe(None, {}) == Recipe()
    assert check_recipe("tiny", {"epochs": 3}) == replace(get_recipe("tiny"), epochs=3)
    mine = Recipe(name="mine", network="lenet5")
    assert check_recipe(mine, {}) is mine
    assert check_recipe(mine, {"network": ""}).network == ""
    for wrong in (3, ["tiny"]):
        with pytest.raises(UsageError, match=f"^recipe is a {type(wrong).__name__}; give a Recipe or the name of one"):
            check_recipe(wrong, {})
    with pytest.raises(UsageError, match="unknown network 'lenet6'"):
        check_recipe(replace(mine, network="lenet6"), {})


def test_a_network_is_known_as_far_as_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")  # whose they are is seen once the images are
    (tmp_path / "damaged.safetensors").touch()
    check_network("resnet18", None, {}, None, None, Recipe())
    check_network("resnet18", "imagenet", {"stem": "small"}, 32, "stage2", Recipe())
    for there in (tmp_path / "w.safetensors", "~/w.safetensors"):
        check_network("resnet18", there, {}, None, "all", Recipe())
    for asked, said in (
        (("lenet6", None, {}, None, None), "unknown network 'lenet6'"),
        (("lenet5", None, {"colour": 1}, None, None), "unknown option of lenet5 'colour'"),
        (("lenet5", None, {}, 5, None), "lenet5"),
        (("lenet5", None, {}, None, "stage9"), "stage9"),
        (("resnet18", "imagenett", {}, None, None), "imagenett"),
        (("resnet18", tmp_path / "gone.safetensors", {}, None, None), "gone"),
        (("resnet18", tmp_path, {}, None, None), str(tmp_path)),
        (("resnet18", tmp_path / "damaged.safetensors", {}, None, None), "not a whole safetensors file"),
    ):
        with pytest.raises(StriateError, match=said):
            check_network(*asked, Recipe())


def test_hardware_is_known_as_far_as_it_is_asked_for(monkeypatch):
    for precision in ("auto", "32", "bf16", "16", "64"):
        check_hardware("cpu", precision)
        check_hardware("auto", precision)
    with pytest.raises(UsageError, match="precision '8' is unknown"):
        check_hardware("cpu", "8")
    with pytest.raises(UsageError, match="device 'tpu' is unknown"):
        check_hardware("tpu", "32")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(StriateError, match="device 'cuda' is not on this machine"):
        check_hardware("cuda", "32")


def test_weights_in_a_file_bring_their_network(trained, tmp_path, monkeypatch):
    for weights in (trained, str(trained / "model.safetensors")):
        asked = Request(source="photos", weights=weights)
        assert (asked.model, Path(asked.weights), asked.options) == ("lenet5", trained / "model.safetensors", {})
    assert Request(source="photos", weights=trained, model="LeNet-5").model == "LeNet-5"
    with pytest.raises(UsageError, match="weights of lenet5, which do not fit resnet18"):
        Request(source="photos", weights=trained, model="resnet18")
    with pytest.raises(UsageError, match="weights of lenet5, which do not fit"):  # the recipe has a network
        Request(source="photos", weights=trained, recipe="cifar10_fast")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "imagenet").mkdir()
    assert Request(source="photos", weights="imagenet", model="resnet18").weights == "imagenet"
    with pytest.raises(StriateError, match=r"imagenet: no model\.safetensors in it"):
        Request(source="photos", weights=Path("imagenet"))


def test_a_librarys_network_comes_with_its_arguments(tmp_path):
    arguments = {"num_classes": 4, "in_channels": 3, "input_size": [64, 64], "width_mult": 0.5}
    spec = {"name": "torchvision:mobilenet_v2", "arguments": arguments, "origin": {"kind": "torchvision"}}
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", metadata={"spec": json.dumps(spec)})
    asked = Request(source="photos", weights=tmp_path / "w.safetensors")
    assert (asked.model, asked.options) == ("torchvision:mobilenet_v2", {"width_mult": 0.5})
    asked = Request(source="photos", weights=tmp_path / "w.safetensors", options={"width_mult": 0.25})
    assert asked.options == {"width_mult": 0.25}
