"""Which pictures the sheet of a policy has, and that they are those of the policy."""

import numpy as np
import pytest

from striate.augment import Augment
from striate.augment.showing import versions
from striate.report.policy_sheet import all_together, transforms_alone

SIZE = (24, 32)


@pytest.fixture
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (40, 52, 3), dtype=np.uint8) for _ in range(2)]


def test_the_picture_comes_first_then_a_row_for_each_transform(pictures):
    rows = list(transforms_alone(Augment(flip=0.5, rotate=40), pictures, SIZE, 0))
    assert [[cell.words for cell in row] for row in rows] == [
        ["the picture"],
        ["flip"],
        ["rotate 10", "rotate 20", "rotate 30", "rotate 40"],
    ]
    plain = rows[0][0].picture
    np.testing.assert_array_equal(plain, versions(Augment(), pictures[:1], SIZE, 1)[0])
    np.testing.assert_array_equal(rows[1][0].picture, plain[:, ::-1])
    assert all((cell.picture != plain).any() for cell in rows[2])
    assert all(cell.picture.shape == (*SIZE, 3) for row in rows for cell in row)


def test_what_mixes_is_shown_where_there_is_a_second_picture(pictures):
    policy = Augment(mixup=1.0, flip=0.5)
    words = [row[0].words for row in transforms_alone(policy, pictures, SIZE, 0)]
    assert words == ["the picture", "flip", "mixup 1"]
    alone = [row[0].words for row in transforms_alone(policy, pictures[:1], SIZE, 0)]
    assert alone == ["the picture", "flip"]


def test_versions_of_the_whole_policy_follow_in_fours(pictures):
    policy = Augment(flip=0.5, area=0.3, brightness=0.4)
    rows = all_together(policy, pictures, SIZE, 5)
    assert [[cell.words for cell in row] for row in rows] == [
        [f"all together, {number}" for number in numbers] for numbers in ((1, 2, 3, 4), (5, 6, 7, 8))
    ]
    shown = np.stack([cell.picture for row in rows for cell in row])
    np.testing.assert_array_equal(shown, versions(policy, pictures, SIZE, 8, 5))
