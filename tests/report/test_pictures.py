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
    assert thumbnail(np.zeros((1, 4000, 3), np.uint8), size=100).height == 1


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros(4, np.uint8)])
def test_what_is_no_image_is_a_clear_error(image):
    with pytest.raises(StriateError, match=r"must be uint8 \(H, W, C\)"):
        thumbnail(image)


def test_a_heat_map_is_transparent_at_nought_and_opaque_at_one():
    pixels = decoded(heat_map(np.array([[1.0, 0.25], [0.0, 2.0]]), (10, 20, 30)))
    assert pixels[..., 3].tolist() == [[255, 128], [0, 255]]
    assert pixels[0, 0, :3].tolist() == [10, 20, 30]
