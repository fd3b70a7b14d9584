"""Which stem images of a size get, and that what is asked for comes before that."""

import pytest

from striate.errors import UsageError
from striate.models.stem import stem_for


@pytest.mark.parametrize(
    ("size", "stem"),
    [
        (None, "paper"),
        ((64, 64), "small"),
        ((65, 65), "paper"),
        ((64, 65), "small"),
        ((65, 64), "small"),
        ((1, 1), "small"),
        ((224, 224), "paper"),
    ],
)
def test_the_shorter_side_decides_up_to_64_pixels(size, stem):
    assert stem_for(size) == stem


@pytest.mark.parametrize("size", [None, (32, 32), (224, 224)])
@pytest.mark.parametrize("stem", ["paper", "small"])
def test_what_is_asked_for_is_had(size, stem):
    assert stem_for(size, stem) == stem


def test_other_stems_are_refused():
    with pytest.raises(UsageError, match=r"unknown stem 'smal'.*'small'"):
        stem_for(None, "smal")
