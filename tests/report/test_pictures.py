import base64
import io

import numpy as np
import pytest
from PIL import Image

from striate.errors import StriateError
from striate.report.pictures import Picture, heat_map, thumbnail


def decoded(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.source.split(",")[1]))))


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (28, 20, 3), dtype=np.uint8)


def test_a_tiny_image_is_kept_to_the_pixel(noise):
    picture = thumbnail(noise)
    assert picture.source.startswith("data:image/png;base64,")
    assert (picture.width, picture.height, picture.tiny) == (20, 28, True)
    np.testing.assert_array_equal(decoded(picture), noise)


@pytest.mark.parametrize("shape", [(28, 20), (28, 20, 1), (28, 20, 2)])
def test_few_channels_are_shown_grey(noise, shape):
    image = noise[..., 0] if len(shape) == 2 else noise[..., : shape[2]]
    np.testing.assert_array_equal(decoded(thumbnail(image)), noise[..., 0])


def test_many_channels_are_shown_by_the_first_three(noise):
    image = np.concatenate([noise, noise[..., :2]], axis=2)
    np.testing.assert_array_equal(decoded(thumbnail(image)), noise)


@pytest.mark.parametrize(("side", "tiny"), [(64, True), (65, False)])
def test_up_to_64_pixels_single_ones_are_worth_seeing(side, tiny):
    image = np.random.default_rng(0).integers(0, 256, (5, side, 3), dtype=np.uint8)
    assert thumbnail(image).tiny is tiny
    assert (thumbnail(image).source.startswith("data:image/png")) is tiny


@pytest.mark.parametrize(("side", "width"), [(160, 160), (161, 160), (320, 160)])
def test_a_picture_is_no_longer_than_asked_and_never_enlarged(side, width):
    assert thumbnail(np.zeros((20, side, 3), np.uint8), size=160).width == width


def test_a_photograph_shrinks_to_a_jpeg_of_the_same_shape():
    ramp = np.linspace(0, 255, 900)[None, :, None] * np.linspace(0.2, 1, 600)[:, None, None]
    image = np.repeat(ramp, 3, axis=2) + np.random.default_rng(0).normal(0, 12, (600, 900, 3))
    picture = thumbnail(image.clip(0, 255).astype(np.uint8), size=160)
    assert (picture.width, picture.height, picture.tiny) == (160, 107, False)
    assert picture.source.startswith("data:image/jpeg;base64,")
    assert len(picture.source) < 12_000
    assert abs(decoded(picture).mean() - image.mean()) < 3


def test_a_flat_drawing_is_a_png_since_that_is_smaller():
    assert thumbnail(np.full((300, 300, 3), 200, np.uint8)).source.startswith("data:image/png")


def test_an_extreme_shape_keeps_at_least_one_pixel():
    for shape, size in (((1, 4000, 3), (100, 1)), ((4000, 1, 3), (1, 100))):
        picture = thumbnail(np.zeros(shape, np.uint8), size=100)
        assert (picture.width, picture.height) == size


def test_a_smaller_picture_shows_what_lies_under_each_of_its_pixels():
    rough = np.random.default_rng(0).integers(60, 200, (80, 160))
    grey = np.kron(rough, np.ones((4, 4))) + np.random.default_rng(1).normal(0, 50, (320, 640))
    image = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, 2)
    means = image.reshape(80, 4, 160, 4, 3).mean((1, 3))
    shown = decoded(thumbnail(image))
    assert shown.shape == (80, 160, 3)
    assert np.corrcoef(shown.ravel(), means.ravel())[0, 1] > 0.9  # one of sixteen pixels alone comes to about 0.65


def test_a_smooth_picture_is_a_jpeg_that_is_hardly_worse():
    y, x = np.mgrid[:120, :150]
    image = np.stack([x + 50, y + 60, (x + y) / 2 + np.random.default_rng(0).normal(0, 6, x.shape)], 2).astype(np.uint8)
    picture = thumbnail(image)
    assert picture.source.startswith("data:image/jpeg")
    assert np.abs(decoded(picture).astype(int) - image).mean() < 3
    assert len(picture.source) < 9000


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros(4, np.uint8)])
def test_what_is_no_image_is_a_clear_error(image):
    with pytest.raises(StriateError, match=r"must be uint8 \(H, W, C\)"):
        thumbnail(image)


def test_a_heat_map_is_transparent_at_nought_and_opaque_at_one():
    picture = heat_map(np.array([[1.0, 0.25], [0.0, 2.0]]), (10, 20, 30))
    assert (picture.width, picture.height, picture.tiny) == (2, 2, True)
    assert heat_map(np.ones((2, 3)), (10, 20, 30))[1:] == (3, 2, True)
    pixels = decoded(picture)
    assert pixels[..., 3].tolist() == [[255, 128], [0, 255]]
    assert pixels[0, 0, :3].tolist() == [10, 20, 30]
