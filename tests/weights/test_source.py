"""What a record of weights is taken for where it does not say, and how it goes into JSON."""

import dataclasses
import json

import pytest

from striate.weights import Figure, WeightSource


def test_a_record_that_says_nothing_is_of_imagenets_usual_images():
    source = WeightSource("a", "b")
    assert source.to_dict() == {
        "name": "a",
        "file": "b",
        "sha256": "",
        "url": "",
        "origin": "",
        "licence": "",
        "num_classes": 1000,
        "input_size": 224,
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "crop_fraction": 0.875,
        "interpolation": "bilinear",
        "resize": "crop",
        "accuracy": (),
        "options": {},
        "style": "",
        "classes": (),
        "md5": "",
        "size": None,
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.name = "c"


def test_a_record_with_its_figures_goes_into_json():
    source = WeightSource("a", "b", accuracy=(Figure("top1", 0.7, data="ImageNet"),), options={"stem": "paper"})
    record = json.loads(json.dumps(source.to_dict()))
    assert record["accuracy"][0]["value"] == 0.7
    assert record["options"] == {"stem": "paper"}


@pytest.mark.parametrize(
    ("channels", "mean", "std"),
    [
        (1, (0.3,), (0.2,)),
        (2, (0.1, 0.2), (0.1, 0.2)),
        (3, (0.1, 0.2, 0.6), (0.1, 0.2, 0.3)),
        (4, (0.1, 0.2, 0.6, 0.1), (0.1, 0.2, 0.3, 0.1)),
    ],
)
def test_statistics_of_other_channels(channels, mean, std):
    source = WeightSource("a", "b", mean=(0.1, 0.2, 0.6), std=(0.1, 0.2, 0.3))
    found = source.normalisation(channels)
    assert found == (pytest.approx(mean), pytest.approx(std))
    assert [type(part) for part in found] == [tuple, tuple]


def test_a_grey_record_is_repeated():
    assert WeightSource("a", "b", mean=(0.4,), std=(0.2,)).normalisation(3) == ((0.4,) * 3, (0.2,) * 3)


def test_the_checksum_is_the_best_that_is_stated():
    assert str(WeightSource("a", "b", sha256="ab" * 32, md5="cd" * 16).checksum) == "sha256 abababab..."
    assert str(WeightSource("a", "b", md5="cd" * 16).checksum) == "md5 cdcdcdcd..."
    assert WeightSource("a", "b").checksum.digits == ""


def test_a_repository_of_the_hub_is_known_by_its_address():
    assert WeightSource("a", "b", url="hf:timm/resnet18.a1_in1k").repository == "timm/resnet18.a1_in1k"
    assert WeightSource("a", "b", url="https://there/b").repository == ""
