import io

import numpy as np
import pytest
from PIL import Image

from striate.data.decode import UnreadableImage, decode, inspect
from striate.units import decimal_size


def npy(array: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "shape", [(3, 40, 56), (1, 28, 28), (4, 64, 48), (3, 9, 5), (13, 64, 64), (12, 48, 64), (5, 9, 9), (200, 32, 32)]
)
def test_channels_first_are_asked_about(shape):
    data = npy(np.zeros(shape, np.uint8))
    moved = str((*shape[1:], shape[0])).replace("(", r"\(").replace(")", r"\)")
    for channels in (None, 1, 3):
        with pytest.raises(UnreadableImage, match=rf"channels came first.*transpose\(1, 2, 0\), of shape {moved}"):
            decode(data, channels)
    assert decode(data, shape[2]).shape == shape  # who asks for so many channels means it


@pytest.mark.parametrize(
    "shape",
    [(40, 56, 3), (3, 5, 4), (1, 9, 3), (9, 9, 200), (6, 6, 11), (64, 64, 64), (20, 30, 40), (9, 3, 3), (5, 4, 4)],
)
def test_channels_last_are_read(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(decode(npy(array), shape[2]), array)
    np.testing.assert_array_equal(decode(npy(np.asfortranarray(array)), None), array)


@pytest.mark.parametrize("order", "<>")
def test_sixteen_bits_are_scaled(order):
    array = np.array([[0, 128, 129, 32768, 65535]]).astype(f"{order}u2")
    decoded = inspect(npy(array), 1)
    assert decoded.image[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    assert (decoded.bit_depth, decoded.channels) == ("16", 1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "uint32", "bool", "complex64"])
def test_types_of_unknown_range_are_refused(dtype):
    with pytest.raises(UnreadableImage, match=rf"an array of {dtype}; images are uint8 \(0 to 255\) or uint16"):
        decode(npy(np.zeros((4, 5, 3), dtype)), 3)


def test_only_what_begins_as_an_array_is_taken_for_one():
    with pytest.raises(UnreadableImage, match=r"^not an image$"):
        decode(b"\x93NOT AN ARRAY", None)


def test_objects_are_not_unpickled():
    with pytest.raises(UnreadableImage, match="Python objects, which is not loaded"):
        decode(npy(np.array([{}]), allow_pickle=True), 3)


def test_files_that_do_not_hold_what_they_promise():
    data = npy(np.zeros((40, 50, 3), np.uint8))
    for cut, words in ((data[:-1], "truncated"), (data[:30], "damaged .npy"), (b"\x93NUMPY", "damaged .npy")):
        with pytest.raises(UnreadableImage, match=words):
            decode(cut, 3)
    huge = data.replace(b"(40, 50, 3)", b"(40000, 50000, 3)")
    with pytest.raises(UnreadableImage, match="more than 89,478,485 pixels"):
        decode(huge, 3)
    for shape in [(0, 4, 3), (2, 3, 4, 5), (7,)]:
        with pytest.raises(UnreadableImage, match=r"is not \(height, width, channels"):
            decode(npy(np.zeros(shape, np.uint8)), 3)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(version):
    array = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    np.testing.assert_array_equal(decode(stream.getvalue(), 3), array)


@pytest.mark.parametrize(
    ("shape", "first"),
    [
        *(((count, 5, 5), True) for count in (1, 3, 4)),
        *(((count, 5, 9), True) for count in (1, 3, 4)),
        *(((count, 5, 4), False) for count in (1, 3, 4)),
        *(((9, 5, count), False) for count in (1, 3, 4)),
        ((2, 5, 5), True),
        ((5, 5, 5), False),
        ((2, 5, 6), False),
        ((15, 32, 40), True),
        ((15, 40, 32), True),
        ((16, 32, 40), False),
        ((15, 31, 40), False),
        ((15, 40, 31), False),
        ((32, 32, 40), False),
    ],
)
def test_the_channels_lie_where_they_are_likelier(shape, first):
    data = npy(np.zeros(shape, np.uint8))
    if first:
        with pytest.raises(UnreadableImage) as caught:
            decode(data, None)
        assert caught.value.reason == (
            f"an array of shape {shape} looks as if its channels came first; images are (height, width, channels): "
            f"save array.transpose(1, 2, 0), of shape {(shape[1], shape[2], shape[0])}"
        )
    else:
        assert decode(data, None).shape == shape
    assert decode(data, shape[2]).shape == shape
    assert decode(npy(np.zeros(shape[:2], np.uint8)), None).shape == (*shape[:2], 1)


@pytest.mark.parametrize(("dtype", "bands", "needed"), [("u1", 1, 1), ("u1", 7, 7), ("u2", 1, 9), ("u2", 3, 27)])
def test_memory_is_that_of_all_bands_and_of_their_scaling(dtype, bands, needed, monkeypatch):
    data = npy(np.zeros((2000, 500, bands), dtype))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)  # 3.3 MB are allowed
    total = needed + len(data) / 1e6
    if total <= 3.3:
        assert decode(data, bands).shape == (2000, 500, bands)
    else:
        with pytest.raises(UnreadableImage, match=f"500 x 2,000 pixels need {decimal_size(total * 1e6)}"):
            decode(data, bands)
