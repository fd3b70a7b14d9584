"""Damage in the coded data of JPEG files, which decoders fill with grey: named, and never printed."""

import ctypes
import io
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from striate.data import jpeg
from striate.data import listen as listening
from striate.data.decode import SHRUNK, UnreadableImage, decode, inspect
from striate.data.listen import listen


def photo(mode: str = "RGB", size: tuple[int, int] = (160, 120), **options) -> bytes:
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    planes = np.stack([127 + 90 * np.sin(x / (7 + c)) * np.cos(y / (9 + c)) for c in range(3)], axis=2)
    noise = np.random.default_rng(0).normal(0, 10, planes.shape)
    stream = io.BytesIO()
    Image.fromarray(np.clip(planes + noise, 0, 255).astype(np.uint8)).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def middle(data: bytes) -> int:
    scan = jpeg.read_header(data).scan
    return scan + (len(data) - scan) // 2


def damaged(data: bytes) -> dict[str, bytes]:
    at = middle(data)
    return {
        "cut, then an end mark": data[:at] + b"\xff\xd9",
        "zeroed": data[:at] + bytes(600) + data[at + 600 :],
        "lost bytes": data[:at] + data[at + 700 :],
        "two files joined": data[:at] + data,
        "cut": data[:at],
        "other bytes inside": data[:at] + bytes(range(1, 200)) * 3 + data[at:],
    }


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 4}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_damage_in_the_middle_is_named(mode, options, capfd):
    data = photo(mode, **options)
    decode(data)
    for kind, content in damaged(data).items():
        if kind == "zeroed" and "progressive" in options:
            continue  # zeros mean "nothing here" in some of its scans, and the decoder may find its way back
        with pytest.raises(UnreadableImage) as caught:
            decode(content)
        assert caught.value.reason.startswith(("damaged: ", "truncated")), kind
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("orientation", [1, 6])
def test_damage_of_a_turned_picture_is_named(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = photo(exif=exif)
    assert ("rotated" in inspect(data).remarks) == (orientation == 6)
    with pytest.raises(UnreadableImage, match="premature end of data segment"):
        decode(data[: middle(data)] + b"\xff\xd9")


def test_padding_before_the_end_mark_is_harmless():
    data = photo()
    expected = decode(data)
    for padding in (b"\x7f\x7f", bytes(7), bytes(300), b"\x55" * 90):
        np.testing.assert_array_equal(decode(data[:-2] + padding + b"\xff\xd9"), expected)
    with pytest.raises(UnreadableImage, match="extraneous bytes"):
        decode(data[:-2] + bytes(range(1, 200)) + b"\xff\xd9")


def test_what_follows_the_end_mark_is_harmless():
    data = photo()
    for trailer in (b"of a camera", data[:400], bytes(100)):
        np.testing.assert_array_equal(decode(data + trailer), decode(data))


def test_a_zeroed_block_is_found_where_the_decoder_does_not_complain():
    data = photo(size=(320, 240))
    header = jpeg.read_header(data)
    silent = 0
    for start in range(header.scan + 100, len(data) - 200, 61):
        content = data[:start] + bytes(96) + data[start + 96 :]
        said = listen(lambda content=content: jpeg.decode(content, header))[1]
        silent += not said
        assert jpeg.damage(content, header, said)
    assert silent


def test_flat_pictures_are_sound_though_their_code_is_full_of_zeros():
    for mode, colour in (("L", 128), ("RGB", (20, 90, 200))):
        for options in ({}, {"optimize": True}, {"progressive": True}):
            stream = io.BytesIO()
            Image.new(mode, (800, 600), colour).save(stream, "JPEG", **options)
            assert np.ptp(decode(stream.getvalue(), None).astype(int), axis=(0, 1)).max() <= 1


def test_other_precisions_and_processes_are_refused_by_name():
    data = bytearray(photo("L"))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    with pytest.raises(UnreadableImage, match="JPEG of 12 bits"):
        decode(bytes(data))
    data[frame + 1] = 0xC3
    with pytest.raises(UnreadableImage, match="lossless"):
        decode(bytes(data))


def test_threads_tell_whose_damage_it_is(capfd):
    sound = photo(size=(320, 240))
    content = [sound, sound[: middle(sound)] + b"\xff\xd9"] * 60

    def refused(data: bytes) -> bool:
        try:
            decode(data)
        except UnreadableImage:
            return True
        return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(refused, content)) == [False, True] * 60
    assert capfd.readouterr() == ("", "")


def test_what_others_print_still_reaches_the_terminal(capfd):
    half = photo()
    half = half[: middle(half)] + b"\xff\xd9"
    libc = ctypes.CDLL(None)
    with pytest.raises(UnreadableImage):
        decode(half)
    libc.perror(b"said by C")
    os.write(2, b"said by Python\n")
    said = capfd.readouterr().err
    assert "said by C" in said
    assert "said by Python" in said
    assert "Corrupt" not in said


