"""A contact sheet: rows of pictures with a line of words under each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.report.pictures import encoded

#: Pixels between pictures, and of the letters.
GAP, LETTERS = 8, 13
PAPER, INK = (255, 255, 255), (30, 30, 30)


class Cell(NamedTuple):
    """A picture, uint8 (H, W, C), and what is said under it."""

    words: str
    picture: NDArray[np.uint8]


def contact_sheet(rows: Sequence[Sequence[Cell]]) -> NDArray[np.uint8]:
    """Lay out rows of cells of one size on white, uint8 (H, W, 3); pictures of other than 3 channels show grey."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = rows[0][0].picture.shape[:2]
    across, down = width + GAP, height + LETTERS + 2 * GAP
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * across + GAP, len(rows) * down + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = GAP + column * across, GAP + number * down
            sheet.paste(Image.fromarray(_coloured(cell.picture)), place)
            draw.text((place[0], place[1] + height + 2), cell.words, fill=INK, font=font)
    return np.asarray(sheet)


def png(sheet: NDArray[np.uint8]) -> bytes:
    """The sheet as a file."""
    from PIL import Image

    return encoded(Image.fromarray(sheet), "PNG", optimize=True)


def _coloured(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shown = picture[:, :, :3] if picture.shape[2] >= 3 else np.repeat(picture[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(shown)
