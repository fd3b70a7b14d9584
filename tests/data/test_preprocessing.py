import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from striate.data import ArrayImages, FileImages, Preprocessing, channel_statistics, open_dataset, preprocessing
from striate.data.decode import decode
from striate.data.resizing import resize_window
from striate.errors import StriateError, UsageError


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def by_torchvision(image: np.ndarray, *steps) -> np.ndarray:
    tensor = torch.from_numpy(image).permute(2, 0, 1)
    return v2.Compose(steps)(tensor).permute(1, 2, 0).numpy()


def to_size(size: tuple[int, int], channels: int = 3, **options) -> Preprocessing:
    return Preprocessing(size, channels, (0.5,) * channels, (0.25,) * channels, **options)


@pytest.mark.parametrize("channels", [1, 3, 4, 9])
@pytest.mark.parametrize("shape", [(100, 131), (301, 200), (31, 77), (225, 224)])
@pytest.mark.parametrize(("side", "short_side"), [(64, 73), (62, 71)])  # 73.1 and 70.9
def test_crop_is_torchvisions_resize_and_centre_crop(shape, channels, side, short_side):
    image = noise(*shape, channels)
    expected = by_torchvision(image, v2.Resize(short_side, antialias=True), v2.CenterCrop(side))
    made = to_size((side, side), channels)(image)
    assert made.shape == (side, side, channels)
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_stretch_is_torchvisions_resize_to_both_sides(interpolation):
    image = noise(90, 41, 3)
    expected = by_torchvision(image, v2.Resize((32, 48), v2.InterpolationMode(interpolation), antialias=True))
    made = to_size((32, 48), resize="stretch", interpolation=interpolation)(image)
    assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("shape", "inner", "margins"),  # what is left and right, above and below
    [((90, 41), (32, 15), (16, 0, 17, 0)), ((40, 96), (20, 48), (0, 6, 0, 6)), ((3, 900), (1, 48), (0, 15, 0, 16))],
)
def test_letterbox_is_torchvisions_resize_and_pad(interpolation, shape, inner, margins):
    image = noise(*shape, 3)
    resized = v2.Resize(inner, v2.InterpolationMode(interpolation), antialias=True)
    expected = by_torchvision(image, resized, v2.Pad(list(margins)))
    made = to_size((32, 48), resize="letterbox", interpolation=interpolation)(image)
    assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("shape", [(100, 131), (31, 77)])
def test_bicubic_crop_is_torchvisions(shape):
    image = noise(*shape, 3)
    bicubic = v2.Resize(round(64 / 0.875), v2.InterpolationMode.BICUBIC, antialias=True)
    expected = by_torchvision(image, bicubic, v2.CenterCrop(64)).astype(int)
    assert np.abs(to_size((64, 64), interpolation="bicubic")(image) - expected).max() <= 1
    assert np.abs(to_size((64, 64))(image) - expected).max() > 5  # bilinear is another picture


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(60, 3000, 3), (3000, 60, 1), (7, 500, 9), (500, 3, 4)])
@pytest.mark.parametrize("size", [(64, 64), (24, 50)])
def test_thin_images_are_cut_first_with_the_same_result(shape, size, interpolation, monkeypatch):
    image, look = noise(*shape), to_size(size, shape[2], interpolation=interpolation)
    made = look(image)
    monkeypatch.setattr(preprocessing, "resize_window", None)
    monkeypatch.setattr(preprocessing, "_MOST_WASTE", 1e9)
    assert np.abs(made.astype(int) - look(image)).max() <= 2


@pytest.mark.parametrize(("width", "cut"), [(400, False), (510, False), (514, True), (900, True)])
def test_only_images_of_eight_times_the_pixels_are_cut_first(width, cut, monkeypatch):
    asked = []
    monkeypatch.setattr(preprocessing, "resize_window", lambda *said: asked.append(said) or resize_window(*said))
    look = to_size((64, 64), crop_fraction=1.0)
    assert look(noise(64, width, 3)).shape == (64, 64, 3)
    assert bool(asked) is cut


