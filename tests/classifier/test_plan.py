"""Which network is planned, for which size of image, and what weights bring into a run."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import striate
from striate.analysis import summary
from striate.classifier import load, train
from striate.classifier import plan as planning
from striate.classifier.choices import input_size
from striate.classifier.plan import _weights, plan_run, pretrained_channels
from striate.classifier.request import Request
from striate.data import Dataset, FileImages, KeptImages, Split, open_dataset
from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card, keras_examples, outline_of, vgg
from striate.training.shelf import get_recipe
from striate.training.tasks import SingleLabel


def plan_of(dataset, **asked):
    """What is planned for a data set, on the processor in single precision unless asked otherwise."""
    return plan_run(dataset, Request(**{"source": dataset, "device": "cpu", "precision": "32", **asked}))


def planned(dataset):
    """Network, size, resize rule, whether worker processes are used, and the notes on sizes; from no weights."""
    plan = plan_of(dataset, transfer="scratch")
    look = plan.preprocessing
    notes = [note for note in plan.notes if "sizes" in note]
    return plan.network.name, tuple(look.size), look.resize, plan.workers > 0, notes


@pytest.fixture
def photos(tmp_path):
    """Makes a folder of two classes with so many pictures of each size."""

    def make(*counted, mode="RGB"):
        number = 0
        for size, count in counted:
            for _ in range(count):
                folder = tmp_path / "photos" / ("rose" if number % 2 else "tulip")
                folder.mkdir(parents=True, exist_ok=True)
                pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
                Image.fromarray(pixels).convert(mode).save(folder / f"{number:03d}.png")
                number += 1
        return tmp_path / "photos"

    return make


def test_equal_small_images_are_shown_at_their_size(photos):
    assert planned(open_dataset(photos(((32, 32), 20)))) == ("striate_l", (32, 32), "stretch", False, [])


@pytest.mark.parametrize("memory_limit", [None, 0])
@pytest.mark.parametrize("stray", [(33, 32), (300, 200), (1, 1)])
def test_a_stray_size_changes_neither_network_nor_resolution(photos, stray, memory_limit):
    dataset = open_dataset(photos(((32, 32), 20), (stray, 2)), val_fraction=0, memory_limit=memory_limit)
    network, size, resize, workers, (note,) = planned(dataset)
    assert (network, size, resize) == ("striate_l", (32, 32), "stretch")
    assert isinstance(dataset.train.images, FileImages if memory_limit == 0 else KeptImages)
    assert workers == (memory_limit == 0)
    assert "the images are of 2 sizes, from " in note
    assert "the network sees 32x32" in note


def test_a_size_that_is_asked_for_needs_no_explanation(photos):
    dataset = open_dataset(photos(((32, 32), 20), ((33, 32), 2)), val_fraction=0)
    plan = plan_of(dataset, size=32)
    assert [note for note in plan.notes if "sizes" in note] == []


def test_a_small_stray_among_photos_changes_nothing_either(photos):
    dataset = open_dataset(photos(((80, 100), 12), ((32, 32), 3)))
    assert planned(dataset) == ("resnet18", (224, 224), "crop", True, [])


def test_small_images_of_many_sizes_take_the_middle_one(photos):
    folder = photos(*(((20 + side, 18), 2) for side in range(0, 20, 2)), mode="L")
    network, size, resize, workers, (note,) = planned(open_dataset(folder, val_fraction=0))
    assert (network, size, resize, workers) == ("striate_m", (30, 30), "stretch", False)
    assert note == (
        "the images are of 10 sizes, from 20x18 to 38x18; the network sees 30x30, chosen by the middle one of their "
        "longer sides"
    )


def test_images_whose_sizes_nobody_has_looked_at_are_taken_for_photos(photos):
    paths = sorted(photos(((32, 32), 20)).rglob("*.png"))
    split = Split("train", FileImages(paths, 3), np.arange(20) % 2)
    assert planned(Dataset("", ("a", "b"), 3, split, None, None, (), (), ""))[:2] == ("resnet18", (224, 224))


@pytest.mark.parametrize(
    ("network", "side", "size"),
    [
        ("googlenet", 28, 28),  # smaller than the paper's stem takes (31), not than the small one (4)
        ("inception_v3", 32, 32),
        ("inception_v3", 8, 299),
        ("inception_v3", 100, 299),
        ("resnet18", 28, 28),
        ("alexnet", 28, 227),  # dense layers on the map, made for one size
        ("googlenet", None, 224),
    ],
)
def test_small_images_keep_their_size_where_the_small_stem_takes_them(network, side, size):
    assert input_size(outline_of(network), side, None) == size


@pytest.mark.parametrize(("classes", "outputs"), [(("red", "blue"), 1), (("red", "green", "blue"), 3)])
def test_a_sigmoid_separates_two_classes_and_no_more(classes, outputs, paint, tmp_path):
    dataset = open_dataset(paint(tmp_path / "photos", classes, count=4))
    plan = plan_of(dataset, model="keras_cats_dogs")
    assert plan.network.arguments["num_classes"] == outputs


def test_precision_is_chosen_by_the_work_of_one_device(colours, monkeypatch):
    asked = []
    monkeypatch.setattr(planning, "choose_precision", lambda *what: asked.append(what) or "32-true")
    several = {"model": "lenet5", "devices": 4, "precision": "auto", "settings": {"batch_size": 12}}
    plan_of(open_dataset(colours), **several)
    network = create_model("lenet5", num_classes=3, in_channels=3, input_size=28)
    assert asked == [("auto", "cpu", summary(network, (3, 28, 28)).multiply_adds, 3)]


QUICK = {"epochs": 1, "batch_size": 8, "workers": 0, "quiet": True, "report": False}


def test_the_interpolation_of_weights_goes_into_the_run_and_the_model_and_on_from_there(colours, tmp_path):
    state = create_model("lenet5", num_classes=3, in_channels=3).state_dict()
    said = {"input_size": "28", "resize_short_side": "32", "interpolation": "bicubic, antialiased (Pillow)"}
    save_file(state, tmp_path / "weights.safetensors", metadata=said)
    train(colours, model="lenet5", weights=tmp_path / "weights.safetensors", run=tmp_path / "first", **QUICK)
    config = json.loads((tmp_path / "first" / "config.json").read_text())
    assert config["preprocessing"]["interpolation"] == "bicubic"
    assert config["preprocessing"]["crop_fraction"] == 0.875
    assert config["recipe"]["name"] == "transfer_all"
    assert load(tmp_path / "first").description.preprocessing.interpolation == "bicubic"
    again = tmp_path / "first" / "model.safetensors"
    assert create_model("lenet5", weights=again).weights_source.interpolation == "bicubic"
    train(colours, model="lenet5", weights=again, run=tmp_path / "second", **QUICK)
    assert load(tmp_path / "second").description.preprocessing.interpolation == "bicubic"
    train(colours, model="lenet5", run=tmp_path / "third", **QUICK)
    assert load(tmp_path / "third").description.preprocessing.interpolation == "bilinear"


@pytest.fixture
def narrow(monkeypatch):
    """VGG-16 at a thousandth of its size."""
    columns = {**vgg.COLUMNS, "vgg_d": ((4, 4), (4, 4), (6, 6, 6), (6, 6, 6), (8, 8, 8))}
    monkeypatch.setattr(vgg, "COLUMNS", columns)
    monkeypatch.setattr(vgg, "DENSE", (5, 5))
    monkeypatch.setattr(keras_examples, "VGG_DENSE", 7)


def test_a_network_on_anothers_base_says_what_starts_from_where(narrow, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red", "blue"], side=40)
    save_file(create_model("vgg16", input_size=32).state_dict(), tmp_path / "vgg.safetensors")
    options = {"model": "vgg16_cats_dogs", "size": 32, "freeze": "all", **QUICK}
    started = train(photos, weights=tmp_path / "vgg.safetensors", run=tmp_path / "run", **options).model
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    (note,) = (note for note in config["notes"] if "start from" in note)
    assert f"convolutions start from vgg_d's weights '{tmp_path / 'vgg.safetensors'}'" in note
    assert note.endswith("head.dense1 and head.classifier from random ones")
    base = create_model("vgg16", weights=tmp_path / "vgg.safetensors", input_size=32)
    assert started.stages.stage4.conv3.weight.equal(base.stages.stage5.conv3.weight)  # frozen, and so as loaded
    trained = tmp_path / "run" / "model.safetensors"
    assert input_size(outline_of("vgg16_cats_dogs"), None, tmp_path / "vgg.safetensors") == 150
    assert input_size(outline_of("vgg16_cats_dogs"), None, "imagenet") == 150
    assert input_size(outline_of("vgg16_cats_dogs"), None, trained) == 32
    assert input_size(outline_of("vgg16"), None, "imagenet") == 224
    assert input_size(outline_of("efficientnet_b2"), None, "imagenet") == 288
    train(photos, run=tmp_path / "plain", **options)
    config = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert not any("start from" in note for note in config["notes"])
    train(photos, weights=trained, run=tmp_path / "own", **options)
    config = json.loads((tmp_path / "own" / "config.json").read_text())
    assert not any("start from" in note for note in config["notes"])


@pytest.mark.parametrize(("side", "network", "size"), [(64, "striate_l", 64), (65, "resnet18", 224)])
def test_images_are_small_up_to_a_side(photos, side, network, size):
    folder = photos(((side, 30), 2))
    assert planned(open_dataset(folder, val_fraction=0))[:2] == (network, (size, size))
    assert input_size(outline_of("resnet18"), side, None) == size


def test_what_is_asked_for_is_planned(photos):
    dataset = open_dataset(photos(((32, 32), 20), ((33, 32), 2)), val_fraction=0)
    asked = {
        "model": "lenet5",
        "size": 20,
        "seed": 7,
        "workers": 3,
        "freeze": "stem",
        "recipe": "photos",
        "cache": "disk",
    }
    plan = plan_of(dataset, **{**asked, "settings": {"epochs": 2, "batch_size": 6}, "devices": 2})
    assert plan.network.name == "lenet5"
    assert plan.preprocessing.size == (20, 20)
    assert (plan.seed, plan.workers, plan.freeze, plan.devices, plan.cache) == (7, 3, "stem", 2, "disk")
    assert (plan.recipe.name, plan.recipe.epochs, plan.recipe.batch_size) == ("photos", 2, 6)
    assert (plan.classes, plan.fingerprint) == (("rose", "tulip"), dataset.fingerprint)
    with pytest.raises(UsageError, match="a batch of 5 cannot be shared evenly by 2 devices"):
        plan_of(dataset, settings={"batch_size": 5}, devices=2)


def test_weights_are_written_so_that_they_mean_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert (
        _weights(outline_of("resnet18"), "imagenet") == _weights(outline_of("resnet18"), Path("imagenet")) == "imagenet"
    )
    assert _weights(outline_of("resnet18"), "own/w.pth") == str(tmp_path / "own" / "w.pth")
    assert _weights(outline_of("resnet18"), Path("~/w.pth")) == str(tmp_path / "home" / "w.pth")
    assert _weights(outline_of("resnet18"), None) is None


@pytest.mark.parametrize(
    ("network", "classes", "outputs"),
    [("resnet18", 2, 2), ("keras_cats_dogs", 2, 1), ("keras_cats_dogs", 3, 3), ("lenet5", 10, 10)],
)
def test_only_a_network_of_one_sigmoid_separates_two_classes_by_one_output(network, classes, outputs):
    assert SingleLabel(tuple("abcdefghij"[:classes])).outputs(outline_of(network).num_classes) == outputs


def test_the_plan_holds_exactly_what_a_run_is_described_by(colours):
    plan = plan_of(open_dataset(colours), model="lenet5", precision="64")
    plain = {"format", "network", "weights", "freeze", "preprocessing", "recipe", "classes", "fingerprint", "seed"}
    plain |= {"device", "devices", "precision", "workers", "threads", "versions", "notes", "val_fraction", "command"}
    plain |= {"cache"}
    plain |= {"task", "target"}
    assert plan.to_dict().keys() == plain | {"source", "absolute_source", "created"}
    assert (plan.weights, plan.freeze) == (None, None)
    assert (plan.device, plan.devices, plan.precision) == ("cpu", 1, "64-true")
    assert plan.threads == torch.get_num_threads()
    assert plan.versions == {
        "striate": striate.__version__,
        "torch": torch.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    assert plan.network.arguments["num_classes"] == 3
    assert plan.classes == ("blue", "green", "red")
    json.dumps(plan.to_dict(), allow_nan=False)


def test_a_device_is_planned_by_its_own_name(colours, monkeypatch):
    asked = []
    monkeypatch.setattr(planning, "device_type", lambda device: asked.append(device) or "mps")
    monkeypatch.setattr(planning, "choose_precision", lambda wanted, kind, *work: f"{wanted} on {kind}")
    plan = plan_of(open_dataset(colours), model="lenet5", device="auto")
    assert (asked, plan.device, plan.precision) == (["auto"], "mps", "32 on mps")


def test_what_cannot_be_trained_is_refused_in_the_plan(colours):
    dataset = open_dataset(colours)
    for asked, said in (
        ({"model": "lenet5", "size": 5}, "lenet5"),
        ({"model": "lenet5", "settings": {"auxiliary_weight": 0.3}}, "lenet5 has no auxiliary heads"),
        ({"model": "lenet5", "settings": {"batch_size": 5}, "devices": 2}, "a batch of 5 cannot be shared evenly by 2"),
        ({"model": "lenet5", "freeze": "stage9"}, "stage9"),
        ({"freeze": "stem", "settings": {"unfreeze": "2:stage9"}}, "names 'stage9', and striate_l has no such part"),
        ({"settings": {"unfreeze": "2:none"}}, "unfreeze frees what is frozen at first"),
    ):
        with pytest.raises(StriateError, match=said):
            plan_of(dataset, **asked)
    waiting = {"model": "lenet5", "settings": {"early_stopping": 3}}
    assert plan_of(dataset, **waiting).recipe.early_stopping == 3
    with pytest.raises(UsageError, match="no images are set aside"):
        plan_of(open_dataset(colours, val_fraction=0), **waiting)


@pytest.mark.parametrize(
    ("asked", "notes"),
    [
        ({"settings": {"warmup_epochs": 9}}, []),
        ({"settings": {"warmup_epochs": 9.5}}, ["the warm-up takes 90% of training, not 9.5 epochs"]),
        ({"settings": {"learning_rate": 1e-9}}, []),
        ({"settings": {"learning_rate": 0}}, ["the learning rate is 0: no weight will change"]),
        (
            {"freeze": "stem"},
            ["frozen until 'stem' at random first weights: nothing is learnt there; freeze with pretrained weights"],
        ),
        (
            {"freeze": "all"},
            ["frozen until 'all' at random first weights: nothing is learnt there; freeze with pretrained weights"],
        ),
        ({"freeze": "all", "weights": True}, []),
        (
            {"freeze": "all", "weights": True, "settings": {"unfreeze": "4:stem,11:none"}},
            ["nothing is unfrozen in epoch 11: there are 10"],
        ),
        (
            {"freeze": "all", "settings": {"unfreeze": "4:stem,9:none"}},
            [
                "frozen until 'all' at random first weights: nothing is learnt there before epoch 4; "
                "freeze with pretrained weights"
            ],
        ),
        ({"settings": {"init": "he"}}, []),
        ({"settings": {"init": "he"}, "weights": True}, ["init=he changes nothing: all weights are pretrained"]),
        ({"settings": {"schedule": "step", "milestones": "4,9"}}, []),
        (
            {"settings": {"schedule": "step", "milestones": "4,10,12"}},
            ["the rate does not fall at 10, 12: there are 10 epochs"],
        ),
        ({"settings": {"milestones": "40"}}, []),  # of another schedule
        ({"settings": {"schedule": "staircase", "every": 9}}, []),
        (
            {"settings": {"schedule": "staircase", "every": 10}},
            ["the rate never falls: it does every 10 epochs, and there are 10"],
        ),
    ],
)
def test_what_is_hardly_meant_is_noted(colours, tmp_path, asked, notes):
    file = tmp_path / "own.safetensors"
    save_file(create_model("lenet5", num_classes=3, in_channels=3).state_dict(), file)
    settings = {"batch_size": 9, "epochs": 10, **asked.get("settings", {})}
    given = {"model": "lenet5", **asked, "settings": settings, "weights": file if "weights" in asked else None}
    assert plan_of(open_dataset(colours), **given).notes == tuple(notes)


def test_the_channels_of_images_are_those_of_weights_that_say_them(trained, tmp_path, monkeypatch):
    """A classifier's own file says so; any other is taken to want what its network was published for."""
    own = trained / "model.safetensors"
    assert get_card("lenet5").in_channels == 1
    assert pretrained_channels("lenet5", own) == pretrained_channels("lenet5", str(own)) == 3
    save_file(create_model("lenet5", in_channels=3).state_dict(), tmp_path / "foreign.safetensors")
    assert pretrained_channels("lenet5", tmp_path / "foreign.safetensors") == 1
    assert pretrained_channels("resnet18", "imagenet") == 3
    assert pretrained_channels("lenet5", "nowhere") == 1
    monkeypatch.setenv("HOME", str(trained))
    monkeypatch.setenv("USERPROFILE", str(trained))
    assert pretrained_channels("lenet5", "~/model.safetensors") == 3
    (tmp_path / "keras.h5").write_bytes(b"never read here")
    assert pretrained_channels("lenet5", tmp_path / "keras.h5") == 1


