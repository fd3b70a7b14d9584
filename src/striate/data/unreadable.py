"""Images that are not read, and the sizes beyond which none is."""

from __future__ import annotations

from PIL import Image

from striate.allocator import make_room
from striate.errors import StriateError
from striate.units import decimal_size

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


def fits(width: int, height: int, bytes_per_pixel: float, file_bytes: int, scale: int = 1) -> bool:
    """Whether an image keeps to the limits of `check_size` on pixels and memory."""
    most = Image.MAX_IMAGE_PIXELS
    if most is None:
        return True
    needed = _needed(width, height, bytes_per_pixel, file_bytes)
    return width * height <= _most_pixels(most, scale) and needed <= _most_bytes(most)


def check_size(width: int, height: int, bytes_per_pixel: float = 1, file_bytes: int = 0, scale: int = 1) -> None:
    """Refuse, before it is decoded, an image whose header promises too many pixels or a hair's shape.

    For a large one that is not refused, memory that the process has kept is given back (`make_room`).

    The most pixels are Pillow's `Image.MAX_IMAGE_PIXELS`, 89,478,485 unless the process sets another number or None;
    twice as many, where Pillow raises too, of an image that is decoded smaller than it is.
    The most memory that may be needed at once is 3.3 bytes for each of these: what a decoder holds beside its result
    differs by format, so that 39 million pixels of a colour PNG are read, 59 million of a JPEG at its full size.

    Args:
        width: pixels, as the header says.
        height: likewise.
        bytes_per_pixel: memory that decoding takes.
        file_bytes: size of the file, which is held too.
        scale: how many times smaller its sides are decoded.

    Raises:
        UnreadableImage: with the numbers.
    """
    if width < 1 or height < 1:
        raise UnreadableImage(f"{width:,} x {height:,} pixels: there is no picture in it")
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and width * height > _most_pixels(most, scale):
        raise UnreadableImage(
            f"{width:,} x {height:,} is more than {most:,} pixels, which is not safe to open; make it smaller"
        )
    if most is not None and not fits(width, height, bytes_per_pixel, file_bytes, scale):
        needed = _needed(width, height, bytes_per_pixel, file_bytes)
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels need {decimal_size(needed)} to be decoded, "
            f"{decimal_size(_most_bytes(most))} are allowed; make it smaller"
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels: one side is more than {MAX_ASPECT:,} times the other; cut it into pieces"
        )
    make_room(_needed(width, height, bytes_per_pixel, file_bytes))


def check_bytes(size: int) -> None:
    """Refuse, before it is read, a file that is larger than all that decoding may take.

    Raises:
        UnreadableImage: with the numbers.
    """
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and size > _most_bytes(most):
        allowed = decimal_size(_most_bytes(most))
        raise UnreadableImage(f"a file of {decimal_size(size)}, {allowed} are allowed; make the picture smaller")


def _needed(width: int, height: int, bytes_per_pixel: float, file_bytes: int) -> float:
    return width * height * bytes_per_pixel + file_bytes


def _most_pixels(most: int, scale: int) -> int:
    return most if scale == 1 else 2 * most


def _most_bytes(most: int) -> float:
    return max(_BYTES * most, _SMALL)
