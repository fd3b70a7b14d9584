"""Keras 3's own files: as data alone, with the answers of the network that wrote them."""

import io
import json
import os
import random
import zipfile
from contextlib import suppress

os.environ.setdefault("KERAS_BACKEND", "torch")

import pytest
import torch

from striate.errors import StriateError
from striate.models import create_model
from striate.weights.keras import keras_state, read_keras
from striate.weights.keras_archive import layers_in

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network of every kind of layer that is read, and its file."""
    layers = keras.layers
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.Conv2D(5, 3, name="named"),
            layers.BatchNormalization(scale=False),
            layers.DepthwiseConv2D(3),
            layers.BatchNormalization(center=False),
            layers.SeparableConv2D(6, 3),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(7),
            layers.Dense(2, use_bias=False),
        ]
    )
    for layer in model.layers:
        layer.set_weights([keras.random.uniform(array.shape, 0.5, 1.5) for array in layer.get_weights()])
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    model.save(path)
    return model, path


def test_the_arrays_are_those_of_the_model(saved):
    model, path = saved
    expected, found = keras_state(model), read_keras(path)
    assert sorted(found) == sorted(expected)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value.detach().cpu(), rtol=0, atol=0)


def rewritten(path, target, *, config=None, drop=(), spoil=None):
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json" and config is not None:
                content = json.dumps(config(json.loads(content))).encode()
            if name == spoil:
                content = content[: len(content) // 2]
            if name not in drop:
                new.writestr(name, content)
    return target


def test_files_in_which_layers_have_no_names_go_by_their_place(saved, tmp_path):
    """As Keras 3 wrote them before 3.10."""
    import h5py

    _, path = saved
    with zipfile.ZipFile(path) as archive:
        arrays = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(arrays, "r+") as file:
        for place in file["layers"]:
            file["layers"][place]["vars"].attrs.pop("name", None)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "old.keras", "w") as new:
        new.writestr("config.json", old.read("config.json"))
        new.writestr("model.weights.h5", arrays.getvalue())
    expected = dict(layers_in(path))
    for name, held in layers_in(tmp_path / "old.keras"):
        assert held.keys() == expected[name].keys()
        assert all(torch.equal(held[word], array) for word, array in expected[name].items())


def test_a_network_of_keras_applications_gives_its_answers(tmp_path):
    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(96, 96, 3), classes=1000)
    for layer in theirs.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([keras.random.uniform(array.shape, 0.5, 1.5) for array in layer.get_weights()])
    theirs.save(tmp_path / "m.keras")
    model = create_model("mobilenet_v1_0.25", weights=tmp_path / "m.keras").eval()
    x = torch.rand(1, 3, 96, 96) * 2 - 1
    with torch.no_grad():
        logits = model(x)
        wanted = torch.as_tensor(keras.ops.convert_to_numpy(theirs(x.permute(0, 2, 3, 1).numpy(), training=False)))
    torch.testing.assert_close(logits.softmax(1), wanted, rtol=1e-3, atol=1e-6)
    assert model.weights_source.mean == (0.5,) * 3


def with_a_lambda(config):
    code = {"class_name": "__lambda__", "config": {"code": "raise SystemExit", "defaults": None, "closure": None}}
    config["config"]["layers"].append({"class_name": "Lambda", "config": {"name": "lambda", "function": code}})
    return config


def test_code_in_a_file_is_never_run(saved, tmp_path):
    model, path = saved
    found = read_keras(rewritten(path, tmp_path / "a.keras", config=with_a_lambda))
    assert sorted(found) == sorted(keras_state(model))


def renamed(kind, layer):
    def change(config):
        config["config"]["layers"][layer]["class_name"] = kind
        return config

    return change


def test_a_layer_that_is_not_known_is_named(saved, tmp_path):
    _, path = saved
    with pytest.raises(StriateError, match=r"a\.keras: its layer 'named' \(Conv2DTranspose\) is none that"):
        read_keras(rewritten(path, tmp_path / "a.keras", config=renamed("Conv2DTranspose", 4)))


@pytest.mark.parametrize(
    "damage",
    [
        {"drop": ("config.json",)},
        {"drop": ("model.weights.h5",)},
        {"spoil": "model.weights.h5"},
        {"config": lambda config: []},
        {"config": lambda config: {"config": {"layers": [{}]}}},
        {"config": lambda config: {"config": {"layers": [{"class_name": "Dense", "config": {}}]}}},
    ],
)
def test_damaged_files_are_one_line(saved, damage, tmp_path):
    _, path = saved
    with pytest.raises(StriateError, match=r"a\.keras: not a whole \.keras file \(.+\)$"):
        read_keras(rewritten(path, tmp_path / "a.keras", **damage))


def test_however_it_is_spoilt_it_is_a_line(saved, tmp_path):
    _, path = saved
    whole, rng = path.read_bytes(), random.Random(0)
    for end in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.keras").write_bytes(whole[:end])
        with pytest.raises(StriateError, match=r"not a whole \.keras file"):
            read_keras(tmp_path / "a.keras")
    for _ in range(40):
        spoilt = bytearray(whole)
        spoilt[rng.randrange(len(spoilt))] ^= 255
        (tmp_path / "a.keras").write_bytes(spoilt)
        with suppress(StriateError):
            read_keras(tmp_path / "a.keras")


def test_weights_without_the_order_of_layers_say_what_to_save(saved, tmp_path):
    model, _ = saved
    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(StriateError, match=r"a\.weights\.h5: the order of its layers.*save the whole model as \.keras"):
        read_keras(tmp_path / "a.weights.h5")
