"""What a tag of orientation means, whatever its type, and the pixels that follow from it."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import IFDRational

from striate.data.orientation import from_exif, from_xmp, of_image, orientation, upright


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (1, 1),
        (6, 6),
        (8, 8),
        (6.0, 6),
        (Fraction(12, 2), 6),
        (IFDRational(3, 1), 3),
        (np.uint16(5), 5),
        (0, 1),
        (9, 1),
        (-6, 1),
        (6.5, 1),
        (float("nan"), 1),
        (float("inf"), 1),
        (IFDRational(6, 0), 1),
        ("6", 1),
        (b"6", 1),
        ((6,), 1),
        (None, 1),
    ],
)
def test_a_whole_number_from_1_to_8_counts_and_nothing_else(value, meaning):
    assert orientation(value) == meaning


@pytest.mark.parametrize("way", range(1, 9))
def test_pixels_stand_as_pillow_turns_them(way):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = way
    assert of_image(image) == way
    np.testing.assert_array_equal(upright(pixels, way), np.asarray(ImageOps.exif_transpose(image)))
    assert from_exif(image.getexif().tobytes()) == way


def test_metadata_without_an_orientation():
    assert from_exif(Image.Exif().tobytes()) is None
    assert from_exif(b"Exif\0\0rubbish") is None
    assert from_xmp(b"<x:xmpmeta/>") is None
    assert from_xmp(b'<rdf:Description tiff:Orientation="6"/>') == 6
    assert from_xmp(b"<tiff:Orientation>8</tiff:Orientation>") == 8
    assert from_xmp(b'<rdf:Description tiff:Orientation="9"/>') == 1


@pytest.mark.parametrize("error", [TypeError, ValueError, ZeroDivisionError, OverflowError])
def test_a_value_that_is_no_number_is_upright(error):
    class Odd:
        def __float__(self):
            raise error

    assert orientation(Odd()) == 1
