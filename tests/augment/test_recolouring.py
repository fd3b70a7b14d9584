import numpy as np
import pytest

from striate.augment import colour, recolour

ONE = np.ones(1)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4, 5])
def test_recolouring_multiplies_each_pixel(channels):
    image = noise(6, 5, channels)
    matrices = colour.contrast(ONE * 0.7, ONE * 0.5) @ colour.saturation(ONE * 0.4) @ colour.hue(ONE * 50)
    coloured = recolour(image, matrices[0, :3])
    assert coloured.shape == image.shape
    assert coloured.dtype == np.uint8
    if channels != 3:  # on grey only the contrast shows
        np.testing.assert_allclose(coloured, 127.5 + 0.7 * (image - 127.5), atol=1)
        return
    pixels = image / 255
    expected = np.clip(pixels @ matrices[0, :3, :3].T + matrices[0, :3, 3], 0, 1) * 255
    np.testing.assert_allclose(coloured, expected, atol=1)


def test_recolouring_saturates_and_does_not_wrap():
    image = np.array([[[0, 128, 255]]], np.uint8)
    assert recolour(image, colour.brightness(ONE * 3)[0, :3]).tolist() == [[[0, 255, 255]]]
    assert recolour(image, colour.contrast(ONE * 4, ONE * 0.5)[0, :3]).tolist() == [[[0, 130, 255]]]
    assert recolour(image[..., 2:], colour.brightness(ONE * 3)[0, :3]).tolist() == [[[255]]]


def test_two_channels_are_recoloured_as_grey():
    image = noise(4, 5, 2)
    matrix = (colour.contrast(ONE * 0.7, ONE * 0.5) @ colour.saturation(ONE * 0.4))[0, :3]
    np.testing.assert_array_equal(
        recolour(image, matrix), np.stack([recolour(image[..., k : k + 1], matrix)[..., 0] for k in (0, 1)], -1)
    )


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_recolouring_reaches_black_and_white(channels):
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(channels, axis=2)
    assert (recolour(image, colour.brightness(ONE * 0)[0, :3]) == 0).all()
    np.testing.assert_array_equal(recolour(image, colour.identity(1)[0, :3]), image)
    bright = recolour(image, colour.brightness(ONE * 2)[0, :3])
    np.testing.assert_array_equal(bright, np.minimum(image.astype(int) * 2, 255))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_colours_are_rounded_to_the_nearest(channels):
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(channels, axis=2)
    coloured = recolour(image, colour.contrast(ONE * 0.7, ONE * 0.5)[0, :3])
    assert np.abs(coloured[..., :3] - (127.5 + 0.7 * (image[..., :3].astype(float) - 127.5))).max() <= 0.46
