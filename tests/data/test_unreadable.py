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


def told(*arguments) -> str:
    with pytest.raises(UnreadableImage) as caught:
        check_size(*arguments)
    return caught.value.reason


def test_limits_are_kept_to_the_last_pixel_and_byte(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000_000)  # 33 MB
    check_size(10_000, 1000, 3.3)
    check_size(10_000, 1000, 3.2, 1_000_000)
    assert told(10_000, 1000, 3.2, 1_000_001) == (
        "10,000 x 1,000 pixels need 33.0 MB to be decoded, 33.0 MB are allowed; make it smaller"
    )
    assert fits(10_000, 1000, 3.2, 1_000_000)
    assert not fits(10_000, 1000, 3.2, 1_000_001)
    assert not fits(10_001, 1000, 1, 0)
    for scale in (2, 4, 8):  # twice as many where it is decoded smaller
        check_size(20_000, 1000, 1, 0, scale)
        assert fits(20_000, 1000, 1, 0, scale)
        assert not fits(20_001, 1000, 1, 0, scale)
        assert told(20_001, 1000, 1, 0, scale) == (
            "20,001 x 1,000 is more than 10,000,000 pixels, which is not safe to open; make it smaller"
        )
    assert told(20_000, 1000) == told(20_001, 1000, 1, 0, 1).replace("20,001", "20,000")


def test_a_mebibyte_is_always_allowed(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    check_size(10, 10, 1, (1 << 20) - 100)
    assert (
        told(10, 10, 1, (1 << 20) - 99)
        == "10 x 10 pixels need 1.05 MB to be decoded, 1.05 MB are allowed; make it smaller"
    )


def test_shape_and_emptiness_are_told_with_the_numbers(monkeypatch):
    assert told(0, 3000) == "0 x 3,000 pixels: there is no picture in it"
    assert told(2001, 2) == ("2,001 x 2 pixels: one side is more than 1,000 times the other; cut it into pieces")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert told(1, 1001).startswith("1 x 1,001 pixels: one side is more")
    assert told(5, 0) == "5 x 0 pixels: there is no picture in it"
    check_size(1, 1000)


def test_an_unreadable_image_is_called_by_its_place_where_that_is_known():
    assert str(UnreadableImage("truncated")) == "truncated"
    error = UnreadableImage("truncated", "a.png")
    assert (str(error), error.reason, error.where) == ("a.png: truncated", "truncated", "a.png")


def test_room_is_made_for_what_decoding_will_take_and_for_nothing_that_is_refused(monkeypatch):
    asked = []
    monkeypatch.setattr("striate.data.unreadable.make_room", asked.append)
    check_size(500, 400, 2.5, 7)
    assert asked == [500_007]
    for refused in ((0, 5, 1), (10_000, 10_000, 1), (9000, 9000, 9), (5001, 5, 1)):
        with pytest.raises(UnreadableImage):
            check_size(*refused)
    assert asked == [500_007]
