"""Between grey, colour and opacity, by the formulas."""

import numpy as np
import pytest

from striate.data import channels
from striate.data.channels import on_white, to_channels
from striate.errors import StriateError


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("rows_at_once", [0.5, 1, 100, 1 << 20])
def test_opacity_mixes_with_white_rounded_for_every_value(rows_at_once, monkeypatch):
    monkeypatch.setattr(channels, "_AT_ONCE", int(256 * rows_at_once))
    colour, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    shown = on_white(colour[..., None], alpha[..., None])
    share = alpha / 255
    assert np.array_equal(shown[..., 0], np.rint(colour * share + 255 * (1 - share)))


def test_colour_becomes_grey_by_luma_and_grey_colour_by_repetition():
    image = noise(5, 6, 3)
    luma = image @ np.array([0.299, 0.587, 0.114])  # Rec. 601
    assert np.abs(to_channels(image, 1)[..., 0] - luma).max() <= 0.51
    assert np.array_equal(to_channels(image[..., :1], 3), np.repeat(image[..., :1], 3, axis=2))
    assert to_channels(image, 3) is image


def test_opacity_is_added_full_and_taken_away_on_white():
    image = noise(5, 6, 4)
    for count in (1, 3):
        opaque = to_channels(image[..., :count], 4)
        assert opaque.shape == (5, 6, 4)
        assert (opaque[..., 3] == 255).all()
        assert np.array_equal(opaque[..., :3], to_channels(image[..., :count], 3))
    shown = on_white(image[..., :3], image[..., 3:])
    assert np.array_equal(to_channels(image, 3), shown)
    assert np.array_equal(to_channels(image, 1), to_channels(shown, 1))


@pytest.mark.parametrize(("present", "wanted"), [(2, 3), (5, 4), (3, 2), (4, 7), (1, 5)])
def test_bands_are_not_made_up(present, wanted):
    with pytest.raises(StriateError, match=f"the image has {present} channels?, {wanted} are wanted"):
        to_channels(noise(2, 2, present), wanted)
    with pytest.raises(StriateError, match=r"array \(height, width, channels\), not \(4, 5\)"):
        to_channels(noise(4, 5), 3)
