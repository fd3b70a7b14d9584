"""Transforms that are no matrix, against torchvision's, Pillow's and their own statistics."""

import io

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as oracle

from striate.augment import pixels


@pytest.fixture(params=[1, 3, 5])
def image(request) -> np.ndarray:
    small = np.random.default_rng(request.param).integers(0, 256, (12, 16, request.param), dtype=np.uint8)
    return cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC).reshape(48, 64, request.param)


def planes(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).float()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.7])
def test_blur_is_torchvisions(image, sigma):
    kernel = 2 * int(np.ceil(3 * sigma)) + 1
    expected = oracle.gaussian_blur(planes(image), [kernel, kernel], [sigma, sigma]).permute(1, 2, 0)
    np.testing.assert_allclose(pixels.blur(image, sigma), expected, atol=1.01)


def test_downscaling_by_a_whole_factor_is_torchvisions_average_enlarged(image):
    small = torch.nn.functional.avg_pool2d(planes(image), 4).round()
    expected = oracle.resize(small, [48, 64], antialias=False).permute(1, 2, 0)
    np.testing.assert_allclose(pixels.downscale(image, 4), expected, atol=1.01)
    np.testing.assert_array_equal(pixels.downscale(image, 1), image)
    assert pixels.downscale(image, 1000).std(axis=(0, 1)).max() == 0


def test_noise_has_its_deviation_and_no_bias():
    grey = np.full((200, 200, 3), 128, np.uint8)
    noisy = pixels.noise(grey, 0.1, np.random.default_rng(0)).astype(float) - 128
    assert noisy.std() == pytest.approx(25.5, rel=0.02)
    assert noisy.mean() == pytest.approx(0, abs=0.3)
    # normal: 4.6 % lie beyond two deviations
    assert (np.abs(noisy) > 51).mean() == pytest.approx(0.046, abs=0.006)
    assert abs(np.corrcoef(noisy[:, :-1].ravel(), noisy[:, 1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 1].ravel())[0, 1]) < 0.02


def test_noise_saturates_and_does_not_wrap(image):
    for level in (0, 255):
        flat = np.full_like(image, level)
        noisy = pixels.noise(flat, 0.3, np.random.default_rng(0)).astype(int)
        assert np.abs(noisy - level).max() <= 255
        assert (noisy == level).mean() > 0.4


@pytest.mark.parametrize("quality", [10, 60, 95])
@pytest.mark.parametrize("channels", pixels.JPEG_CHANNELS)
def test_jpeg_is_as_far_from_the_picture_as_pillows(quality, channels):
    small = np.random.default_rng(1).integers(0, 256, (12, 16, channels), dtype=np.uint8)
    image = cv2.resize(small, (128, 96), interpolation=cv2.INTER_CUBIC).reshape(96, 128, channels)
    buffer = io.BytesIO()
    Image.fromarray(image if channels == 3 else image[:, :, 0]).save(buffer, "JPEG", quality=quality)
    pillows = np.asarray(Image.open(buffer)).reshape(image.shape).astype(float)
    ours = pixels.jpeg(image, quality).astype(float)
    assert np.abs(ours - image).mean() == pytest.approx(np.abs(pillows - image).mean(), rel=0.1, abs=0.1)
    assert np.abs(ours - pillows).mean() < 1.5


def test_a_box_is_erased_where_it_is_said_and_nothing_else(image):
    erased = pixels.erase(image, 0.25, 4 / 3, (1.0 - 1e-9, 0.0), np.random.default_rng(0))
    changed = (erased != image).any(axis=2)
    assert not changed[24:].any()
    assert not changed[:, :32].any()
    assert changed[:24, 32:].mean() > 0.95
    values = erased[:24, 32:].astype(float)
    assert values.mean() == pytest.approx(127.5, abs=8)
    assert values.std() == pytest.approx(73.9, abs=5)


@pytest.mark.parametrize("aspect", [0.01, 100.0])
def test_a_box_that_does_not_fit_is_cut(image, aspect):
    erased = pixels.erase(image, 1 / 3, aspect, (0.0, 0.0), np.random.default_rng(0))
    assert erased.shape == image.shape


def test_the_original_stays(image):
    before = image.copy()
    for function, arguments in (
        (pixels.downscale, (3.0,)),
        (pixels.blur, (2.0,)),
        (pixels.noise, (0.1, np.random.default_rng(0))),
        (pixels.erase, (0.2, 1.0, (0.5, 0.5), np.random.default_rng(0))),
    ):
        made = function(image, *arguments)
        assert made.shape == image.shape
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(image, before)
