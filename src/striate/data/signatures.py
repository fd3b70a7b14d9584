"""How the files of the formats that are read begin."""

from __future__ import annotations

from striate.data import heif
from striate.data.heif_boxes import HEVC_BRANDS

#: Bytes of a file that tell its format.
LENGTH = 16

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"\x93NUMPY", b"\0\0\0\x0cjP  ")


def begins_as_image(head: bytes) -> bool:
    """Whether the first `LENGTH` bytes of a file are those of an image that is read."""
    return (
        head.startswith(_BEGINNINGS)
        or (head.startswith(b"BM") and head[6:10] == bytes(4))
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
        or (head[4:12] in (b"ftypavif", b"ftypavis"))
        or (head[4:8] == b"ftyp" and head[8:12] in HEVC_BRANDS and heif.is_installed())
        or (head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace())
    )
