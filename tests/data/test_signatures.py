"""The first bytes of each form, as its own specification gives them."""

import io

import numpy as np
import pytest
from PIL import Image

from striate.data import heif
from striate.data.signatures import LENGTH, begins_as_image


def begun(format: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (20, 9), (9, 99, 200)).save(stream, format)
    return stream.getvalue()[:LENGTH]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF"])
def test_what_pillow_writes_is_known(format):
    assert begins_as_image(begun(format))


@pytest.mark.parametrize(
    "head",
    [
        b"GIF87a\1\0\1\0",
        b"MM\0*\0\0\0\x08",
        b"BM\x36\0\0\x03\0\0\0\0\x36\0\0\0",  # of 48 MB
        b"\0\0\0\x1cftypavis\0\0\0\0",
        *(b"P%d\n3 4\n" % kind for kind in range(1, 7)),
        b"P5\t3 4",
        b"\x93NUMPY\x01\0v\0",
    ],
)
def test_rarer_kinds_are_known(head):
    assert begins_as_image(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"P",
        b"P5",
        b"P7\n3 4",
        b"Pf\n1 1",
        b"P52 is a train",
        b"BM of a text, which is not the form",
        b"RIFF\x24\x08\0\0WAVEfmt ",
        b"\0\0\0\x1cftypmp42",
        b"\xff\xd8",
        b"\x89PMG\r\n",
    ],
)
def test_other_beginnings_are_none(head):
    assert not begins_as_image(head)


@pytest.mark.parametrize("installed", [False, True])
def test_heic_is_known_where_it_is_read(installed, monkeypatch):
    monkeypatch.setattr(heif, "is_installed", lambda: installed)
    for brand in (b"heic", b"heix", b"hevc"):
        assert begins_as_image(b"\0\0\0\x1cftyp" + brand + bytes(4)) == installed
    assert not begins_as_image(b"\0\0\0\x1cfree" + b"heic" + bytes(4))


def test_arrays_are_known():
    stream = io.BytesIO()
    np.save(stream, np.zeros((2, 2), np.uint8))
    assert begins_as_image(stream.getvalue()[:LENGTH])