def test_where_the_variable_cannot_be_set_the_descriptor_is_turned(monkeypatch, capfd):
    monkeypatch.setattr(listening, "_stderr_variable", lambda: "")
    monkeypatch.setattr(listening, "_ear", listening._Ear())
    half = photo()
    half = half[: middle(half)] + b"\xff\xd9"
    with pytest.raises(UnreadableImage, match="premature end"):
        decode(half)
    assert isinstance(listening._ear.output, listening._Descriptor)
    os.write(2, b"said afterwards\n")
    assert capfd.readouterr().err == "said afterwards\n"


def test_a_forked_child_hears_too():
    half = photo()
    half = half[: middle(half)] + b"\xff\xd9"
    with pytest.raises(UnreadableImage):
        decode(half)
    child = os.fork()
    if child == 0:
        try:
            decode(half)
        except UnreadableImage:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not listening._stderr_variable(), reason="C's stderr cannot be set here")
def test_a_child_forked_while_another_thread_decodes_says_aloud_what_it_says():
    reading, writing = os.pipe()
    with listening._ear:
        child = os.fork()
        if child == 0:
            os.dup2(writing, 2)
            c = ctypes.CDLL(None)
            c.fputs(b"aloud\n", ctypes.c_void_p.in_dll(c, "stderr"))
            os._exit(0)
        os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        assert said.read() == b"aloud\n"


def test_warnings_of_the_decoding_thread_are_dropped(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
        listen(lambda: warnings.warn("of a decoder", stacklevel=1))
        warnings.warn("of another", stacklevel=1)
    assert shown == ["of another"]


def test_warnings_go_their_usual_way_afterwards(monkeypatch):
    usual = warnings.showwarning
    listen(lambda: None)
    assert warnings.showwarning is usual
    with pytest.raises(ZeroDivisionError):
        listen(lambda: 1 // 0)
    assert warnings.showwarning is usual


def test_a_file_without_its_end_mark_is_no_ordinary_one():
    data = photo()
    assert jpeg.read_header(data).is_ordinary
    assert not jpeg.read_header(data[:-2]).is_ordinary


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(("side", "shrunk_to"), [(900, 900), (1100, 550), (1400, 700)])
def test_a_picture_too_large_for_the_memory_is_decoded_smaller(mode, side, shrunk_to, monkeypatch):
    data = photo(mode, (side, side - 100), quality=90)
    whole = decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_200_000 if mode == "RGB" else 1_000_000)
    found = inspect(data, None)
    assert found.image.shape == (round((side - 100) * shrunk_to / side), shrunk_to, 3 if mode == "RGB" else 1)
    assert (SHRUNK in found.remarks) == (shrunk_to < side)
    if shrunk_to < side:
        averaged = whole.reshape(found.image.shape[0], 2, shrunk_to, 2, 3).mean((1, 3))
        assert np.abs(averaged - found.image).mean() < 3


def test_a_picture_of_more_than_twice_the_pixels_is_refused_at_any_size(monkeypatch):
    data = photo(size=(1000, 1000))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 499_000)
    with pytest.raises(UnreadableImage, match="not safe to open"):
        decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)
    assert decode(data).shape == (500, 500, 3)


def test_the_coefficients_of_a_progressive_picture_count_with_its_sampling():
    for subsampling, samples in (("4:4:4", 3), ("4:2:2", 2), ("4:2:0", 1.5)):
        header = jpeg.read_header(photo(progressive=True, subsampling=subsampling))
        assert header.samples == samples
        assert header.bytes_per_pixel(1) == 5 + 2 * samples
        assert header.bytes_per_pixel(2) == 5 / 4 + 2 * samples


def test_damage_is_heard_at_a_fraction_of_the_size(monkeypatch):
    data = photo(size=(1000, 900))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)
    assert decode(data).shape == (450, 500, 3)
    with pytest.raises(UnreadableImage, match="damaged"):
        decode(damaged(data)["lost bytes"])


def test_who_decodes_alone_is_waited_for_and_waits():
    order: list[str] = []
    with listening._ear.alone():
        other = threading.Thread(target=lambda: listen(lambda: order.append("other")))
        other.start()
        other.join(0.1)
        order.append("alone")
    other.join(10)
    assert order == ["alone", "other"]
    with listening._ear:
        alone = threading.Thread(target=lambda: _alone(order))
        alone.start()
        alone.join(0.1)
        order.append("first")
    alone.join(10)
    assert order == ["alone", "other", "first", "alone"]


def _alone(order: list[str]) -> None:
    with listening._ear.alone():
        order.append("alone")
