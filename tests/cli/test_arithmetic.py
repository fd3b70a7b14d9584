"""The arithmetic of a filtered pixel in words, letter by letter."""

import json

import numpy as np
import pytest

from striate.cli import arithmetic
from striate.layers.filtering import Arithmetic


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (-2.5, "-2.5"),
        (1 / 3, "0.3333"),
        (-1 / 16, "-0.0625"),
        (0.000123456, "0.0001235"),
        (123.456, "123.5"),
        (-999.4, "-999.4"),
        (999.96, "1000"),
        (1000, "1000"),
        (9999.6, "10000"),
        (1234.5678, "1235"),
        (-1234.5678, "-1235"),
        (123_456.7, "123457"),
        (-123_456.7, "-123457"),
    ],
)
def test_a_value_has_four_figures_and_never_an_exponent(value, word):
    assert arithmetic.words(np.array([[value]], dtype=float)) == [[word]]


def test_words_stand_where_their_values_do():
    assert arithmetic.words(np.array([[1, 2, 3], [4, 5, 6]])) == [["1", "2", "3"], ["4", "5", "6"]]


@pytest.mark.parametrize(
    ("channels", "names"),
    [
        (1, ["grey"]),
        (2, ["channel 0", "channel 1"]),
        (3, ["red", "green", "blue"]),
        (4, ["channel 0", "channel 1", "channel 2", "channel 3"]),
    ],
)
def test_channels_have_names(channels, names):
    assert arithmetic.channel_names(channels) == names


def test_tables_stand_side_by_side_each_column_as_wide_as_its_tables_widest_word():
    assert arithmetic.side_by_side([["1", "-20"], ["300", "4"]], [["5"], ["6"]], [["x", ""], ["y", "zz"]]) == (
        "  1 -20    5     x   \n300   4    6     y zz"
    )
    assert arithmetic.side_by_side([["7"]]) == "7"


@pytest.fixture
def corner() -> Arithmetic:
    """Two channels under a kernel of two rows and three columns, whose first column lies beyond the edge."""
    window = np.array([[[0, 0], [1, 10], [2, 20]], [[0, 0], [3, 30], [4, 40]]], dtype=float)
    kernel = np.array([[9, 1, -1], [9, 0.5, 2000]])
    products = window * kernel[..., None]
    border = np.array([[True, False, False]] * 2)
    return Arithmetic((5, 7), (6, 8), window, border, kernel, products, products.sum(axis=(0, 1)))


def test_the_arithmetic_of_a_pixel_at_the_edge(corner):
    assert arithmetic.text(corner, np.array([255, 128], np.uint8)) == (
        "pixel x 7, y 5 of the result; the kernel's centre lies on x 8, y 6 of the picture; [ ] are values beyond the "
        "edge\n"
        "\n"
        "channel 0: window, kernel as it is slid, products\n"
        "[0]  1   2        9    1   -1       0    1   -2\n"
        "[0]  3   4        9  0.5 2000       0  1.5 8000\n"
        "sum 8000.5, shown as 255\n"
        "\n"
        "channel 1: window, kernel, products\n"
        "[0] 10  20        9    1   -1        0    10   -20\n"
        "[0] 30  40        9  0.5 2000        0    15 80000\n"
        "sum 80005, shown as 128\n"
    )


def test_where_three_tables_are_too_wide_they_stand_below_each_other(corner):
    lines = arithmetic.text(corner, np.array([255, 128], np.uint8), 40).splitlines()
    assert lines[:4] == [
        "pixel x 7, y 5 of the result; the",
        "  kernel's centre lies on x 8, y 6 of",
        "  the picture; [ ] are values beyond the",
        "  edge",
    ]
    assert lines[4:15] == [
        "",
        "channel 0: window",
        "[0]  1   2 ",
        "[0]  3   4 ",
        "kernel as it is slid",
        "   9    1   -1",
        "   9  0.5 2000",
        "products",
        "   0    1   -2",
        "   0  1.5 8000",
        "sum 8000.5, shown as 255",
    ]
    (cut,) = {
        line for line in arithmetic.text(corner, np.array([255, 128], np.uint8), 12).splitlines() if "cut" in line
    }
    assert cut == "(cut; a wider terminal or a pipe shows all)"


def test_within_the_picture_nothing_is_marked(corner):
    inside = Arithmetic(
        corner.pixel,
        corner.centre,
        corner.window[..., :1] / 7,
        np.zeros((2, 3), bool),
        corner.kernel / 7,
        corner.products[..., :1] / 49,
        np.array([1234.5678912]),
    )
    assert arithmetic.text(inside, np.array([3], np.uint8)).splitlines() == [
        "pixel x 7, y 5 of the result; the kernel's centre lies on x 8, y 6 of the picture",
        "",
        "grey: window, kernel as it is slid, products",
        "     0 0.1429 0.2857      1.286  0.1429 -0.1429           0  0.02041 -0.04082",
        "     0 0.4286 0.5714      1.286 0.07143   285.7           0  0.03061    163.3",
        "sum 1234.57, shown as 3",
    ]


def test_a_program_is_told_the_same_in_plain_values(corner):
    found = arithmetic.plain(corner, np.array([255, 128], np.uint8))
    assert json.loads(json.dumps(found)) == {
        "x": 7,
        "y": 5,
        "centre": {"x": 8, "y": 6},
        "kernel": [[9, 1, -1], [9, 0.5, 2000]],
        "beyond_the_edge": [[True, False, False]] * 2,
        "channels": [
            {
                "name": "channel 0",
                "window": [[0, 1, 2], [0, 3, 4]],
                "products": [[0, 1, -2], [0, 1.5, 8000]],
                "sum": 8000.5,
                "shown": 255,
            },
            {
                "name": "channel 1",
                "window": [[0, 10, 20], [0, 30, 40]],
                "products": [[0, 10, -20], [0, 15, 80000]],
                "sum": 80005,
                "shown": 128,
            },
        ],
    }