@pytest.mark.parametrize("shape", [(1, 20000, 3), (20000, 1, 3), (2, 65000, 1)])
def test_a_hair_takes_no_more_memory_than_what_is_shown(shape):
    import tracemalloc

    look, image = to_size((224, 224), shape[2]), noise(*shape)
    tracemalloc.start()
    assert look(image).shape == (224, 224, shape[2])
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_files_without_an_interpolation_mean_bilinear():
    fields = to_size((28, 30)).to_dict()
    del fields["interpolation"]
    assert Preprocessing.from_dict(fields).interpolation == "bilinear"


@pytest.mark.parametrize("shape", [(40, 200), (200, 40), (33, 47), (7, 5)])
@pytest.mark.parametrize("crop_fraction", [0.875, 1.0, 0.6])
def test_oblong_sizes_are_always_covered(shape, crop_fraction):
    assert to_size((24, 50), crop_fraction=crop_fraction)(noise(*shape, 3)).shape == (24, 50, 3)


def test_image_of_the_right_size_passes_untouched():
    image = noise(32, 32, 3)
    for rule in ("crop", "letterbox", "stretch", "none"):
        assert to_size((32, 32), resize=rule)(image) is image


def test_other_size_is_refused_when_resizing_is_off():
    with pytest.raises(StriateError, match="32x30, the network takes 28x28"):
        to_size((28, 28), resize="none")(noise(32, 30, 3))


def test_grey_becomes_colour_on_the_way():
    grey = noise(32, 32, 1)
    assert np.array_equal(to_size((32, 32))(grey), np.repeat(grey, 3, axis=2))
    with pytest.raises(StriateError, match="7 channels, 3 are wanted"):
        to_size((32, 32))(noise(32, 32, 7))


def test_normalise_is_the_formula_and_keeps_the_memory_format():
    preprocessing = Preprocessing((4, 5), 3, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    batch = torch.from_numpy(noise(2, 3, 4, 5))
    mean = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64).view(3, 1, 1)
    std = torch.tensor([0.5, 0.6, 0.7], dtype=torch.float64).view(3, 1, 1)
    expected = (batch.double() / 255 - mean) / std
    for memory_format in (torch.contiguous_format, torch.channels_last):
        made = preprocessing.normalise(batch.contiguous(memory_format=memory_format))
        assert made.dtype == torch.float32
        assert made.is_contiguous(memory_format=memory_format)
        torch.testing.assert_close(made.double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_normalise_gives_the_same_bits_in_either_memory_format_and_leaves_the_batch(channels):
    look = Preprocessing((7, 9), channels, (0.1, 0.2, 0.3, 0.4, 0.5)[:channels], (0.5, 0.6, 0.7, 0.3, 0.2)[:channels])
    batch = torch.from_numpy(noise(2, channels, 7, 9))
    for given in (batch, batch.float()):
        kept = given.clone()
        rows = look.normalise(given.contiguous(memory_format=torch.channels_last))
        assert torch.equal(rows, look.normalise(given.contiguous()))
        assert torch.equal(given, kept)


def test_preprocessing_survives_json():
    look = to_size((28, 30), 1, resize="stretch", crop_fraction=0.9, interpolation="bicubic")
    assert Preprocessing.from_dict(json.loads(json.dumps(look.to_dict()))) == look
    with pytest.raises(UsageError, match="fields"):
        Preprocessing.from_dict({"sise": [1, 1]})


def test_files_of_earlier_versions_call_stretching_squashing():
    look = to_size((28, 30), 1, resize="stretch")
    assert Preprocessing.from_dict({**look.to_dict(), "resize": "squash"}) == look


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resize": "stretched"}, "crop, letterbox, stretch, none"),
        ({"interpolation": "nearest"}, "bilinear or bicubic"),
        ({"size": (0, 4)}, "height, width"),
        ({"std": (0.0,)}, "positive"),
        ({"mean": (0.1, 0.2)}, "1 channels"),
        ({"crop_fraction": 1.5}, "crop_fraction"),
    ],
)
def test_impossible_values_are_refused(change, message):
    fields = {"size": (8, 8), "channels": 1, "mean": (0.5,), "std": (0.2,), **change}
    with pytest.raises(UsageError, match=message):
        Preprocessing(**fields)


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_statistics_are_numpys(channels):
    array = noise(300, 5, 7, channels)
    mean, std = channel_statistics(ArrayImages(array, [""] * 300))
    np.testing.assert_allclose(mean, (array / 255).mean(axis=(0, 1, 2)), rtol=1e-9)
    np.testing.assert_allclose(std, (array / 255).std(axis=(0, 1, 2)), rtol=1e-9)


