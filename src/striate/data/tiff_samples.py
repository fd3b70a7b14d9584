"""The samples of a TIFF page, at any depth and number of bands, as 8 bits.

Pillow knows a list of layouts and takes no other: no 12 bits, no inverted 16 bits, no more than four bands; a fourth it
calls alpha. It does undo every compression. So the compressed chunks are handed to it in the frame of a grey 8-bit TIFF
as wide as a row has bytes, and what the bytes mean is read here, a few rows at a time.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from striate.data import tiff
from striate.data.orientation import orientation, upright
from striate.data.pixels import Pixels
from striate.data.scaling import to_eight_bits, undo_alpha, unit_to_eight_bits, wide_integers
from striate.data.tiff import Page
from striate.data.unreadable import UnreadableImage

_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)  # none, LZW, Deflate (two numbers), PackBits, LZMA, Zstandard
_OTHERS = (2, 3, 4, 6, 7, 32771, 32809, 50001)  # fax, JPEG, ThunderScan, WebP: Pillow reads whole pages of these
_MEANINGS = (tiff.WHITE_IS_ZERO, tiff.BLACK_IS_ZERO, tiff.RGB, tiff.PALETTE, tiff.CMYK, tiff.YCBCR)
_HORIZONTAL, _FLOATING_POINT = 2, 3
#: Bytes of samples that are unpacked at a time.
_AT_ONCE = 1 << 22


def is_readable(page: Page) -> bool:
    """Whether `read_page` knows the page's compression and colours; Pillow may know others (JPEG, fax, Lab)."""
    if page.photometric == tiff.YCBCR and page.subsampling != (1, 1):
        return False
    return page.compression in _LOSSLESS and page.photometric in _MEANINGS


def demand_known(page: Page) -> None:
    """Refuse, in words, a page that Pillow does not read either, or reads wrongly. Raises UnreadableImage."""
    if page.compression not in (*_LOSSLESS, *_OTHERS):
        raise UnreadableImage(f"a TIFF file of compression {page.compression}, which is not read; save it as PNG")
    if page.photometric not in (*_MEANINGS, tiff.LAB):
        raise UnreadableImage(f"a TIFF file of colour space {page.photometric}, which is not read; save it as RGB")
    if page.photometric == tiff.YCBCR and page.compression == 1:
        raise UnreadableImage("a TIFF file of YCbCr of reduced chroma without compression; save it as RGB")


def read_page(data: bytes, page: Page) -> Pixels:
    """The pixels of a page for which `is_readable` holds.

    A band is alpha only where ExtraSamples says so; other extra bands are channels. Unsigned integers of up to 16 bits
    are scaled by their own range, floating-point numbers are read from 0 to 1. Raises UnreadableImage for wider or
    signed integers, whose range nothing tells, and for damage.
    """
    _check(page)
    page = _in_small_strips(page)
    shown = page.bands - (page.alpha is not None)
    colour = np.empty((page.height, page.width, shown), np.uint8)
    alpha = np.empty((page.height, page.width, 1), np.uint8) if page.alpha else None
    for top, samples in _rows(data, page):
        values = samples if page.photometric == tiff.PALETTE else _to_eight_bits(samples, page)
        bottom = top + len(values)
        if alpha is not None:
            alpha[top:bottom] = _to_eight_bits(samples[..., -1:], page)
            values = values[..., :-1]
            if page.alpha == 1:
                values = undo_alpha(values, alpha[top:bottom])
        colour[top:bottom] = _shown(values, page)
    if page.photometric == tiff.PALETTE and _is_grey(colour):
        colour = colour[..., :1]
    turn = orientation(page.orientation)
    if turn != 1:
        colour = upright(colour, turn)
        alpha = None if alpha is None else upright(alpha, turn)
    return Pixels(colour, alpha, "TIFF", page.bit_depth, rotated=turn != 1)


