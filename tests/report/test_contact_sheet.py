"""Rows of pictures, each where it belongs, with its words."""

import io

import numpy as np
from PIL import Image

from striate.report.contact_sheet import GAP, LETTERS, PAPER, Cell, contact_sheet, png

RED, BLUE = (250, 10, 10), (10, 10, 250)


def plain(colour: tuple[int, ...], height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, len(colour)), colour, np.uint8)


def test_rows_and_columns_lie_a_gap_apart_on_paper():
    sheet = contact_sheet([[Cell("", plain(RED)), Cell("", plain(BLUE))], [Cell("", plain(BLUE))]])
    across, down = 30 + GAP, 20 + LETTERS + 2 * GAP
    assert sheet.shape == (2 * down + GAP, 2 * across + GAP, 3)
    for colour, row, column in ((RED, 0, 0), (BLUE, 0, 1), (BLUE, 1, 0), (PAPER, 1, 1)):
        top, left = GAP + row * down, GAP + column * across
        assert (sheet[top : top + 20, left : left + 30] == colour).all()
    assert (sheet[:GAP] == PAPER).all()


def test_the_words_stand_under_their_picture():
    silent = contact_sheet([[Cell("", plain(RED)), Cell("", plain(RED))]])
    said = contact_sheet([[Cell("", plain(RED)), Cell("il", plain(RED))]])
    rows, columns = np.nonzero((silent != said).any(axis=2))
    assert rows.min() >= GAP + 20
    assert columns.min() >= 2 * GAP + 30
    assert rows.max() < GAP + 20 + LETTERS + GAP


def test_other_channels_show_grey_and_the_first_three():
    grey = contact_sheet([[Cell("", plain((77,)))]])
    assert (grey[GAP : GAP + 20, GAP : GAP + 30] == 77).all()
    many = contact_sheet([[Cell("", plain((1, 2, 3, 4, 5)))]])
    assert (many[GAP : GAP + 20, GAP : GAP + 30] == (1, 2, 3)).all()


def test_the_file_is_the_sheet():
    sheet = contact_sheet([[Cell("words", plain(BLUE))]])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(sheet)))), sheet)