def test_statistics_weigh_files_by_their_pixels(make_folder):
    folder = make_folder({"a": 2, "b": 1}, size=(20, 20))
    make_folder({"a": 1}, size=(5, 9))  # over the first one
    images = FileImages(sorted(folder.rglob("*.png")), 3)
    pixels = np.concatenate([images.read(row).reshape(-1, 3) for row in range(3)]) / 255
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=1e-9)


def test_statistics_of_a_constant_channel_can_be_divided_by():
    assert channel_statistics(ArrayImages(np.zeros((2, 3, 3, 1), np.uint8), ["", ""])) == ((0.0,), (1 / 255,))


def test_mnist_has_its_well_known_mean_and_deviation(shared_data):
    preprocessing = Preprocessing.for_dataset(open_dataset(shared_data / "mnist", val_fraction=0), (28, 28))
    assert preprocessing.mean[0] == pytest.approx(0.1307, abs=0.003)  # a sample of 5,000 of 60,000
    assert preprocessing.std[0] == pytest.approx(0.3081, abs=0.003)


def test_a_data_sets_preprocessing_takes_all_that_is_asked(make_folder):
    dataset = open_dataset(make_folder({"cat": 2, "dog": 2}, mode="L"), val_fraction=0)
    look = Preprocessing.for_dataset(dataset, (9, 7), resize="stretch", crop_fraction=0.5)
    assert (look.size, look.channels, look.resize, look.crop_fraction) == ((9, 7), 1, "stretch", 0.5)
    mean, std = channel_statistics(dataset.train.images)
    assert (look.mean, look.std) == (pytest.approx(mean), pytest.approx(std))
    plain = Preprocessing.for_dataset(dataset, (9, 7))
    assert (plain.resize, plain.crop_fraction, plain.interpolation) == ("crop", 0.875, "bilinear")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"resize": "zoom"}, "unknown resize rule 'zoom'; it is one of crop, letterbox, stretch, none"),
        ({"interpolation": "nearest"}, "unknown interpolation 'nearest'; it is bilinear or bicubic"),
        ({"size": (4, 0)}, "size is (height, width) in pixels, at least 1 each, not (4, 0)"),
        ({"size": (4,)}, "size is (height, width) in pixels, at least 1 each, not (4,)"),
        ({"size": (4, 4, 3)}, "size is (height, width) in pixels, at least 1 each, not (4, 4, 3)"),
        ({"crop_fraction": 0}, "crop_fraction lies above 0 and at most at 1, not 0"),
        ({"crop_fraction": 1.01}, "crop_fraction lies above 0 and at most at 1, not 1.01"),
        ({"mean": (0.1,)}, "2 channels need as many means and standard deviations, not 1 and 2"),
        ({"std": (0.1, 0.1, 0.1)}, "2 channels need as many means and standard deviations, not 2 and 3"),
        ({"std": (0.1, 0)}, "standard deviations are positive, not (0.1, 0)"),
        ({"std": (-0.1, 0.2)}, "standard deviations are positive, not (-0.1, 0.2)"),
    ],
)
def test_what_a_value_must_be_is_told(change, words):
    fields = {"size": (1, 1), "channels": 2, "mean": (0.5, -1), "std": (0.2, 1e-9), "crop_fraction": 1}
    assert Preprocessing(**fields).size == (1, 1)
    with pytest.raises(UsageError) as caught:
        Preprocessing(**{**fields, **change})
    assert str(caught.value) == words


