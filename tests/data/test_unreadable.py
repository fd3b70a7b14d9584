import pytest
from PIL import Image

from striate.data.unreadable import MAX_ASPECT, UnreadableImage, check_size, fits


def test_pixels_are_limited_by_pillows_number(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000_000)
    check_size(10_000, 1000)
    with pytest.raises(UnreadableImage, match="10,001 x 1,000 is more than 10,000,000 pixels"):
        check_size(10_001, 1000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    check_size(100_000, 100_000, 50)


def test_memory_is_limited_whatever_the_decoder_takes():
    check_size(7600, 7600, 5)
    check_size(6200, 6200, 7.5)
    with pytest.raises(UnreadableImage, match="7,800 x 7,800 pixels need 304 MB to be decoded, 295 MB are allowed"):
        check_size(7800, 7800, 5)
    with pytest.raises(UnreadableImage, match="need 330 MB"):
        check_size(1000, 1000, 30, 300_000_000)


@pytest.mark.parametrize("turn", [1, -1])
def test_hairs_are_refused(turn):
    check_size(*(MAX_ASPECT, 1)[::turn])
    with pytest.raises(UnreadableImage, match="one side is more than 1,000 times the other"):
        check_size(*(2 * MAX_ASPECT + 1, 2)[::turn])


def test_nothing_is_no_picture():
    for size in ((0, 5), (5, 0)):
        with pytest.raises(UnreadableImage, match="there is no picture in it"):
            check_size(*size)


def test_without_a_limit_everything_fits(monkeypatch):
    assert not fits(100_000, 100_000, 9, 0)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert fits(100_000, 100_000, 9, 0)
