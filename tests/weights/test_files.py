"""What a file of weights says of itself, field by field."""

import json

import pytest
import torch
from safetensors.torch import save_file

from striate.errors import StriateError
from striate.weights import WeightSource, describe
from striate.weights.figure import Figure
from striate.weights.files import PADDING
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
    ],
    ids=str,
)
def test_a_description_that_cannot_be_understood_is_one_line(metadata, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(StriateError, match=r"weights.safetensors: its metadata cannot be understood .*save the file"):
        describe(path)
