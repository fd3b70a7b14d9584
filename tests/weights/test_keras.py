"""Keras's arrays as PyTorch's tensors: from a live model, and from files as Keras Applications publishes them."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from striate.errors import StriateError
from striate.models import create_model
from striate.weights import WeightSource
from striate.weights.images import Images
from striate.weights.keras import SUFFIXES, _state, keras_source, keras_state, read_keras

os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.fixture(scope="module")
def model():
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(6, 3, name="first")(x)
    x = layers.BatchNormalization(name="first_bn", scale=False)(x)
    x = layers.DepthwiseConv2D(3, name="depth", depth_multiplier=2)(x)
    x = layers.SeparableConv2D(4, 3, name="sep")(x)
    x = layers.Conv2D(5, 1)(x)  # gets its name by counting
    x = layers.Conv2D(7, 1)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.5)(x)  # has no weights and changes no order
    return keras.Model(inputs, layers.Dense(2, name="dense")(x))


def test_layouts_give_keras_answers(model):
    state = keras_state(model)
    x = torch.randn(2, 3, 12, 12)
    f = torch.nn.functional
    y = f.conv2d(x, state["first.weight"], state["first.bias"])
    bn = [state[f"first_bn.{word}"] for word in ("running_mean", "running_var")]
    y = f.batch_norm(y, *bn, bias=state["first_bn.bias"], eps=1e-3)
    y = f.conv2d(y, state["depth.weight"], state["depth.bias"], groups=6)
    y = f.conv2d(y, state["sep.depthwise.weight"], groups=12)
    y = f.conv2d(y, state["sep.pointwise.weight"], state["sep.bias"])
    for number in (1, 2):
        y = f.conv2d(y, state[f"conv2d_{number}.weight"], state[f"conv2d_{number}.bias"])
    y = f.linear(y.flatten(1), state["dense.weight"], state["dense.bias"])
    wanted = torch.as_tensor(model(x.permute(0, 2, 3, 1).numpy(), training=False).detach().cpu())
    torch.testing.assert_close(y, wanted, rtol=1e-4, atol=1e-5)


def test_a_file_holds_what_the_model_held(model, tmp_path):
    """A whole model in HDF5, whose weights lie as in the published files, layer by layer."""
    path = tmp_path / "model.h5"
    model.save(path)
    wanted, given = keras_state(model), read_keras(path)
    assert set(given) == set(wanted)
    for key, tensor in wanted.items():
        assert torch.equal(given[key], tensor.cpu()), key


def test_the_older_layout_of_published_files(tmp_path):
    import h5py

    path = tmp_path / "weights.h5"
    kernel = np.arange(3 * 3 * 8 * 1, dtype=np.float32).reshape(3, 3, 8, 1)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"input_1", b"block2_sepconv1", b"convolution2d_41", b"convolution2d_7"]
        file.create_group("input_1").attrs["weight_names"] = np.array([], dtype="S1")
        group = file.create_group("block2_sepconv1")
        group.attrs["weight_names"] = [b"block2_sepconv1/depthwise_kernel:0", b"block2_sepconv1/pointwise_kernel:0"]
        group["block2_sepconv1/depthwise_kernel:0"] = kernel
        group["block2_sepconv1/pointwise_kernel:0"] = np.ones((1, 1, 8, 5), np.float32)
        for number in (41, 7):
            group = file.create_group(f"convolution2d_{number}")
            group.attrs["weight_names"] = [f"convolution2d_{number}_W:0".encode(), b"x/kernel:0"]
            group[f"convolution2d_{number}_W:0"] = np.zeros(1, np.float32)
            group["x/kernel:0"] = np.full((1, 1, 2, 3), number, np.float32)
    state = read_keras(path)
    assert state["block2_sepconv1.depthwise.weight"].shape == (8, 1, 3, 3)
    assert torch.equal(
        state["block2_sepconv1.depthwise.weight"][:, 0], torch.from_numpy(kernel[..., 0]).permute(2, 0, 1)
    )
    assert state["block2_sepconv1.pointwise.weight"].shape == (5, 8, 1, 1)
    # numbered from 1 by the session's counter, wherever in the network they stand
    assert state["conv2d_1.weight"].unique().item() == 7
    assert state["conv2d_2.weight"].unique().item() == 41


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(40)])
def test_a_damaged_file_is_one_line(tmp_path, content):
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    with pytest.raises(StriateError, match=r"weights\.h5: not a whole HDF5 file"):
        read_keras(path)


@pytest.mark.parametrize("names", [None, ["absent"], ["bare"]])
def test_hdf5_of_another_make_is_one_line(tmp_path, names):
    """As other tools and Keras's newer files of weights are: no list of layers, or not the layers that it lists."""
    import h5py

    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.create_group("bare")
        if names is not None:
            file.attrs["layer_names"] = names
    with pytest.raises(StriateError, match=r"weights\.h5: not a whole HDF5 file of Keras weights \(.+\)$"):
        read_keras(tmp_path / "weights.h5")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StriateError, match="no such file"):
        read_keras(tmp_path / "weights.h5")


