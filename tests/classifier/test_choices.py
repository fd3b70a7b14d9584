"""What is chosen where nothing was asked for: by kinds of images, their sides and their channels."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from striate.classifier import choices
from striate.data import ArrayImages, Dataset, FileImages, KeptImages, Split, open_dataset
from striate.data.survey import Sizes
from striate.models import outline_of
from striate.weights.source import WeightSource

MEAN, STD = (0.1, 0.3, 0.8), (0.2, 0.25, 0.6)


def of(images, channels=3) -> Dataset:
    """A data set of these images, whose sizes nobody has looked at."""
    labels = np.arange(len(images)) % 2
    return Dataset("", ("a", "b"), channels, Split("train", images, labels), None, None, (), (), "")


def arrays(height: int, width: int, channels: int = 3) -> Dataset:
    pixels = np.random.default_rng(0).integers(0, 256, (4, height, width, channels), dtype=np.uint8)
    return of(ArrayImages(pixels, list("abcd")), channels)


def files(count: int = 4) -> FileImages:
    return FileImages([f"{number}.png" for number in range(count)], 3)


def kept() -> Dataset:
    return of(KeptImages([np.zeros((8, 8, 3), np.uint8)] * 4, files()))


def surveyed(*sizes) -> Dataset:
    return replace(of(files()), survey=SimpleNamespace(sizes=Sizes.of(np.array(sizes))))


@pytest.mark.parametrize("shape", [(12, 20), (20, 12)])
def test_the_side_of_images_in_memory_is_their_longer_one(shape):
    assert choices.typical_side_of(arrays(*shape)) == 20


def test_the_side_of_checked_files_is_that_of_a_typical_one(paint, tmp_path):
    for name, side in (("red", 16), ("blue", 40), ("green", 40)):
        paint(tmp_path / "photos", [name], count=2, side=side)
    assert choices.typical_side_of(open_dataset(tmp_path / "photos", val_fraction=0)) == 40
    assert choices.typical_side_of(of(files())) is None
    assert choices.typical_side_of(kept()) is None


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("side", "small"), [(None, False), (1, True), (64, True), (65, False)])
def test_a_network_goes_by_side_and_channels(side, small, channels):
    wanted = {1: "striate_m", 3: "striate_l", 4: "striate_l"}[channels] if small else "resnet18"
    assert choices.default_network(arrays(8, 8, channels), side) == wanted


@pytest.mark.parametrize(
    ("network", "sizes"),
    [
        ("resnet18", {None: 224, 1: 1, 64: 64, 65: 224}),
        (
            "inception_v3",
            {None: 299, 12: 299, 13: 13, 64: 64, 65: 299},
        ),  # by its stem for small images, not the paper's
        ("striate_l", {None: 32, 7: 32, 8: 8, 64: 64, 65: 32}),
        ("alexnet", {None: 227, 14: 227, 15: 227, 64: 227}),
        ("lenet5", {None: 28, 11: 28, 12: 28, 32: 28}),
    ],
)
def test_small_images_are_seen_at_their_size_where_the_network_can(network, sizes):
    assert {side: choices.input_size(outline_of(network), side, None) for side in sizes} == sizes


def test_weights_decide_the_size_whatever_the_images_are():
    assert [choices.input_size(outline_of("efficientnet_b2"), side, "imagenet") for side in (None, 20, 500)] == [
        288
    ] * 3


def test_a_size_is_explained_where_it_is_that_of_some_images_among_others():
    several = surveyed((30, 20), (10, 40), (50, 40))
    assert choices.size_notes(several, 40, 40) == [
        "the images are of 3 sizes, from 10x40 to 50x40; the network sees 40x40, chosen by the middle one of their "
        "longer sides"
    ]
    assert choices.size_notes(several, 40, 224) == []
    assert choices.size_notes(surveyed((40, 40), (40, 40)), 40, 40) == []
    assert choices.size_notes(of(files()), 40, 40) == []


@pytest.mark.parametrize(
    ("channels", "mean", "std"),
    [(3, MEAN, STD), (1, (0.4,), (0.35,)), (4, (*MEAN, 0.1), (*STD, 0.2))],
)
@pytest.mark.parametrize("side", [20, 100])
def test_weights_say_how_their_images_are_shown(channels, mean, std, side):
    source = WeightSource("own", "own.safetensors", mean=MEAN, std=STD, crop_fraction=0.96, interpolation="bicubic")
    look = choices.preprocessing_for(SimpleNamespace(weights_source=source), arrays(side, side, channels), 30)
    assert (look.mean, look.std) == (pytest.approx(mean), pytest.approx(std))
    assert (look.size, look.channels, look.resize) == ((30, 30), channels, "crop")
    assert (look.crop_fraction, look.interpolation) == (0.96, "bicubic")


@pytest.mark.parametrize(("side", "resize"), [(8, "stretch"), (64, "stretch"), (65, "crop")])
def test_without_weights_small_images_are_shown_whole(side, resize):
    dataset = arrays(side, 5, 1)
    look = choices.preprocessing_for(SimpleNamespace(weights_source=None), dataset, 30)
    assert (look.size, look.channels, look.resize) == ((30, 30), 1, resize)
    assert (look.crop_fraction, look.interpolation) == (0.875, "bilinear")
    pixels = dataset.train.images.array / 255
    assert (look.mean, look.std) == (pytest.approx([pixels.mean()]), pytest.approx([pixels.std()]))


def test_images_of_unknown_size_are_cropped_as_photos_are(monkeypatch):
    monkeypatch.setattr("striate.data.preprocessing.split_statistics", lambda split: ((0.5,) * 3, (0.2,) * 3))
    assert choices.preprocessing_for(SimpleNamespace(weights_source=None), of(files()), 30).resize == "crop"


def test_only_images_that_are_worth_it_get_worker_processes(monkeypatch):
    monkeypatch.setattr(choices, "worker_count", lambda: 7)
    expected = {
        (arrays, None): 0,
        (arrays, 64): 0,
        (arrays, 65): 0,
        (kept, None): 7,
        (kept, 64): 0,
        (kept, 65): 7,
        (files, None): 7,
        (files, 64): 7,
        (files, 65): 7,
    }
    make = {arrays: lambda: arrays(8, 8), kept: kept, files: lambda: of(files())}
    for (kind, side), workers in expected.items():
        assert choices.workers_for(make[kind](), side, None) == workers, (kind.__name__, side)
        assert [choices.workers_for(make[kind](), side, wanted) for wanted in (0, 3)] == [0, 3]


@pytest.mark.parametrize(
    ("images", "batch"),
    [(1, 1), (2, 2), (3, 2), (39, 2), (40, 4), (79, 4), (639, 32), (640, 64), (5000, 256), (10_000, 512)],
)
def test_a_batch_that_suits_gives_an_epoch_ten_steps(images, batch):
    assert choices.fitting_batch(images) == batch
