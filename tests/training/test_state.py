"""Where a training stands: its phases, as long as they were asked for and as long as they became."""

import pytest

from striate.training.state import Position


@pytest.mark.parametrize(
    ("phases", "epoch", "stopped_by", "expected"),
    [
        ([10], 10, "finished", [10, 3]),
        ([10, 5], 15, "finished", [10, 5, 3]),
        ([10], 4, "", [10, 3]),  # stopped on the way: what is left is done first
        ([10], 4, "early stopping", [4, 3]),
        ([10, 5], 12, "early stopping", [10, 2, 3]),
        ([10, 5, 5], 7, "early stopping", [7, 3]),
        ([10, 5], 10, "early stopping", [10, 3]),
    ],
)
def test_an_extension_is_a_phase_behind_those_that_were_trained(phases, epoch, stopped_by, expected):
    position = Position(phases, epoch=epoch, stopped_by=stopped_by, extensions=[5])
    position.extend(3)
    assert position.phases == expected
    assert position.epochs == sum(expected)
    assert position.stopped_by == ""
    assert position.extensions == [5, 3]
    assert phases[0] == 10


def test_an_earlier_versions_extensions_are_those_of_its_phases():
    assert Position.from_state({"phases": [10, 5, 2]}).extensions == [5, 2]
    assert Position.from_state({"phases": [10, 2], "extensions": [5]}).extensions == [5]