def test_counted_layers_are_numbered_as_they_were_made():
    """Keras lists branches by depth: the second branch's only layer stands beside the first's last one."""
    import keras
    from keras import layers

    x = inputs = keras.Input((8, 8, 3))
    long = layers.Conv2D(5, 1, use_bias=False)(x)
    long = layers.Conv2D(6, 1, use_bias=False)(long)
    short = layers.Conv2D(7, 1, use_bias=False)(x)
    short = layers.BatchNormalization(scale=False)(short)
    model = keras.Model(inputs, layers.Conv2D(2, 1, use_bias=False)(layers.Concatenate()([long, short])))
    made = [int(layer.name.partition("_")[2].rpartition("_")[2] or 0) for layer in model.layers if "conv" in layer.name]
    assert made != sorted(made)
    state = keras_state(model)
    assert [len(state[f"conv2d_{number}.weight"]) for number in (1, 2, 3, 4)] == [5, 6, 7, 2]
    assert state["batch_normalization_1.weight"].equal(torch.ones(7))  # the scale that it does not have


def written(path, *, names=(b"c",), arrays=None, config=None):
    """A file with one group of arrays, "c", as HDF5 files of Keras have them."""
    import h5py

    arrays = {"c/kernel:0": np.ones((1, 1, 2, 3), np.float32)} if arrays is None else arrays
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = names
        if config is not None:
            file.attrs["model_config"] = config
        group = file.create_group("c")
        group.attrs["weight_names"] = list(arrays)
        for name, array in arrays.items():
            group[name] = array
    return path


@pytest.mark.parametrize(
    "damage",
    [
        {"config": "{not JSON"},
        {"config": "[]"},
        {"config": 3},
        {"config": '{"config": {"layers": null}}'},
        {"config": '{"config": {"layers": [{}]}}'},
        {"config": '{"config": {"layers": [{"class_name": "DepthwiseConv2D", "config": {}}]}}'},
        {"names": 3},
        {"names": [1, 2]},
        {"arrays": {"c/kernel:0": np.array([b"a", b"b"])}},
        {"arrays": {"c/depthwise_kernel:0": np.ones((3, 3, 3), np.float32)}},
    ],
    ids=str,
)
def test_hdf5_that_says_something_else_than_keras_is_one_line(tmp_path, damage):
    with pytest.raises(StriateError, match=r"weights\.h5: not a whole HDF5 file of Keras weights \(.+\)$"):
        read_keras(written(tmp_path / "weights.h5", **damage))


