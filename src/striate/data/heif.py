"""HEIC pictures, as telephones save them (HEIF, ISO/IEC 23008-12), by pillow-heif where it is installed.

The primary picture of the file is read, upright and cut as the file's properties say; the orientation in its EXIF data
only repeats them, and is not looked at. A file that is cut short is refused. Damage in its middle is not seen: the
decoder fills it up without a word.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import numpy as np

from striate.data.heif_boxes import is_turned
from striate.data.pixels import Pixels
from striate.data.scaling import to_eight_bits, undo_alpha
from striate.data.unreadable import UnreadableImage, check_size

EXTENSIONS = (".heic", ".heif", ".hif")
#: Bytes a pixel that decoding was measured to take, result included, by bands: of samples of 8 bits, and of more.
_TAKEN = {"L": (2.7, 5.4), "I": (2.7, 5.4), "RGB": (5.6, 15.0), "RGBA": (11.4, 20.4)}
_WHOLE_CHROMA = 3.5  # more where colours are as many as pixels
_AT_ONCE = 1 << 20  # pixels that are scaled in wider numbers


@functools.cache
def is_installed() -> bool:
    """Whether HEIC pictures can be read here."""
    return importlib.util.find_spec("pillow_heif") is not None


def read(data: bytes) -> Pixels:
    """The primary picture of a HEIF file.

    Raises:
        UnreadableImage: too large, truncated, or coded in a way that is not read; pillow-heif does not load.
        Exception: anything, on damaged bytes, as of `pixels.read_pixels`.
    """
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise UnreadableImage(f"pillow-heif does not load ({error}); install it anew") from error
    try:
        file = open_heif(data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
        picture = file[file.primary_index]
        told: dict[str, Any] = dict(picture.info)
        depth = told["bit_depth"]
        taken = _bytes_per_pixel(picture.mode, depth, told.get("chroma"))
        width, height = picture.size
        check_size(width, height, taken, len(data))
        stored = np.asarray(picture)
    except (IndexError, ValueError, EOFError, RuntimeError) as error:
        raise _in_words(error) from error
    bands = _eight_bits(stored.reshape(*stored.shape[:2], -1), depth)  # grey has two axes
    colour, alpha = (bands[..., :3], bands[..., 3:]) if bands.shape[2] == 4 else (bands, None)
    if alpha is not None and picture.premultiplied_alpha:
        colour = undo_alpha(colour, alpha)
    return Pixels(colour, alpha, "HEIC", str(depth), rotated=is_turned(data), several=len(file) > 1)


def _bytes_per_pixel(mode: str, depth: int, chroma: int | None) -> float:
    taken = _TAKEN.get(mode.partition(";")[0].upper(), _TAKEN["RGBA"])[depth > 8]
    return taken + (_WHOLE_CHROMA if chroma != 420 and taken > _TAKEN["L"][1] else 0)


def _eight_bits(stored: np.ndarray, depth: int) -> np.ndarray:
    """Samples (H, W, C) scaled by their own range, some rows at a time."""
    if depth == 8:
        return stored
    scaled = np.empty(stored.shape, np.uint8)
    rows = max(1, _AT_ONCE // stored.shape[1])
    for top in range(0, len(stored), rows):
        scaled[top : top + rows] = to_eight_bits(stored[top : top + rows], depth)
    return scaled


def _in_words(error: Exception) -> Exception:
    """What libheif says that has a name here; else the error itself."""
    words = " ".join(str(error).split())
    if "end of file" in words.lower() or "too small" in words:
        return UnreadableImage("truncated")
    if words.startswith("Unsupported") or "not been built in" in words or isinstance(error, IndexError):
        return UnreadableImage("a kind of HEIF that is not read; convert it to JPEG or PNG")
    return error
