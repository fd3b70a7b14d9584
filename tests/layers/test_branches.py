"""Branches side by side, and the pools of Inception networks."""

import functools

import pytest
import torch
import torch.nn.functional as F

from striate.errors import UsageError
from striate.layers import ConvAct, OverlappingPool
from striate.layers.branches import Conv, Pool, Split, branches


def test_branches_stack_the_maps_of_a_table():
    """Against the same convolutions written out: a plain branch, a pooled one, and one that splits again."""
    table = {
        "one": (Conv(3, 1), Conv(4, 3, 2, "valid")),
        "pool": (Pool("max", 2, "valid"),),
        "two": (Conv(5, 1), Split({"a": (Conv(2, 3, 2, "valid"),), "b": (Conv(6, 3, 2, "valid"),)})),
    }
    module = branches(2, table, functools.partial(ConvAct, activation=None))
    x = torch.randn(2, 2, 9, 11)
    y = module(x)
    split = module.two[1]
    wanted = [
        module.one[1].conv(module.one[0].conv(x)),
        F.max_pool2d(x, 3, 2),
        split.a[0].conv(module.two[0].conv(x)),
        split.b[0].conv(module.two[0].conv(x)),
    ]
    torch.testing.assert_close(y, torch.cat(wanted, 1))
    assert module.out_channels == y.shape[1] == 14


def test_averages_leave_the_padding_out_unless_told():
    x = torch.ones(1, 1, 3, 3)
    assert Pool("average").build()(x)[0, 0, 0, 0] == 1
    assert Pool("average", count_padding=True).build()(x)[0, 0, 0, 0] == pytest.approx(4 / 9)
    with pytest.raises(UsageError, match="pooling"):
        Pool("mean").build()


@pytest.mark.parametrize(("side", "outputs", "window", "stride"), [(14, 4, 5, 3), (17, 5, 5, 3), (8, 4, 2, 2)])
def test_overlapping_pool_is_the_papers(side, outputs, window, stride):
    x = torch.randn(1, 2, side, side)
    torch.testing.assert_close(OverlappingPool(outputs)(x), F.avg_pool2d(x, window, stride))


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (4, 5), (40, 31)])
def test_overlapping_pool_takes_any_size(shape):
    assert OverlappingPool(4)(torch.ones(1, 2, *shape)).equal(torch.ones(1, 2, 4, 4))