def _check(page: Page) -> None:
    if page.kind == "i":
        raise wide_integers(f"signed {page.bits}-bit integer")
    if page.kind == "u" and page.bits > 16:
        raise wide_integers(f"{page.bits}-bit integer")
    if (page.kind == "f" and page.bits not in (16, 32, 64)) or page.bits < 1:
        raise UnreadableImage(f"a TIFF file of {page.bits}-bit samples, which is not read; save it with 8 or 16 bits")
    if page.photometric == tiff.PALETTE and (page.colours is None or page.colours.shape[1] < 1 << page.bits):
        raise UnreadableImage("damaged: a palette image without its palette")
    if page.photometric in (tiff.PALETTE, tiff.CMYK, tiff.YCBCR) and page.extra and not page.alpha:
        raise UnreadableImage(
            f"a TIFF file with {len(page.extra)} bands beside its colours, which is not read; save it as .npy (H, W, C)"
        )
    if page.kind == "f" and page.photometric in (tiff.PALETTE, tiff.CMYK, tiff.YCBCR):
        raise UnreadableImage("floating-point samples of such colours, which are not read; save it as RGB")
    if page.predictor not in (1, _HORIZONTAL, *([_FLOATING_POINT] if page.kind == "f" else [])):
        raise UnreadableImage(f"damaged: predictor {page.predictor} for {page.bit_depth}-bit samples")
    _check_chunks(page)


def _check_chunks(page: Page) -> None:
    """Refuse strips or tiles that are not as many, or hold less, than the page takes."""
    if min(page.chunk) < 1:
        raise UnreadableImage("damaged: strips without rows")
    planes, down, across = page.chunks
    wanted = planes * down * across
    if len(page.offsets) < wanted:
        raise UnreadableImage("truncated")
    if len(page.offsets) > wanted or len(page.counts) not in (0, wanted):
        raise UnreadableImage(f"damaged: {len(page.offsets)} strips or tiles in place of {wanted}")
    rows = page.height if page.chunk[1] == page.width else down * page.chunk[0]  # a last strip ends with the page
    if page.compression == 1 and 0 < sum(page.counts) < planes * rows * across * page.row_bytes:
        raise UnreadableImage("damaged: its rows take more bytes than it says to have")


