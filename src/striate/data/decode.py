"""From the bytes of an image file to uint8 (H, W, C): the one decoder of training, checking and prediction.

Ordinary JPEG goes through OpenCV, which is faster and gives Pillow's pixels; all else goes through Pillow.
"""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from striate.data import jpeg
from striate.data.channels import on_white, to_channels
from striate.data.pixels import Pixels, read_pixels, sixteen_to_eight
from striate.errors import StriateError

#: File name endings of each format; a file of a format under another format's ending is noted.
EXTENSIONS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "AVIF": (".avif",),
    "ICO": (".ico",),
    "NPY": (".npy",),
}
FORMAT_OF = {extension: name for name, extensions in EXTENSIONS.items() for extension in extensions}

WRONG_EXTENSION = "wrong extension"
ANIMATED = "animated"
ROTATED = "rotated"
#: What each remark means, to follow "3 images".
REMARKS = {
    WRONG_EXTENSION: "with the extension of another format, read by content",
    ANIMATED: "animated, first frame used",
    ROTATED: "turned upright as the EXIF data say",
}


class UnreadableImage(StriateError):
    """An image that cannot be read: `reason` says why, `where` names it."""

    def __init__(self, reason: str, where: str = ""):
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, self.where)


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded image, what its file holds, and what had to be done to read it.

    Attributes:
        image: uint8 (H, W, C).
        format: a key of `EXTENSIONS`.
        remarks: keys of `REMARKS`.
        bit_depth: how the file stores a sample: "1" to "32", "float32".
        channels: channels in the file, alpha among them; a palette has those of its colours.
    """

    image: np.ndarray
    format: str
    remarks: tuple[str, ...] = ()
    bit_depth: str = "8"
    channels: int = 3


def decode(source: bytes | str | Path, channels: int | None = 3) -> np.ndarray:
    """Decode an image, given as a path or as the bytes of its file, to uint8 (H, W, channels).

    EXIF rotation is applied, 16 bits are scaled to 8, palettes and CMYK become RGB, alpha is composited onto
    white unless four channels are wanted, the first frame of an animation is taken. With other channel
    counts, `.npy` arrays (H, W, C) and TIFF files with one page per channel are read.

    Args:
        source: path, or content of the file.
        channels: 1 grey, 3 RGB, 4 RGBA, more for spectra, None for as many as the image has (alpha aside).

    Raises:
        UnreadableImage: with the reason, whatever the content.
    """
    return inspect(source, channels).image


def inspect(source: bytes | str | Path, channels: int | None = 3) -> Decoded:
    """Decode as `decode` does, and report format and remarks. Raises UnreadableImage."""
    if isinstance(source, bytes):
        return decode_content(source, channels)
    path = Path(source)
    try:
        return decode_content(read_file(path), channels, path.suffix.lower())
    except UnreadableImage as error:
        raise UnreadableImage(error.reason, str(path)) from error


def read_file(path: Path) -> bytes:
    """The content of a regular file. Raises UnreadableImage where there is none, or it must not be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
            raise UnreadableImage("not a file", str(path))
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableImage("no such file", str(path)) from None
    except PermissionError:
        raise UnreadableImage("permission denied", str(path)) from None
    except OSError as error:
        raise UnreadableImage(f"cannot be read: {error.strerror or error}", str(path)) from error


def decode_content(data: bytes, channels: int | None, extension: str = "") -> Decoded:
    """Decode the content of a file whose name ends in `extension`. Raises UnreadableImage."""
    if not data:
        raise UnreadableImage("empty file")
    if data.startswith(b"\x93NUMPY"):
        array, bit_depth = _load_array(data)
        return Decoded(_fit(array, channels), "NPY", _misnamed("NPY", extension), bit_depth, array.shape[2])
    header = jpeg.read_header(data)
    if header is not None and header.is_ordinary and header.pixels <= (Image.MAX_IMAGE_PIXELS or np.inf):
        image = _decode_jpeg(data)
        if image is not None:
            return Decoded(_fit(image, channels), "JPEG", _misnamed("JPEG", extension), "8", image.shape[2])
    try:
        pixels = read_pixels(data, pages=channels if channels not in (None, 1, 3, 4) else None)
    except ValueError as error:
        raise UnreadableImage(str(error)) from error
    remarks = _misnamed(pixels.format, extension)
    remarks += (ANIMATED,) if pixels.animated else ()
    remarks += (ROTATED,) if pixels.rotated else ()
    own = pixels.colour.shape[2] + (pixels.alpha is not None)
    return Decoded(_with_channels(pixels, channels), pixels.format, remarks, pixels.bit_depth, own)


def _decode_jpeg(data: bytes) -> np.ndarray | None:
    """Decode by OpenCV to uint8 (H, W, 1 or 3); None where it declines, so that Pillow gives the reason."""
    try:
        flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error:
        return None
    if image is None or image.dtype != np.uint8:
        return None
    if image.ndim == 2:
        return image[..., None]
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if image.shape[2] == 3 else None


def _with_channels(pixels: Pixels, channels: int | None) -> np.ndarray:
    if pixels.alpha is None:
        return _fit(pixels.colour, channels)
    if channels == 4:
        return np.concatenate([_fit(pixels.colour, 3), pixels.alpha], axis=2)
    return _fit(on_white(np.concatenate([pixels.colour, pixels.alpha], axis=2)), channels)


def _fit(image: np.ndarray, channels: int | None) -> np.ndarray:
    try:
        return image if channels is None else to_channels(image, channels)
    except StriateError as error:
        raise UnreadableImage(str(error)) from error


def _load_array(data: bytes) -> tuple[np.ndarray, str]:
    """A `.npy` file of uint8 or uint16 (H, W) or (H, W, C) as uint8 (H, W, C), and its bit depth."""
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # a damaged header can raise anything
        raise UnreadableImage(f"damaged .npy file: {error}") from error
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise UnreadableImage(f"an array of shape {array.shape} is not (height, width, channels)")
    bit_depth = str(8 * array.dtype.itemsize)
    if array.dtype == np.uint16:
        array = sixteen_to_eight(array)
    if array.dtype != np.uint8:
        raise UnreadableImage(f"an array of {array.dtype}; images are uint8 or uint16")
    return np.ascontiguousarray(array if array.ndim == 3 else array[..., None]), bit_depth


def _misnamed(format: str, extension: str) -> tuple[str, ...]:
    expected = FORMAT_OF.get(extension)
    return (WRONG_EXTENSION,) if expected is not None and expected != format else ()
