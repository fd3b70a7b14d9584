import dataclasses

import pytest

from striate.caller import by_flags
from striate.training.bottleneck import Loading, is_bottleneck

SLOW = Loading(seconds=100.0, waited=62.0, workers=2, processors=8, reading=0.91, cache="off")


def advice(**changed) -> str:
    with by_flags({}):
        return dataclasses.replace(SLOW, **changed).advice


def test_it_says_how_much_is_waiting_and_what_was_measured_to_help():
    assert advice() == (
        "loading is the bottleneck: 62% of the time is waiting; --workers 8 (2 of 8 processors load now) or "
        "--cache disk (91% of the work is reading and decoding) would mend it"
    )
    assert "workers=8" in SLOW.advice
    assert "cache='disk'" in SLOW.advice


@pytest.mark.parametrize(
    ("changed", "there", "not_there"),
    [
        ({"workers": 8}, "--cache disk", "--workers"),
        ({"cache": "disk"}, "smaller pictures (91%", "--cache"),
        ({"cache": "ram", "reading": 0.6}, "smaller pictures (60%", "--cache"),
        ({"reading": 0.4}, "fewer transforms (60% of the work is augmentation)", "--cache"),
        ({"reading": 0.5}, "--workers 8", "transforms"),
    ],
)
def test_only_what_helps_is_advised(changed, there, not_there):
    assert there in advice(**changed)
    assert not_there not in advice(**changed)


def test_where_nothing_is_known_to_help_nothing_is_advised():
    assert advice(workers=8, reading=0.5) == "loading is the bottleneck: 62% of the time is waiting"


@pytest.mark.parametrize(
    ("seconds", "waited", "told"), [(100, 31, True), (100, 29, False), (6, 4.9, False), (6, 5, True)]
)
def test_little_waiting_is_not_worth_a_word(seconds, waited, told):
    assert is_bottleneck(seconds, waited) == told
