"""Kernels for pictures, by name or of one's own: what a convolution can do before anything is learned."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from striate.errors import UsageError, unknown

#: Each kernel as rows of numbers; the directional ones answer to brightness that grows to the right (x) or down (y)
#: when they are slid as they stand (cross-correlation).
KERNELS: dict[str, str] = {
    "identity": "0 0 0; 0 1 0; 0 0 0",
    "edge1": "1 0 -1; 0 0 0; -1 0 1",
    "edge2": "0 1 0; 1 -4 1; 0 1 0",
    "edge3": "-1 -1 -1; -1 8 -1; -1 -1 -1",
    "outline": "-1 -1 -1; -1 8 -1; -1 -1 -1",
    "laplacian": "0 1 0; 1 -4 1; 0 1 0",
    "sharpen": "0 -1 0; -1 5 -1; 0 -1 0",
    "box_blur": "1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9",
    "gaussian_blur": "1/16 2/16 1/16; 2/16 4/16 2/16; 1/16 2/16 1/16",
    "gaussian_blur_5": (
        "1/256 4/256 6/256 4/256 1/256; 4/256 16/256 24/256 16/256 4/256; 6/256 24/256 36/256 24/256 6/256; "
        "4/256 16/256 24/256 16/256 4/256; 1/256 4/256 6/256 4/256 1/256"
    ),
    "emboss": "-2 -1 0; -1 1 1; 0 1 2",
    "sobel_x": "-1 0 1; -2 0 2; -1 0 1",
    "sobel_y": "-1 -2 -1; 0 0 0; 1 2 1",
    "prewitt_x": "-1 0 1; -1 0 1; -1 0 1",
    "prewitt_y": "-1 -1 -1; 0 0 0; 1 1 1",
    "scharr_x": "-3 0 3; -10 0 10; -3 0 3",
    "scharr_y": "-3 -10 -3; 0 0 0; 3 10 3",
    "roberts_x": "1 0; 0 -1",
    "roberts_y": "0 1; -1 0",
}

_NUMBERS = re.compile(r"[-+0-9.eE/;,\s]*[0-9][-+0-9.eE/;,\s]*")
_MOST_CHARACTERS = 1_000_000
_LARGEST = 1e9


def image_kernel(spelled: str) -> np.ndarray:
    """A kernel as float64 (rows, columns).

    Args:
        spelled: a name of `KERNELS`; or rows of numbers, "0 -1 0; -1 5 -1; 0 -1 0", fractions such as 1/9 among
            them; or the path of a text file with a row on each line.

    Raises:
        UsageError: it is none of these, or the rows are not of one length.
    """
    if spelled in KERNELS:
        return parse_kernel(KERNELS[spelled])
    if _NUMBERS.fullmatch(spelled):
        return parse_kernel(spelled)
    path = Path(spelled)
    try:
        if path.is_file():
            if path.stat().st_size > _MOST_CHARACTERS:
                raise UsageError(
                    f"{path}: too large for a kernel; a text file with a row of numbers on each line is meant"
                )
            return parse_kernel(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, ValueError) as error:  # a name that no file can have; bytes that are no text
        raise UsageError(f"{spelled!r} cannot be read as a kernel: {error}") from error
    if "/" in spelled or path.suffix:
        raise UsageError(f"{path}: no such file, and no kernel of that name")
    offer = unknown("kernel", spelled, KERNELS)
    raise UsageError(f"{offer} One of your own is rows of numbers, '0 -1 0; -1 5 -1; 0 -1 0', or a file of them.")


def parse_kernel(text: str, where: str = "kernel") -> np.ndarray:
    """Rows of numbers, ended by ; or a line's end, as float64 (rows, columns). Raises UsageError."""
    rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]", text)]
    rows = [row for row in rows if row]
    if not rows:
        raise UsageError(f"{where}: no numbers")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise UsageError(
                f"{where}: row {number} has {len(row)} numbers and row 1 has {len(rows[0])}; a kernel is a rectangle"
            )
    return np.array([[_number(word, where) for word in row] for row in rows])


def _number(word: str, where: str) -> float:
    try:
        value = float(Fraction(word)) if "/" in word else float(word)
    except (ValueError, ZeroDivisionError, OverflowError):
        value = math.nan
    if not abs(value) <= _LARGEST:
        raise UsageError(f"{where}: {word!r} is no number from -{_LARGEST:g} to {_LARGEST:g}")
    return value
