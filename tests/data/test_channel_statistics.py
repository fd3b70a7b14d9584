"""The normalisation that training measures, against NumPy on all training pixels."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from striate.data import ArrayImages, Preprocessing, Split, channel_statistics, open_dataset
from striate.data.channel_statistics import colour_covariance, split_statistics
from striate.data.facts import Facts
from striate.errors import StriateError


@pytest.fixture
def uneven(tmp_path):
    """Twelve pictures of different sizes that grow brighter, the last far brighter than the first."""
    for index in range(12):
        folder = tmp_path / "photos" / ("bright" if index >= 6 else "dark")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(index).integers(0, 20, (9 + index, 30 - index, 3), dtype=np.uint8)
        pixels[..., 0] += np.uint8(index * 20)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    return tmp_path / "photos"


def by_numpy(images):
    pixels = np.concatenate([np.asarray(image, dtype=np.float64).reshape(-1, image.shape[2]) for image in images])
    return pixels.mean(axis=0) / 255, pixels.std(axis=0) / 255


def assert_statistics(found, images):
    mean, std = by_numpy(images)
    assert found[0] == pytest.approx(mean, rel=1e-9)
    assert found[1] == pytest.approx(std, rel=1e-9)


@pytest.mark.parametrize("memory_limit", [None, 0])
def test_all_training_images_count_and_no_others(uneven, memory_limit):
    dataset = open_dataset(uneven, val_fraction=0.34, memory_limit=memory_limit)
    assert len(dataset.val) == 4
    train = [dataset.train.images.read(row) for row in range(len(dataset.train))]
    assert_statistics(split_statistics(dataset.train), train)
    look = Preprocessing.for_dataset(dataset, (8, 8))
    assert (look.mean, look.std) == split_statistics(dataset.train)


def test_statistics_need_no_reading(uneven):
    dataset = open_dataset(uneven, val_fraction=0, memory_limit=0)
    images = [np.asarray(Image.open(path)) for path in sorted(uneven.rglob("*.png"))]
    for path in uneven.rglob("*.png"):
        path.unlink()
    assert_statistics(split_statistics(dataset.train), images)


def test_grey_images_among_colour_count_in_every_channel(uneven):
    grey = np.random.default_rng(5).integers(0, 256, (14, 15), dtype=np.uint8)
    Image.fromarray(grey).save(uneven / "dark" / "grey.png")
    dataset = open_dataset(uneven, val_fraction=0, memory_limit=0)
    images = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(uneven.rglob("*.png"))]
    assert_statistics(split_statistics(dataset.train), images)


def test_pixels_in_memory_are_measured_as_files_are(uneven):
    array = np.random.default_rng(1).integers(0, 256, (300, 5, 4, 3), dtype=np.uint8)
    array[:, :, :, 2] //= np.arange(1, 301, dtype=np.uint16).reshape(-1, 1, 1).astype(np.uint8) | 1
    images = ArrayImages(array, [""] * 300)
    assert_statistics(split_statistics(Split("train", images, np.zeros(300, np.int64))), list(array))


def test_a_sample_is_spread_over_the_whole_set():
    array = np.zeros((1000, 2, 2, 1), dtype=np.uint8)
    array[500:] = 100
    (mean,), (std,) = channel_statistics(ArrayImages(array, [""] * 1000), sample=10)
    assert mean * 255 == pytest.approx(50)
    assert std * 255 == pytest.approx(50)


class Watched:
    """Images of one pixel that say which of them were read."""

    def __init__(self, count: int) -> None:
        self.count, self.read_rows = count, []

    def __len__(self) -> int:
        return self.count

    def read(self, row: int) -> np.ndarray:
        self.read_rows.append(row)
        return np.full((1, 1, 2), row % 256, np.uint8)


@pytest.mark.parametrize(("count", "looked_at"), [(1, 1), (4999, 4999), (5000, 5000), (12_000, 5000)])
def test_five_thousand_images_are_looked_at_from_the_first_to_the_last(count, looked_at):
    images = Watched(count)
    mean, std = channel_statistics(images)
    rows = sorted(images.read_rows)
    assert len(set(rows)) == len(rows) == looked_at
    assert (rows[0], rows[-1]) == (0, count - 1)
    assert max(np.diff(rows), default=1) - min(np.diff(rows), default=1) <= 1
    values = np.array(rows) % 256
    assert mean == pytest.approx([values.mean() / 255] * 2)
    assert std == pytest.approx([max(values.std(), 1) / 255] * 2)


def test_without_images_there_is_no_mean():
    with pytest.raises(StriateError, match="there are no images to take the mean of"):
        channel_statistics(Watched(0))


def test_facts_without_sums_and_splits_without_images_are_measured_by_reading():
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    split = Split("train", ArrayImages(array, list("abc")), np.zeros(3, np.int64))
    sizes, channels, blank, hashes = np.zeros((3, 2), np.int32), np.ones(3, np.int16), np.zeros(3, bool), np.zeros(3)
    known = Facts([b""] * 3, sizes, ["x"] * 3, channels, ["8"] * 3, blank, hashes, [()] * 3, None)
    assert_statistics(split_statistics(replace(split, facts=known)), list(array))
    with pytest.raises(StriateError, match="no images to take the mean of"):
        split_statistics(split.subset([]))


def test_a_deviation_is_one_grey_level_at_least():
    array = np.zeros((1, 10, 10, 2), np.uint8)
    array[0, 0, 0, 0] = 3  # its deviation is below one level
    array[0, :5, :, 1] = 4  # and of this one two
    _, std = channel_statistics(ArrayImages(array, ["a"]))
    assert std == pytest.approx([1 / 255, 2 / 255])


def test_the_covariance_of_colours_is_numpys_over_all_pixels(uneven):
    images = open_dataset(uneven).train.images
    pixels = np.concatenate([images.read(row).reshape(-1, 3) / 255 for row in range(len(images))])
    np.testing.assert_allclose(colour_covariance(images), np.cov(pixels.T, bias=True), rtol=1e-9)


def test_of_large_pictures_every_so_many_rows_and_columns_tell_the_colours():
    rng = np.random.default_rng(0)
    large = np.repeat(np.repeat(rng.integers(0, 256, (1, 64, 64, 3), dtype=np.uint8), 8, axis=1), 8, axis=2)
    expected = np.cov(large.reshape(-1, 3).T / 255, bias=True)
    np.testing.assert_allclose(colour_covariance(ArrayImages(large, ["x"])), expected, rtol=1e-9)