def _in_small_strips(page: Page) -> Page:
    """The same page, an uncompressed strip that holds it whole seen as many: not all is copied at a time."""
    if page.compression != 1 or page.chunk != (page.height, page.width) or page.planar:
        return page
    rows = max(1, _AT_ONCE // page.row_bytes)
    offsets = tuple(page.offsets[0] + top * page.row_bytes for top in range(0, page.height, rows))
    return replace(page, chunk=(min(rows, page.height), page.width), offsets=offsets, counts=())


def _rows(data: bytes, page: Page) -> Iterator[tuple[int, np.ndarray]]:
    """First row and samples (rows, W, samples) of a few chunk rows at a time, in their own depth."""
    chunk_height, chunk_width = page.chunk
    together = 1 if page.planar else page.samples
    planes, down, across = page.chunks
    row_bytes = page.row_bytes
    step = max(1, _AT_ONCE // (row_bytes * across * chunk_height * planes))
    for first in range(0, down, step):
        rows = min(step, down - first)
        bands = []
        for plane in range(planes):
            start = plane * across * down + first * across
            chunks = range(start, start + rows * across)
            height = min(rows * chunk_height, page.height - first * chunk_height) if across == 1 else 0
            content = _unpacked(data, page, chunks, row_bytes, height or rows * across * chunk_height)
            missing = rows * across * chunk_height - len(content)
            if missing:
                content = np.pad(content, ((0, missing), (0, 0)))
            values = _samples(content, page, together)  # (chunks * chunk_height, chunk_width, together)
            values = values.reshape(rows, across, chunk_height, chunk_width, together).swapaxes(1, 2)
            bands.append(values.reshape(rows * chunk_height, across * chunk_width, together))
        top = first * chunk_height
        samples = bands[0] if len(bands) == 1 else np.concatenate(bands, axis=2)
        yield top, samples[: page.height - top, : page.width]


def _unpacked(data: bytes, page: Page, chunks: range, row_bytes: int, height: int) -> np.ndarray:
    """The bytes of some chunks, one below the other, uint8 (height, row_bytes)."""
    whole = page.chunk[0] * row_bytes
    contents = []
    for number, chunk in enumerate(chunks):
        needed = min(whole, height * row_bytes - number * whole)
        count = needed if page.compression == 1 or chunk >= len(page.counts) else page.counts[chunk]
        content = data[page.offsets[chunk] : page.offsets[chunk] + count]
        if len(content) < count:
            raise UnreadableImage("truncated")
        contents.append(content)
    if page.compression == 1 and page.fill_order == 1:
        return np.frombuffer(b"".join(contents), np.uint8).reshape(height, row_bytes)
    with Image.open(io.BytesIO(_grey_tiff(page, contents, row_bytes, height)), formats=["TIFF"]) as image:
        image.load()
        return np.asarray(image)


def _grey_tiff(page: Page, contents: list[bytes], width: int, height: int) -> bytes:
    """A TIFF file of one grey 8-bit page whose strips these are."""
    lengths = [len(content) for content in contents]
    offsets = [8 + start for start in np.cumsum([0, *lengths])]
    tags: dict[int, list[int]] = {
        256: [width],
        257: [height],
        258: [8],
        259: [page.compression],
        262: [tiff.BLACK_IS_ZERO],
        266: [page.fill_order],
        273: offsets[:-1],
        277: [1],
        278: [page.chunk[0]],
        279: lengths,
    }
    body = b"".join(contents)
    body += bytes(len(body) % 2)
    outside = 8 + len(body) + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, numbers in tags.items():
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            packed, values = struct.pack("<I", outside + len(values)), values + packed
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + packed
    header = b"II*\0" + struct.pack("<I", 8 + len(body))
    return header + body + struct.pack("<H", len(tags)) + entries + bytes(4) + values


def _samples(content: np.ndarray, page: Page, together: int) -> np.ndarray:
    """Bytes (rows, row_bytes) as numbers (rows, width, together), predictors undone."""
    rows, width = len(content), page.chunk[1]
    count = width * together
    if page.predictor == _FLOATING_POINT and page.kind == "f":
        return _floating_point(content, page, together)
    if page.bits in (8, 16, 32, 64):
        kind = "f" if page.kind == "f" else "u"
        stored = np.dtype(f"{page.order}{kind}{page.bits // 8}")
        values = np.ascontiguousarray(content).view(stored).reshape(rows, width, together)
        if page.predictor == _HORIZONTAL:
            differences = values.view(f"{page.order}u{page.bits // 8}").astype(f"=u{page.bits // 8}")
            return np.cumsum(differences, axis=1, dtype=differences.dtype).view(f"={kind}{page.bits // 8}")
        return values
    if page.predictor != 1:
        raise UnreadableImage(f"a TIFF predictor for {page.bits}-bit samples, which is not read")
    bits = np.unpackbits(content, axis=1)[:, : count * page.bits].reshape(rows, count, page.bits)
    numbers = np.zeros((rows, count), np.uint16)
    for place in range(page.bits):  # the highest bit first, whatever the byte order
        numbers <<= 1
        numbers |= bits[..., place]
    return numbers.reshape(rows, width, together)


def _floating_point(content: np.ndarray, page: Page, together: int) -> np.ndarray:
    """Undo the predictor of floating-point numbers (Adobe Photoshop TIFF Technical Note 3)."""
    rows, size, count = len(content), page.bits // 8, page.chunk[1] * together
    differences = content.reshape(rows, count * size // together, together)
    bytes_of = np.cumsum(differences, axis=1, dtype=np.uint8).reshape(rows, size, count)
    values = np.ascontiguousarray(bytes_of.swapaxes(1, 2)).view(f">f{size}")
    return values.reshape(rows, page.chunk[1], together)


def _to_eight_bits(samples: np.ndarray, page: Page) -> np.ndarray:
    return unit_to_eight_bits(samples) if page.kind == "f" else to_eight_bits(samples, page.bits)


def _shown(values: np.ndarray, page: Page) -> np.ndarray:
    """The colours that 8-bit values (rows, W, samples) stand for."""
    if page.photometric == tiff.WHITE_IS_ZERO:
        return np.concatenate([255 - values[..., :1], values[..., 1:]], axis=2)
    if page.photometric == tiff.PALETTE:
        assert page.colours is not None
        colours = page.colours if page.colours.max() < 256 else page.colours >> 8  # some writers give 8 bits
        return colours.astype(np.uint8).T[values[..., 0]]
    if page.photometric in (tiff.CMYK, tiff.YCBCR):
        mode = "CMYK" if page.photometric == tiff.CMYK else "YCbCr"
        rows, width, bands = values.shape
        return np.asarray(Image.frombytes(mode, (width, rows), values[..., :bands].tobytes()).convert("RGB"))
    return values


def _is_grey(colour: np.ndarray) -> bool:
    return bool((colour == colour[..., :1]).all())
