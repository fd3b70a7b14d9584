"""From the bytes of an image file to uint8 (H, W, C): the one decoder of training, checking and prediction.

Each format goes to the reader that takes it by its own words: JPEG to OpenCV (`jpeg`), TIFF to `tiff_samples`, `.npy`
to `npy`, HEIC to pillow-heif (`heif`), all else to Pillow (`pixels`). What libraries print meanwhile is heard
(`listen`), not shown.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from striate.allocator import make_room
from striate.data import heif, jpeg, npy, orientation, tiff, tiff_samples
from striate.data.channels import on_white, to_channels
from striate.data.heif_boxes import is_heif
from striate.data.listen import listen
from striate.data.not_read import not_read, refusal
from striate.data.pixels import Pixels, from_image, read_pixels, reason
from striate.data.stored import InFile, Stored
from striate.data.unreadable import UnreadableImage as UnreadableImage
from striate.data.unreadable import check_bytes, check_size
from striate.errors import StriateError
from striate.units import plural

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
    "HEIC": heif.EXTENSIONS,
    "ICO": (".ico",),
    "NPY": (".npy",),
}
FORMAT_OF = {extension: name for name, extensions in EXTENSIONS.items() for extension in extensions}

WRONG_EXTENSION = "wrong extension"
ANIMATED = "animated"
ROTATED = "rotated"
PAGES = "pages"
SEVERAL = "several"
SHRUNK = "shrunk"
INKS = "inks"
#: What each remark means, to follow "3 images".
REMARKS = {
    WRONG_EXTENSION: "with the extension of another format, read by content",
    ANIMATED: "animated, first frame used",
    ROTATED: "turned upright as the EXIF data say",
    PAGES: "of several pages, first page used",
    SEVERAL: "of files with several pictures, the main one used",
    SHRUNK: "too large for the memory allowed, decoded at a half, a quarter or an eighth of the size",
    INKS: "in printing inks (CMYK), turned to RGB",
}


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


def is_read(extension: str) -> bool:
    """Whether files with an ending are read as images here: those of HEIC only where pillow-heif is installed."""
    format = FORMAT_OF.get(extension)
    return format is not None and (format != "HEIC" or heif.is_installed())


#: From the height and width of a picture, how many times smaller it serves as well: 1, 2, 4 or 8.
Serving = Callable[[int, int], int]


def decode(source: bytes | str | Stored, channels: int | None = 3, serving: Serving | None = None) -> np.ndarray:
    """Decode an image, given as a path or as the bytes of its file, to uint8 (H, W, channels).

    EXIF rotation is applied, samples of other depths are scaled to 8 bits (unsigned integers of up to 16 bits by their
    own range, floats from 0 to 1; wider and signed integers are refused), white-is-zero is inverted, palettes, CMYK and
    YCbCr become RGB, the first frame of an animation is taken. A band is alpha only where the file says so; alpha is
    composited onto white unless four channels are wanted. With other channel counts, `.npy` arrays (H, W, C) and TIFF
    files with as many bands, or one page per channel, are read.

    Args:
        source: path, or content of the file, or what else is `Stored`.
        channels: 1 grey, 3 RGB, 4 RGBA, more for spectra, None for as many as the image has (alpha aside).
        serving: says how much smaller a JPEG may be decoded, which is quicker; None for its full size.

    Raises:
        UnreadableImage: with the reason, whatever the content: no image, damaged or truncated, more pixels than the
            memory allows (see `check_size`; a JPEG of up to twice as many is decoded at a fraction of its size), one
            side more than a thousand times the other, bands that do not fit.
    """
    return inspect(source, channels, serving).image


def inspect(source: bytes | str | Stored, channels: int | None = 3, serving: Serving | None = None) -> Decoded:
    """Decode as `decode` does, and report format and remarks. Raises UnreadableImage."""
    if isinstance(source, bytes):
        return decode_content(source, channels, serving=serving)
    path = Path(source) if isinstance(source, str) else source
    try:
        return decode_content(read_file(path), channels, path.suffix.lower(), serving)
    except UnreadableImage as error:
        raise UnreadableImage(error.reason, str(path)) from error


def read_file(path: Stored) -> bytes:
    """The content of an image file. Raises UnreadableImage where there is none, or it must not be read."""
    try:
        check_bytes(_bytes_of(path))
        return path.read_bytes()
    except UnreadableImage as error:
        raise UnreadableImage(error.reason, str(path)) from None
    except FileNotFoundError:
        raise UnreadableImage("no such file", str(path)) from None
    except PermissionError:
        raise UnreadableImage("permission denied", str(path)) from None
    except OSError as error:
        raise UnreadableImage(f"cannot be read: {error.strerror or error}", str(path)) from error


def _bytes_of(path: Stored) -> int:
    """How large a file is before it is read. Raises UnreadableImage where it is none, OSError where there is none."""
    if not isinstance(path, Path):
        return path.size if isinstance(path, InFile) else 0
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
        raise UnreadableImage("not a file")
    return found.st_size


def decode_content(data: bytes, channels: int | None, extension: str = "", serving: Serving | None = None) -> Decoded:
    """Decode the content of a file whose name ends in `extension`. Raises UnreadableImage."""
    if not data:
        raise UnreadableImage("empty file")
    if tiff.is_tiff(data) and extension not in FORMAT_OF and (words := refusal(extension)):
        raise UnreadableImage(words)  # raw files of cameras: their TIFF page is a thumbnail
    try:
        header = jpeg.read_header(data)
        pixels, said = listen(lambda: _read(data, channels, serving, header))
        _judge(data, pixels.format, said, header)
        make_room(pixels.colour.nbytes)  # the decoder's own copies are free now
        image = _with_channels(pixels, channels)
    except UnreadableImage:
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(not_read(data, extension)) from None
    except Exception as error:
        raise UnreadableImage(reason(error)) from error
    expected = FORMAT_OF.get(extension)
    remarks = {
        WRONG_EXTENSION: expected is not None and expected != pixels.format,
        ANIMATED: pixels.animated,
        ROTATED: pixels.rotated,
        PAGES: pixels.pages,
        SEVERAL: pixels.several,
        SHRUNK: pixels.shrunk,
        INKS: pixels.inks,
    }
    return Decoded(
        image,
        pixels.format,
        tuple(remark for remark, holds in remarks.items() if holds),
        pixels.bit_depth,
        pixels.colour.shape[2] + (pixels.alpha is not None),
    )


def decode_image(image: Image.Image, channels: int | None) -> np.ndarray:
    """The pixels of a Pillow image, as `decode` gives those of its file: uint8 (H, W, channels).

    An image that was opened and not touched since is decoded from its file, so that what Pillow's modes cannot hold
    (the depth of a transparent grey, bands that are no alpha) is not lost. Raises UnreadableImage.
    """
    data = _untouched_file(image)
    if data is not None:
        return decode_content(data, channels, f".{image.format}".lower()).image
    try:
        check_size(*image.size)
        image.load()
        return _with_channels(listen(lambda: from_image(image))[0], channels)
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(reason(error)) from error


def _read(data: bytes, channels: int | None, serving: Serving | None, header: jpeg.JpegHeader | None) -> Pixels:
    """By the reader of its format; `header` is that of a JPEG."""
    if data.startswith(npy.MAGIC):
        array, bit_depth = npy.read_array(data, channels)
        return Pixels(array, None, "NPY", bit_depth)
    if tiff.is_tiff(data):
        return _read_tiff(data, channels)
    if is_heif(data) and heif.is_installed():
        return heif.read(data)
    if header is None:
        return read_pixels(data)
    header.check()
    enough = 1 if serving is None else serving(*header.upright)
    scale = header.scale(len(data), enough)
    stored = jpeg.decode(data, header, scale) if header.is_ordinary else None
    if stored is None:  # CMYK, arithmetic coding, or damage, for which Pillow gives the reason
        jpeg.skim(data)
        return read_pixels(data)
    image = orientation.upright(stored, header.orientation)
    return Pixels(image, None, "JPEG", rotated=header.orientation != 1, shrunk=scale > enough)


def _judge(data: bytes, format: str, said: str, header: jpeg.JpegHeader | None) -> None:
    """Refuse what a decoder filled up and returned as if it were whole. Raises UnreadableImage."""
    damage = jpeg.damage(data, header, said) if header else tiff.damage(said) if format == "TIFF" else None
    if damage:
        raise UnreadableImage(damage)


def _read_tiff(data: bytes, channels: int | None) -> Pixels:
    """The first page, or as many grey pages as `channels` are wanted."""
    pages = tiff.read_pages(data)
    first = pages[0]
    check_size(first.width, first.height, first.bytes_per_pixel, len(data))
    if channels is None or channels in (1, 3, 4) or channels == first.bands:
        return replace(_read_page(data, first), pages=len(pages) > 1)
    if len(pages) != channels:
        found = f"{len(pages)} pages" if len(pages) > 1 else plural(first.bands, "channel")
        raise UnreadableImage(f"the image has {found}, {channels} channels are wanted")
    check_size(first.width, first.height, 2 * channels, len(data))
    planes = []
    for page in pages:
        if page.bands != 1 or (page.width, page.height) != (first.width, first.height):
            raise UnreadableImage("the pages are not all grey and of one size, so they are not channels")
        planes.append(_read_page(data, page).colour)
    return Pixels(np.concatenate(planes, axis=2), None, "TIFF", first.bit_depth)


def _read_page(data: bytes, page: tiff.Page) -> Pixels:
    if tiff_samples.is_readable(page):
        return replace(tiff_samples.read_page(data, page), inks=page.photometric == tiff.CMYK)
    if page.extra and not page.alpha:
        raise UnreadableImage(f"{page.samples} bands, so compressed, are not supported; save .npy (H, W, C)")
    tiff_samples.demand_known(page)
    return replace(read_pixels(data, page.number), bit_depth=page.bit_depth)


def _untouched_file(image: Image.Image) -> bytes | None:
    """The content of the file that a Pillow image was opened from, if nothing of it was read or changed."""
    file, tiles = getattr(image, "fp", None), getattr(image, "tile", None)
    if file is None or not tiles or getattr(image, "decoderconfig", None) or image.format is None or image.tell():
        return None
    try:
        place = file.tell()
        file.seek(0)
        data = file.read()
        file.seek(place)
    except (OSError, ValueError):
        return None
    return data if data else None


def _with_channels(pixels: Pixels, channels: int | None) -> np.ndarray:
    colour, alpha = pixels.colour, pixels.alpha
    if alpha is None:
        if colour.shape[2] == 4 and channels in (1, 3):
            raise UnreadableImage(
                f"the image has 4 bands, none of which its file calls alpha; {channels} channels are wanted"
            )
        return _fit(colour, channels)
    if channels == 4:
        return np.concatenate([_fit(colour, 3), alpha], axis=2)
    return _fit(on_white(colour, alpha), channels)


def _fit(image: np.ndarray, channels: int | None) -> np.ndarray:
    try:
        image = image if channels is None else to_channels(image, channels)
        return np.ascontiguousarray(image)
    except StriateError as error:
        raise UnreadableImage(str(error)) from error
