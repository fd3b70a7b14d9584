"""Images that are not read, and the sizes beyond which none is."""

from __future__ import annotations

from PIL import Image

from striate.errors import StriateError

#: The longest side over the shortest, beyond which an image is refused.
MAX_ASPECT = 1000
#: Samples (pixels times channels) of the largest image, in pixels of RGB: bounds images of many channels.
_RGB = 3


class UnreadableImage(StriateError):
    """An image that cannot be read: `reason` says why, `where` names it."""

    def __init__(self, reason: str, where: str = ""):
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, self.where)


def check_size(width: int, height: int, channels: int = 1) -> None:
    """Refuse, before it is decoded, an image whose header promises too many pixels or a hair's shape.

    The most pixels are Pillow's `Image.MAX_IMAGE_PIXELS` (89,478,485 unless the process sets another number), for
    images of more than three channels so many RGB pixels' worth of samples. Raises UnreadableImage.
    """
    if width < 1 or height < 1:
        raise UnreadableImage(f"{width:,} x {height:,} pixels: there is no picture in it")
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and width * height > most:
        raise UnreadableImage(
            f"{width:,} x {height:,} is more than {most:,} pixels, which is not safe to open; make it smaller"
        )
    if most is not None and width * height * channels > _RGB * most:
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels of {channels} channels are more than {_RGB * most:,} samples, "
            "which is not safe to open; make it smaller"
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels: one side is more than {MAX_ASPECT:,} times the other; cut it into pieces"
        )
