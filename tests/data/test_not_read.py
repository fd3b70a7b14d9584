"""Files of a kind that is not read say so by content, or by their extension."""

import pytest

from striate.data.decode import UnreadableImage, decode, inspect


def test_a_heic_picture_is_known_by_its_content_whatever_its_name(tmp_path):
    content = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
    (tmp_path / "photo.jpg").write_bytes(content)
    for source in (content, tmp_path / "photo.jpg"):
        with pytest.raises(UnreadableImage, match=r"\.heic is not read; convert it to JPEG or PNG"):
            decode(source)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("photo.NEF", ".nef is not read; develop it to JPEG, PNG or TIFF"),
        ("film.mp4", ".mp4 is not read; save pictures of it as JPEG or PNG"),
        ("all.zip", ".zip is not read; unpack it"),
        ("notes.txt", "not an image"),
        ("photo.jpg", "not an image"),
    ],
)
def test_what_no_decoder_knows_is_told_by_its_extension(name, words, tmp_path):
    (tmp_path / name).write_bytes(b"something else" * 9)
    with pytest.raises(UnreadableImage) as caught:
        inspect(tmp_path / name)
    assert caught.value.reason == words
