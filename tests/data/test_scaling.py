"""Samples of every depth as 8 bits, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

from striate.data.scaling import to_eight_bits, unit_to_eight_bits, wide_integers
from striate.data.unreadable import UnreadableImage


@pytest.mark.parametrize("bits", range(1, 17))
def test_whole_numbers_are_scaled_to_the_nearest(bits):
    most = 2**bits - 1
    values = np.unique(np.linspace(0, most, 700).astype(np.uint16))
    expected = [int(Fraction(int(value) * 255, most) + Fraction(1, 2)) for value in values]
    for order in "<>":
        scaled = to_eight_bits(values.astype(f"{order}u2"), bits)
        assert (scaled.tolist(), scaled.dtype) == (expected, np.uint8)


def test_eight_bits_stay_as_they_are():
    values = np.arange(256, dtype=np.uint8)
    assert to_eight_bits(values, 8) is values
    assert to_eight_bits(values.astype(np.uint16), 8).dtype == np.uint8


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_numbers_from_nought_to_one_are_scaled_to_the_nearest(kind):
    values = np.array([0, 0.001, 0.002, 0.25, 0.5, 0.998, 0.9985, 1], kind)
    scaled = unit_to_eight_bits(values)
    assert (scaled.tolist(), scaled.dtype) == ([0, 0, 1, 64, 128, 254, 255, 255], np.uint8)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([-0.25, 0.5], "-0.25 to 0.5"),
        ([0, 1.5], "0 to 1.5"),
        ([0.5, np.nan], "nan to nan"),
        ([-np.inf, np.inf], "-inf to inf"),
    ],
)
def test_other_ranges_are_told(values, words):
    with pytest.raises(UnreadableImage) as caught:
        unit_to_eight_bits(np.array(values, np.float32))
    assert caught.value.reason == (
        f"floating-point pixels from {words}; only 0 to 1 has a known meaning: scale them to that"
    )


def test_wide_numbers_have_no_known_range():
    assert wide_integers("signed 8-bit integer").reason == (
        "signed 8-bit integer pixels, whose range is not known; save it with 8 or 16 bits, unsigned"
    )