def test_fields_are_told_as_json_holds_them():
    assert to_size((4, 5), 1).to_dict() == {
        "size": [4, 5],
        "channels": 1,
        "mean": [0.5],
        "std": [0.25],
        "resize": "crop",
        "crop_fraction": 0.875,
        "interpolation": "bilinear",
    }
    with pytest.raises(UsageError, match=r"these are not the fields of a preprocessing: .*'sise'"):
        Preprocessing.from_dict({**to_size((4, 5)).to_dict(), "sise": 1})
    fields = to_size((4, 5)).to_dict()
    del fields["std"]
    with pytest.raises(UsageError, match=r"these are not the fields of a preprocessing: .*'std'"):
        Preprocessing.from_dict(fields)


@pytest.mark.parametrize(
    ("shape", "place"),
    [((20, 40), (0, 10)), ((40, 20), (10, 0)), ((20, 41), (0, 10)), ((20, 43), (0, 12)), ((23, 20), (2, 0))],
)
def test_the_centre_is_cut_out_where_one_side_fits(shape, place):
    image = noise(*shape, 3)
    look = to_size((20, 20), crop_fraction=1.0)
    top, left = place
    np.testing.assert_array_equal(look(image), image[top : top + 20, left : left + 20])
    expected = by_torchvision(image, v2.Resize(20, antialias=True), v2.CenterCrop(20))
    np.testing.assert_array_equal(look(image), expected)


@pytest.mark.parametrize(
    ("shape", "size", "options", "scale"),
    [
        ((1023, 1200), (224, 224), {}, 1),  # resized to 256, and a half of it is less than twice that
        ((1024, 1200), (224, 224), {}, 2),
        ((1200, 4096), (224, 224), {}, 2),
        ((2047, 2048), (224, 224), {}, 2),
        ((4095, 2048), (224, 224), {}, 4),
        ((4096, 4096), (224, 224), {}, 8),
        ((20000, 20000), (224, 224), {}, 8),
        ((4096, 1792), (224, 224), {"resize": "stretch"}, 4),
        ((4096, 1791), (224, 224), {"resize": "stretch"}, 2),
        ((4096, 1792), (224, 224), {"resize": "letterbox"}, 8),
        ((1791, 900), (224, 224), {"resize": "letterbox"}, 2),
        ((896, 896), (224, 224), {"crop_fraction": 1.0}, 2),
        ((448, 448), (448, 448), {"resize": "none"}, 1),
        ((4000, 4000), (4000, 4000), {"resize": "none"}, 1),
    ],
)
def test_a_picture_serves_smaller_while_it_is_twice_as_large_as_it_is_resized_to(shape, size, options, scale):
    look = to_size(size, **options)
    assert look.serving(*shape) == scale


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("resize", ["crop", "letterbox", "stretch"])
def test_a_picture_decoded_as_small_as_serves_looks_the_same(turned, resize):
    """Smooth shapes with hard edges, at twice and at eight times the size."""
    rows, columns = np.mgrid[:900, :1300]
    across = np.stack([np.cos(columns / width) for width in (23, 31, 41)], 2)
    waves = 127 + 120 * np.sin(rows / 17)[..., None] * across
    waves[200:400, 300:700] = 255 - waves[200:400, 300:700]
    picture, look = Image.fromarray(waves.astype(np.uint8)), to_size((112, 112), resize=resize)
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92, exif=exif)
    data = file.getvalue()
    small = decode(data, 3, look.serving)
    sides = (1300, 900) if turned else (900, 1300)
    scale = 2 if resize == "crop" else 4  # to 128 rows, or to 112
    assert small.shape == (sides[0] // scale, sides[1] // scale, 3)
    off = np.abs(look(small).astype(float) - look(decode(data, 3)))
    assert off.mean() < 1.5