@pytest.mark.parametrize(
    ("asked", "heads", "weight"),
    [
        ({}, False, 0.0),
        ({"recipe": replace(get_recipe("tiny"), auxiliary_weight=0.2)}, True, 0.2),
        ({"settings": {"auxiliary_weight": "0.1"}}, True, 0.1),
        (
            {"recipe": replace(get_recipe("tiny"), auxiliary_weight=0.2), "settings": {"auxiliary_weight": 0}},
            False,
            0.0,
        ),
        ({"options": {"auxiliary": True}}, True, 0.3),  # the paper's
    ],
)
def test_heads_are_planned_where_recipe_setting_or_option_asks_for_them(colours, asked, heads, weight):
    plan = plan_of(open_dataset(colours), model="googlenet", size=64, **asked)
    assert plan.network.arguments["auxiliary"] is heads
    assert plan.recipe.auxiliary_weight == weight


def test_what_was_decided_of_the_network_is_noted_and_what_was_asked_for_is_not(colours):
    dataset = open_dataset(colours)
    notes = plan_of(dataset, model="resnet18", size=32).notes
    assert any(note.startswith("resnet18 has its stem for small images") for note in notes)
    notes = plan_of(dataset, model="resnet18", size=32, options={"stem": "small"}).notes
    assert not any("stem" in note for note in notes)
    assert not any("auxiliary" in note for note in plan_of(dataset, model="googlenet", size=32).notes)


def test_a_file_that_stands_for_the_usual_weights_is_named(colours, tmp_path, monkeypatch):
    """And nothing is said where the words say themselves what is taken."""
    model = create_model("squeezenet1_1", num_classes=1000)
    file = tmp_path / "given" / "mine.safetensors"
    file.parent.mkdir()
    save_file(model.state_dict(), file, metadata={"spec": json.dumps(model.spec.to_dict())})
    monkeypatch.setenv("STRIATE_WEIGHTS", str(file.parent))
    dataset = open_dataset(colours)
    for weights, said in (("imagenet", [f"for the weights 'imagenet' stands {file}"]), (file, [])):
        notes = plan_run(dataset, Request(source=colours, model="squeezenet1_1", weights=weights)).notes
        assert [note for note in notes if note.startswith("for the weights")] == said
