"""Images that are not read, and the sizes beyond which none is."""

from __future__ import annotations

from PIL import Image

from striate.errors import StriateError

#: The longest side over the shortest, beyond which an image is refused.
MAX_ASPECT = 1000
#: Bytes that decoding may take, for each of the pixels that Pillow allows an image: 295 MB.
_BYTES = 3.3
_SMALL = 1 << 20  # bytes that are always allowed


class UnreadableImage(StriateError):
    """An image that cannot be read: `reason` says why, `where` names it."""

    def __init__(self, reason: str, where: str = ""):
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, self.where)


def check_size(width: int, height: int, bytes_per_pixel: float = 1, file_bytes: int = 0) -> None:
    """Refuse, before it is decoded, an image whose header promises too many pixels or a hair's shape.

    The most pixels are Pillow's `Image.MAX_IMAGE_PIXELS`, 89,478,485 unless the process sets another number or None.
    The most memory that may be needed at once is 3.3 bytes for each of these: what a decoder holds beside its result
    differs by format, so that 39 million pixels of a colour PNG are read, 59 million of a JPEG.

    Args:
        width: pixels, as the header says.
        height: likewise.
        bytes_per_pixel: memory that decoding takes.
        file_bytes: size of the file, which is held too.

    Raises:
        UnreadableImage: with the numbers.
    """
    most = Image.MAX_IMAGE_PIXELS
    if width < 1 or height < 1:
        raise UnreadableImage(f"{width:,} x {height:,} pixels: there is no picture in it")
    if most is not None and width * height > most:
        raise UnreadableImage(
            f"{width:,} x {height:,} is more than {most:,} pixels, which is not safe to open; make it smaller"
        )
    needed = width * height * bytes_per_pixel + file_bytes
    if most is not None and needed > max(_BYTES * most, _SMALL):
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels need {needed / 1e6:,.0f} MB to be decoded, "
            f"{_BYTES * most / 1e6:,.0f} MB are allowed; make it smaller"
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels: one side is more than {MAX_ASPECT:,} times the other; cut it into pieces"
        )
