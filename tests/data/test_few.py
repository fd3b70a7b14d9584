"""A long list in a line."""

import pytest

from striate.data.few import few


@pytest.mark.parametrize(
    ("count", "options", "line"),
    [
        (0, {}, ""),
        (5, {}, "0, 1, 2, 3, 4"),
        (6, {}, "0, 1, 2, 3, 4 and 1 more"),
        (2, {"most": 1, "kind": " kinds"}, "0 and 1 more kinds"),
        (2, {"total": 1234}, "0, 1 and 1,232 more"),
        (3, {"separator": " = "}, "0 = 1 = 2"),
    ],
)
def test_the_first_are_told_and_how_many_more(count, options, line):
    assert few([str(number) for number in range(count)], **options) == line
