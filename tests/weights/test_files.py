"""What a file of weights says of itself, field by field."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from striate.errors import StriateError
from striate.weights import WeightSource, describe, files
from striate.weights.figure import Figure
from striate.weights.files import PADDING, read_metadata, read_state, read_tensors
from striate.weights.images import Images


def test_every_key_of_the_metadata_arrives_in_the_record(tmp_path):
    path = tmp_path / "weights.safetensors"
    said = {
        "input_size": "160",
        "input_mean": "[0.1, 0.2, 0.3]",
        "input_std": "[0.4, 0.5, 0.6]",
        "resize_short_side": "200",
        "interpolation": "bicubic, antialiased (Pillow)",
        "padding": "tf_same",
        "bn_eps": "1e-3",
        "licence": "MIT",
        "source_repository": "somebody/weights",
        "top1": "0.625",
        "top1_set": "a sample",
        "spec": json.dumps({"name": "mobilenet_v1", "arguments": {"width": 0.5, "num_classes": 7, "in_channels": 3}}),
    }
    save_file({"weight": torch.zeros(2)}, path, metadata=said)
    assert describe(path) == WeightSource(
        name=str(path),
        file="weights.safetensors",
        origin="somebody/weights",
        licence="MIT",
        input_size=160,
        mean=(0.1, 0.2, 0.3),
        std=(0.4, 0.5, 0.6),
        crop_fraction=0.8,
        interpolation="bicubic",
        accuracy=(Figure("top1", 0.625, "somebody/weights", "a sample", 160, "one crop"),),
        options={"padding": PADDING["tf_same"], "norm_eps": 1e-3, "width": 0.5},
    )


def test_a_file_that_says_nothing_is_taken_for_the_size_asked_for(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    assert describe(path, 96) == WeightSource(str(path), path.name, input_size=96, crop_fraction=1.0)
    assert describe(path) == WeightSource(str(path), path.name, input_size=224, crop_fraction=1.0)
    images = Images((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bicubic")
    fed = describe(path, images=images)
    assert (fed.mean, fed.std, fed.interpolation) == (images.mean, images.std, "bicubic")
    save_file({"weight": torch.zeros(2)}, path, metadata={"input_size": "192", "resize_short_side": "219"})
    assert describe(path).crop_fraction == 0.875


def test_a_file_of_a_network_for_oblong_images_goes_by_their_height(tmp_path):
    path = tmp_path / "weights.safetensors"
    spec = {"name": "lenet5", "arguments": {"input_size": [64, 96]}}
    save_file({"weight": torch.zeros(2)}, path, metadata={"spec": json.dumps(spec), "top1": "0.5"})
    assert (describe(path).input_size, describe(path).accuracy[0].input_size) == (64, 64)


@pytest.mark.parametrize(
    "metadata",
    [
        {"interpolation": "nearest"},
        {"padding": "full"},
        {"bn_eps": "small"},
        {"input_size": "large"},
        {"input_mean": "0.5"},
        {"input_std": "[0.5, null]"},
        {"spec": "[]"},
        {"spec": "{}"},
        {"top1": "good"},
        {"striate model 1": "{}"},
        {"striate model 1": "nothing"},
        {"striate model 1": "[]"},
        {"striate model 1": '{"preprocessing": {"size": []}}'},
        {"spec": '{"arguments": []}'},
        {"spec": '{"arguments": {"input_size": {"side": 32}}}'},
        {"input_size": "0"},
        {"input_size": "-5"},
        {"resize_short_side": "0"},
        {"resize_short_side": "-256"},
        {"resize_short_side": "223"},
        {"resize_short_side": "nan"},
        {"input_mean": "[" * 10_000},
    ],
    ids=lambda metadata: str(metadata)[:60],
)
def test_a_description_that_cannot_be_understood_is_one_line(metadata, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(StriateError, match=r"weights.safetensors: its metadata cannot be understood .*save the file"):
        describe(path)


OWN = {
    "network": {"name": "resnet20_cifar", "arguments": {"shortcut": "B", "num_classes": 7, "input_size": [32, 48]}},
    "preprocessing": {
        "size": [32, 48],
        "resize": "crop",
        "crop_fraction": 0.8,
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "interpolation": "bicubic",
    },
}


@pytest.mark.parametrize(
    ("look", "more", "wanted"),
    [
        ({}, {}, {"crop_fraction": 0.8, "interpolation": "bicubic"}),
        ({"resize": "squash"}, {}, {"crop_fraction": 1.0, "interpolation": "bicubic", "resize": "stretch"}),
        ({"resize": "letterbox"}, {}, {"crop_fraction": 1.0, "interpolation": "bicubic", "resize": "letterbox"}),
        ({"resize": "none"}, {}, {"crop_fraction": 1.0, "interpolation": "bicubic"}),
        ({"interpolation": None}, {}, {"crop_fraction": 0.8, "interpolation": "bilinear"}),
        # what is said beside the description comes before it
        ({}, {"interpolation": "bilinear"}, {"crop_fraction": 0.8, "interpolation": "bilinear"}),
        ({}, {"resize_short_side": "64"}, {"crop_fraction": 0.5, "interpolation": "bicubic"}),
    ],
)
def test_a_trained_classifier_says_how_its_images_were(look, more, wanted, tmp_path):
    path = tmp_path / "model.safetensors"
    looked = {key: value for key, value in {**OWN["preprocessing"], **look}.items() if value is not None}
    said = {"striate model 1": json.dumps({**OWN, "preprocessing": looked}), **more}
    save_file({"weight": torch.zeros(2)}, path, metadata=said)
    assert describe(path, 96, Images((0.7,) * 3, (0.8,) * 3, "bicubic")) == WeightSource(
        str(path),
        path.name,
        input_size=32,
        mean=(0.1, 0.2, 0.3),
        std=(0.4, 0.5, 0.6),
        options={"shortcut": "B"},
        **wanted,
    )


def test_paddings_have_our_names(tmp_path):
    path = tmp_path / "weights.safetensors"
    for theirs, ours in {"tf_same": "tensorflow", "symmetric": "symmetric"}.items():
        save_file({"weight": torch.zeros(2)}, path, metadata={"padding": theirs})
        assert describe(path).options == {"padding": ours}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_of_any_protocol_is_refused_by_name(protocol, tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps({"weight": [1, 2]}, protocol))
    for read in (read_state, read_metadata, describe):
        with pytest.raises(
            StriateError, match="this is a pickle, which can run code when it is opened, and is refused"
        ):
            read(path)


@pytest.mark.parametrize("content", [b"", b"P", b"PX" + bytes(20), b"\x80", b"\x80\x06" + bytes(20), bytes(200)])
def test_what_is_neither_is_not_called_a_pickle(content, tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    said = r"weights\.safetensors: not a whole safetensors file \(.+\); fetch or save it again$"
    with pytest.raises(StriateError, match=said):
        read_state(path)
    with pytest.raises(StriateError, match="no such file of weights"):
        read_state(tmp_path)


def test_a_file_that_may_not_be_opened_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.zeros(2)}, path)

    def refuse(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(files, "safe_open", refuse)
    with pytest.raises(StriateError, match="Too many open files"):
        read_state(str(path))


def test_tensors_and_their_description_come_back(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.arange(3.0), "b": torch.ones(2, 2)}, path, metadata={"licence": "MIT"})
    state = read_state(str(path))
    assert sorted(state) == ["a", "b"]
    assert torch.equal(state["a"], torch.arange(3.0))
    assert read_metadata(path) == {"licence": "MIT"}
    save_file({"a": torch.zeros(1)}, path)
    assert read_metadata(path) == {}


def test_only_tensors_come_out_of_a_pickle_bare_or_in_a_checkpoint(tmp_path):
    path = tmp_path / "weights.pth"
    for saved in ({"a": torch.ones(2)}, {"state_dict": {"a": torch.ones(2)}, "epoch": 3}):
        torch.save(saved, path)
        state = read_tensors(path)
        assert list(state) == ["a"]
        assert torch.equal(state["a"], torch.ones(2))
    torch.save({"a": tmp_path}, path)
    with pytest.raises(StriateError, match=r"needs pathlib\S*PosixPath to open, which may run code"):
        read_tensors(path)
