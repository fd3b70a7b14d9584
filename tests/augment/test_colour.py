import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from striate.augment import colour, recolour
from striate.augment.recolouring import means

FACTORS = [0.0, 0.3, 1.0, 1.7]


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (9, 11, 3), dtype=np.uint8)


def torchvision(function, image: np.ndarray, factor: float) -> np.ndarray:
    pixels = torch.from_numpy(image).permute(2, 0, 1).double() / 255
    return (function(pixels, factor).permute(1, 2, 0) * 255).numpy()


def ours(matrices: np.ndarray, image: np.ndarray) -> np.ndarray:
    return recolour(image, matrices[0, :3]).astype(float)


@pytest.mark.parametrize("factor", FACTORS)
def test_brightness_is_torchvisions(picture, factor):
    expected = torchvision(oracle.adjust_brightness, picture, factor)
    np.testing.assert_allclose(ours(colour.brightness(np.array([factor])), picture), expected, atol=1)


@pytest.mark.parametrize("factor", FACTORS)
def test_saturation_is_torchvisions(picture, factor):
    expected = torchvision(oracle.adjust_saturation, picture, factor)
    np.testing.assert_allclose(ours(colour.saturation(np.array([factor])), picture), expected, atol=1)


@pytest.mark.parametrize("factor", FACTORS)
def test_contrast_is_torchvisions(picture, factor):
    expected = torchvision(oracle.adjust_contrast, picture, factor)
    grey = colour.grey_level(colour.identity(1), means(picture[None]))
    np.testing.assert_allclose(ours(colour.contrast(np.array([factor]), grey), picture), expected, atol=1)


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
def test_grey_stays_grey_when_hue_or_saturation_change(level):
    grey = np.array([level, level, level, 1.0])
    changes = [colour.hue(np.array([-170.0, 33.0])), colour.saturation(np.array([0.0, 2.5]))]
    for matrices in changes:
        np.testing.assert_allclose(matrices @ grey, [grey, grey], atol=1e-3)


def test_a_full_turn_of_hue_changes_nothing_and_turns_add_up():
    np.testing.assert_allclose(colour.hue(np.array([360.0]))[0], np.eye(4), atol=1e-12)
    twice = colour.hue(np.array([40.0])) @ colour.hue(np.array([80.0]))
    np.testing.assert_allclose(twice, colour.hue(np.array([120.0])), atol=1e-12)


def test_hue_keeps_the_sum_of_the_channels_and_the_distance_from_grey():
    pixels = np.random.default_rng(0).random((3, 50))
    turned = colour.hue(np.array([77.0]))[0, :3, :3] @ pixels
    np.testing.assert_allclose(turned.sum(0), pixels.sum(0), atol=1e-12)
    np.testing.assert_allclose((turned**2).sum(0), (pixels**2).sum(0), atol=1e-12)


@pytest.mark.parametrize("degrees", [-240.0, -120.0, 0.0, 120.0, 360.0])
def test_thirds_of_a_turn_are_torchvisions(picture, degrees):
    expected = torchvision(oracle.adjust_hue, picture, (degrees / 360 + 0.5) % 1 - 0.5)
    np.testing.assert_allclose(ours(colour.hue(np.array([degrees])), picture), expected, atol=1)


def test_hue_turns_the_circle_of_primaries_all_the_way_round():
    primaries = np.eye(3)
    seen = [(colour.hue(np.array([angle]))[0, :3, :3] @ primaries[0]).argmax() for angle in (0.0, 120.0, 240.0)]
    assert sorted(seen) == [0, 1, 2]


def test_the_last_of_composed_matrices_acts_last():
    composed = colour.contrast(np.array([0.0]), np.array([0.5])) @ colour.brightness(np.array([0.3]))
    np.testing.assert_allclose(composed[0] @ [0.2, 0.4, 0.9, 1], [0.5, 0.5, 0.5, 1])


def test_hue_turns_red_to_green_by_positive_angles():
    turned = colour.hue(np.array([120.0, -120.0]))[:, :3, :3] @ [1, 0, 0]
    assert [primary.argmax() for primary in turned] == [1, 2]


def test_principal_axes_are_the_directions_of_the_spread_as_long_as_it():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    pixels = np.random.default_rng(1).normal(size=(1000, 3)) * (0.3, 0.1, 0.02) @ turn.T
    covariance = np.cov(pixels, rowvar=False)
    axes = colour.principal_axes(covariance)
    np.testing.assert_allclose(axes @ axes.T, covariance, atol=1e-12)
    lengths = np.linalg.norm(axes, axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.diag(lengths**2), atol=1e-12)  # at right angles
    np.testing.assert_allclose(covariance @ axes, axes * lengths**2, atol=1e-12)
