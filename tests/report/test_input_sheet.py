"""What a network sees of a picture is shown as it sees it."""

import numpy as np
import pytest

from striate.augment import Augment
from striate.augment.showing import versions
from striate.data import Preprocessing
from striate.report.contact_sheet import PAPER
from striate.report.input_sheet import FRAME, input_sheet

SIDE = 64


def look(resize: str = "crop", size: tuple[int, int] = (32, 32), channels: int = 3) -> Preprocessing:
    return Preprocessing(size, channels, (0.5,) * channels, (0.25,) * channels, resize, 0.5)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (80, 160, 3), dtype=np.uint8)


def test_the_input_is_enlarged_pixel_by_pixel(picture):
    (given, seen), rules = list(input_sheet(look(), Augment(), picture, SIDE))
    assert given.words == "the picture, 80x160"
    assert seen.words == "the network sees 32x32, crop"
    np.testing.assert_array_equal(seen.picture, look()(picture).repeat(2, axis=0).repeat(2, axis=1))
    assert [cell.words for cell in rules] == ["by crop", "by letterbox", "by stretch"]
    for cell, rule in zip(rules, ("crop", "letterbox", "stretch"), strict=True):
        np.testing.assert_array_equal(cell.picture, look(rule)(picture).repeat(2, axis=0).repeat(2, axis=1))


def test_a_frame_stands_around_what_is_seen(picture):
    (given, _), *_ = input_sheet(look(), Augment(), picture, 160)
    rows, columns = np.nonzero((given.picture == FRAME).all(axis=2))
    top = (160 - 80) // 2  # the picture lies in the middle of the cell
    # half of the short side about the centre: 40 pixels; the frame is drawn on its edge
    assert (rows.min() - top, rows.max() - top) == (pytest.approx(20, abs=1), pytest.approx(60, abs=1))
    assert (columns.min(), columns.max()) == (pytest.approx(60, abs=1), pytest.approx(100, abs=1))
    assert (given.picture[0] == PAPER).all()


def test_a_row_shows_what_it_was_trained_on_where_that_was_augmented(picture):
    policy = Augment(flip=0.5, area=0.3)
    *_, trained = input_sheet(look(), policy, picture, 32)
    assert [cell.words for cell in trained] == [f"in training, {number}" for number in (1, 2, 3, 4)]
    expected = versions(policy, [picture], (32, 32), 4, 0, None, "crop", 0.5)
    np.testing.assert_array_equal(np.stack([cell.picture for cell in trained]), expected)


def test_oblong_and_grey_inputs_lie_in_the_middle_of_a_square(picture):
    (_, seen), *_ = input_sheet(look("stretch", (16, 32), 1), Augment(), picture, SIDE)
    assert seen.picture.shape == (SIDE, SIDE, 3)
    assert (seen.picture[:16] == PAPER).all()
    assert (seen.picture[48:] == PAPER).all()
    assert (seen.picture[16:48] != PAPER).any(axis=2).all()
