"""The order of a table does not matter, and its first weights are those of a convolution with as many inputs."""

import pytest
import torch

from striate.errors import UsageError
from striate.layers import TableConv2d


def test_a_table_in_any_order_is_the_same_layer():
    layer, other = TableConv2d([(2, 0, 3), (1,)], 4, 3), TableConv2d([(0, 2, 3), (1,)], 4, 3)
    assert layer.table == other.table == ((0, 2, 3), (1,))
    other.load_state_dict(layer.state_dict())
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(layer(x), other(x))
    assert layer(x).shape == (2, 2, 3, 4)
    dense = layer.dense_weight()
    assert torch.equal(dense[0, [0, 2, 3]], layer.weight[:3])
    assert torch.equal(dense[1, 1], layer.weight[3])
    assert not dense[0, 1].any()
    assert not dense[1, [0, 2, 3]].any()


def test_first_weights_are_uniform_over_the_root_of_the_inputs_of_each_map():
    torch.manual_seed(0)
    layer = TableConv2d([(0,)] * 60 + [(0, 1, 2, 3)] * 60, 4, 5)
    assert layer.fan_in == [25] * 60 + [100] * 60
    for values, bound in (
        (layer.weight[:60], 1 / 5),
        (layer.bias[:60], 1 / 5),
        (layer.weight[60:], 1 / 10),
        (layer.bias[60:], 1 / 10),
    ):
        assert 0.9 * bound < values.max() <= bound
        assert -bound <= values.min() < -0.9 * bound


def test_bounds_are_one_for_each_map():
    for bounds in ([0.5], [0.5] * 3):
        with pytest.raises(ValueError, match="zip"):
            TableConv2d([(0,), (1,)], 2, 3).uniform_(bounds)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            [(0,), (1, 1)],
            r"map 1 of the connection table sees \[1, 1\]; it must see some of the maps 0 to 3, each once",
        ),
        ([(0,), (4,)], r"map 1 of the connection table sees \[4\]"),
        ([(0,), ()], r"map 1 of the connection table sees \[\]"),
    ],
)
def test_the_map_that_sees_wrong_ones_is_named(table, said):
    with pytest.raises(UsageError, match=said):
        TableConv2d(table, 4, 5)
