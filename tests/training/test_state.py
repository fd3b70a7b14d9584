"""Where a training stands: its phases, as long as they were asked for and as long as they became."""

from dataclasses import asdict

import pytest
import torch

from striate.training.state import Position, gather, put_back


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


def test_a_position_goes_through_its_state():
    position = Position([3, 2], 4, 31, 5, 2.5, {"epoch": 3.0}, "time limit", [{"epoch": 1}], [], [2])
    assert Position.from_state(asdict(position)) == position
    fresh = Position([3])
    assert (fresh.epoch, fresh.step, fresh.step_in_epoch, fresh.seconds, fresh.best) == (0, 0, 0, 0.0, None)
    assert (fresh.stopped_by, fresh.history, fresh.timing, fresh.extensions) == ("", [], [], [])


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_what_is_gathered_is_put_back_to_the_bit(small, tmp_path, average):
    def begin(name):
        return small.training(tmp_path / name, small.recipe(epochs=1, average=average))

    first, second = begin("first"), begin("second")
    first.train()
    kept = {
        name: tensor.clone() for name, tensor in gather(first.module, first.optimizer.optimizer, first.average).items()
    }
    kinds = {"model", "optimizer", "random"} | ({"average"} if average else set())
    assert {name.split("/")[0] for name in kept} == kinds
    torch.manual_seed(99)
    put_back(kept, second.module, second.optimizer.optimizer, second.average)
    again = gather(second.module, second.optimizer.optimizer, second.average)
    assert again.keys() == kept.keys()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in again.items())
    for missing in ("random/cpu", "model/stem.weight"):
        less = {name: tensor for name, tensor in kept.items() if name != missing}
        with pytest.raises((KeyError, RuntimeError)):
            put_back(less, second.module, second.optimizer.optimizer, second.average)
