"""The survey of images whose facts are made up here."""

from dataclasses import replace

import numpy as np
import pytest

from striate.data import ArrayImages, Place, Split
from striate.data.facts import Facts
from striate.data.survey import Sizes
from striate.data.surveying import survey_of


def split(name: str, sizes: list[tuple[int, int]], **known: list) -> Split:
    """Images `name0`, `name1`, … of these sizes, all different but for what is said of them."""
    count = len(sizes)
    facts = Facts(
        contents=known.get("contents", [f"{name}{row}".encode() for row in range(count)]),
        sizes=np.array(sizes, dtype=np.int32).reshape(-1, 2),
        formats=known.get("formats", ["PNG"] * count),
        channels=np.array(known.get("channels", [3] * count), dtype=np.int16),
        bit_depths=known.get("bit_depths", ["8"] * count),
        blank=np.array(known.get("blank", [False] * count), dtype=bool),
        hashes=np.zeros(count, np.uint64),
        remarks=[()] * count,
        sums=None,
    )
    pixels = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    images = ArrayImages(pixels, [f"{name}{row}" for row in range(count)])
    return Split(name, images, np.arange(count, dtype=np.int64), facts)


def test_what_all_parts_hold_is_counted_and_the_first_of_each_kind_named():
    train = split(
        "train",
        [(8, 8), (8, 9), (8, 8)],
        channels=[4, 3, 4],
        formats=["GIF", "PNG", "JPEG"],
        bit_depths=["16", "8", "1"],
        blank=[False, True, False],
        contents=[b"x", b"y", b"z"],
    )
    test = split(
        "test",
        [(8, 8), (9, 8), (8, 8)],
        channels=[1, 3, 1],
        formats=["PNG", "PNG", "GIF"],
        bit_depths=["8", "16", "8"],
        blank=[True, False, False],
        contents=[b"z", b"w", b"x"],
    )
    survey = survey_of([train, split("val", []), test])
    assert survey.sizes == Sizes((8, 8), 4, (8, 8), (8, 9), 3, 6)
    assert survey.file_channels == {1: 2, 3: 2, 4: 2}
    assert survey.examples == {1: "test0", 3: "train1", 4: "train0"}
    assert list(survey.formats.items()) == [("PNG", 3), ("GIF", 2), ("JPEG", 1)]
    assert list(survey.bit_depths.items()) == [("8", 3), ("16", 2), ("1", 1)]
    assert survey.strays == ("train1 (8x9)", "test1 (9x8)")
    assert survey.blank == ("train1", "test0")
    assert survey.tiny == ()
    assert survey.same_pictures == (
        (Place("train", "train0", 0), Place("test", "test2", 2)),
        (Place("train", "train2", 2), Place("test", "test0", 0)),
    )
    for number in (*survey.file_channels, *survey.file_channels.values(), *survey.examples):
        assert type(number) is int


def test_five_strays_are_named():
    sizes = [(8, 8)] * 9 + [(8 + number, 7) for number in range(7)]
    assert survey_of([split("train", sizes)]).strays == tuple(f"train{9 + n} ({8 + n}x7)" for n in range(5))
    halves = survey_of([split("train", [(8, 8)] * 2 + [(9, 9), (8, 9)])])
    assert halves.strays == ()  # no size is that of most


@pytest.mark.parametrize(
    ("sizes", "tiny"),
    [
        ([(3, 90), (4, 90), (90, 3), (90, 5)], [0, 2]),
        ([(4, 4)] * 3, []),
        ([(3, 3)] * 3, [0, 1, 2]),
        # the shorter sides 9, 10, 160, 160, 170: the middle one is 160
        ([(9, 300), (160, 170), (300, 10), (170, 170), (160, 300)], [0]),
        # 9, 10, 158, 164: the middle of them is 84
        ([(9, 300), (158, 170), (300, 10), (164, 170)], []),
        # 5, 100, 100: below 6.25
        ([(100, 100), (100, 120), (6, 100)], [2]),
        ([(100, 100), (100, 120), (7, 100)], []),
    ],
)
def test_tiny_is_what_shows_nothing_by_itself_or_beside_the_rest(sizes, tiny):
    assert survey_of([split("train", sizes)]).tiny == tuple(f"train{row}" for row in tiny)


def test_a_split_of_which_nothing_is_known_counts_for_nothing():
    known, unknown = split("train", [(8, 8), (9, 9)]), split("val", [])
    survey = survey_of([known, replace(unknown, facts=None)])
    assert survey.sizes.images == 2
