"""Which size of image a network is planned for, and what weights bring into a run."""

import json

import pytest
from safetensors.torch import save_file

from striate.classifier import load, train
from striate.classifier.plan import _input_size
from striate.models import create_model, keras_examples, vgg


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
    assert _input_size(network, side, None) == size


QUICK = {"epochs": 1, "batch_size": 8, "workers": 0, "quiet": True, "report": False}


def test_the_interpolation_of_weights_goes_into_the_run_and_the_model_and_on_from_there(colours, tmp_path):
    state = create_model("lenet5", num_classes=3, in_channels=3).state_dict()
    said = {"input_size": "28", "resize_short_side": "32", "interpolation": "bicubic, antialiased (Pillow)"}
    save_file(state, tmp_path / "weights.safetensors", metadata=said)
    train(colours, model="lenet5", weights=tmp_path / "weights.safetensors", run=tmp_path / "first", **QUICK)
    config = json.loads((tmp_path / "first" / "config.json").read_text())
    assert config["preprocessing"]["interpolation"] == "bicubic"
    assert config["preprocessing"]["crop_fraction"] == 0.875
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
    assert _input_size("vgg16_cats_dogs", None, tmp_path / "vgg.safetensors") == 150
    assert _input_size("vgg16_cats_dogs", None, "imagenet") == 150
    assert _input_size("vgg16_cats_dogs", None, trained) == 32
    assert _input_size("vgg16", None, "imagenet") == 224
    assert _input_size("efficientnet_b2", None, "imagenet") == 288
    train(photos, run=tmp_path / "plain", **options)
    config = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert not any("start from" in note for note in config["notes"])
    train(photos, weights=trained, run=tmp_path / "own", **options)
    config = json.loads((tmp_path / "own" / "config.json").read_text())
    assert not any("start from" in note for note in config["notes"])