def test_the_configuration_tells_which_kernels_are_depthwise(tmp_path):
    """Newer files call a depthwise layer's array a kernel like any other."""
    kernel = np.arange(3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4)
    layers = [
        {"class_name": "Conv2D", "config": {"name": "d"}},
        {"class_name": "DepthwiseConv2D", "config": {"name": "c"}},
    ]
    arrays = {"c/kernel:0": kernel, "c/bias:0": np.ones(8, np.float32)}
    path = written(tmp_path / "a.h5", arrays=arrays, config=json.dumps({"config": {"layers": layers}}))
    state = read_keras(path)
    assert {key: tuple(value.shape) for key, value in state.items()} == {"c.weight": (8, 1, 3, 3), "c.bias": (8,)}
    assert torch.equal(state["c.weight"][5, 0], torch.from_numpy(kernel[:, :, 1, 1]))  # map 5 is channel 1's second
    layers[1]["class_name"] = "Conv2D"
    path = written(path, arrays=arrays, config=json.dumps({"config": {"layers": layers}}).encode())
    assert read_keras(path)["c.weight"].shape == (4, 2, 3, 3)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("conv2d", "conv2d"),
        ("convolution2d", "conv2d"),
        ("separable_conv2d", "separable_conv2d"),
        ("batch_normalization", "batch_normalization"),
        ("batchnormalization", "batch_normalization"),
    ],
)
def test_every_kind_of_layer_that_is_named_by_counting_is_numbered_from_1(kind, plain):
    layers = [f"{kind}_12", f"{kind}_9", kind, f"{kind}_100", "dense_4", f"my_{kind}_3", f"{kind}_a"]
    state = _state([(layer, {"bias": torch.full((1,), number)}) for number, layer in enumerate(layers)])
    assert {key: int(value) for key, value in state.items()} == {
        f"{plain}_1.bias": 2,
        f"{plain}_2.bias": 1,
        f"{plain}_3.bias": 0,
        f"{plain}_4.bias": 3,
        "dense_4.bias": 4,
        f"my_{kind}_3.bias": 5,
        f"{kind}_a.bias": 6,
    }


def test_old_and_new_names_of_a_kind_are_counted_together():
    layers = ["convolution2d_1", "conv2d_2", "convolution2d_3", "conv2d"]
    state = _state([(layer, {"bias": torch.full((1,), number)}) for number, layer in enumerate(layers)])
    assert [int(state[f"conv2d_{n}.bias"]) for n in (1, 2, 3, 4)] == [3, 0, 1, 2]


def test_dense_layers_are_put_into_our_order_behind_the_flattened_map_only():
    """Two maps of 3 places: Keras goes place by place, ours map by map; the second dense layer stays as it is."""
    first, second = torch.arange(12.0).view(6, 2), torch.arange(4.0).view(2, 2)
    conv = ("conv", {"kernel": torch.zeros(1, 1, 1, 2), "bias": torch.zeros(2)})
    for between in (["flatten"], ["flatten_3", "dropout"], ["dropout", "flatten", "dropout"]):
        state = _state([conv, *((name, {}) for name in between), ("a", {"kernel": first}), ("b", {"kernel": second})])
        assert torch.equal(state["a.weight"], first[[0, 2, 4, 1, 3, 5]].T)
        assert torch.equal(state["b.weight"], second.T)
    for layers in (
        [conv, ("a", {"kernel": first})],  # behind an average
        [("flatten", {}), ("a", {"kernel": first})],  # of the image itself
        [conv, ("flatten", {}), ("a", {"kernel": first[:5]})],  # no map's
    ):
        assert torch.equal(_state(layers)["a.weight"], layers[-1][1]["kernel"].T)


def test_a_record_of_a_file_of_keras_has_what_its_publisher_did_with_images():
    images = Images((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bicubic")
    assert keras_source(Path("there/a.h5"), 96, images) == WeightSource(
        name="there/a.h5",
        file="a.h5",
        origin="Keras Applications",
        licence="Apache-2.0",
        input_size=96,
        mean=(0.1, 0.2, 0.3),
        std=(0.4, 0.5, 0.6),
        interpolation="bicubic",
    )
    usual = keras_source(Path("a.h5"), 224)
    assert (usual.mean, usual.std, usual.interpolation) == ((0.5,) * 3, (0.5,) * 3, "bilinear")


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_a_file_is_taken_for_keras_by_its_ending(suffix, tmp_path):
    """What is in it is then no network's, and the line says so."""
    path = written(tmp_path / f"weights{suffix}")
    assert path.suffix in SUFFIXES
    with pytest.raises(StriateError, match=r"not weights of a network of the family 'vgg'; its keys begin c.weight"):
        create_model("vgg16", weights=path)


def test_without_h5py_the_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(StriateError, match=r"weights\.h5: reading HDF5 needs h5py: pip install h5py$"):
        read_keras(tmp_path / "weights.h5")
