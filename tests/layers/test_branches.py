"""Branches side by side, and the pools of Inception networks."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.errors import UsageError
from striate.layers import ConvAct, OverlappingPool
from striate.layers.branches import (
    Conv,
    Pool,
    Split,
    branches,
    chain,
    inception,
    naive_inception,
    named_chain,
    stages_of,
    unstrided,
)


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


@pytest.mark.parametrize(
    ("pool", "layer"),
    [
        (Pool("max"), nn.MaxPool2d(3, 1, 1)),
        (Pool("max", 2, "valid"), nn.MaxPool2d(3, 2, 0)),
        (Pool("average", 2), nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
        (Pool("average", 1, "valid", count_padding=True), nn.AvgPool2d(3, 1, 0, count_include_pad=True)),
    ],
)
def test_a_pool_of_a_table_is_this_layer(pool, layer):
    built = pool.build()
    assert str(built) == str(layer)
    x = torch.randn(1, 2, 7, 6)
    assert torch.equal(built(x), layer(x))


def unit(inputs, outputs, kernel, *, stride, padding):
    return ConvAct(inputs, outputs, kernel, stride=stride, padding=padding, activation=None)


def test_steps_with_names_and_what_comes_out():
    steps = {"a": Conv(4, 3, 2), "b": Pool("max"), "c": Split({"x": (Conv(2),), "y": (Conv(3, (1, 3)),)}), "d": Conv(6)}
    layers, channels = named_chain(5, steps, unit)
    assert channels == 6
    assert [name for name, _ in layers.named_children()] == ["a", "b", "c", "d"]
    assert [(c.in_channels, c.out_channels) for c in layers.modules() if isinstance(c, nn.Conv2d)] == [
        *((5, 4), (4, 2), (4, 3)),
        (5, 6),
    ]
    plain, same = chain(5, tuple(steps.values()), unit)
    assert ([name for name, _ in plain.named_children()], same) == (["0", "1", "2", "3"], 6)


def test_stages_go_on_with_the_channels_of_the_one_before():
    one, two = {"a": (Conv(2),), "b": (Conv(3),)}, {"a": (Conv(7),)}
    stages, channels = stages_of(4, {"first": [one, one], "second": [two]}, unit)
    assert channels == 7
    inputs = {name: [module.a[0].conv.in_channels for module in stage] for name, stage in stages.items()}
    assert inputs == {"first": [4, 5], "second": [5]}


def test_a_stem_without_strides_keeps_pools_within_branches_only():
    steps = {
        "a": Conv(4, 3, 2, "valid"),
        "pool": Pool("max", 2),
        "b": Split({"x": (Pool("average", 2, "valid"),), "y": (Conv(3, 3, 2), Split({"z": (Conv(2, 1, 2),)}))}),
    }
    assert unstrided(steps) == {
        "a": Conv(4, 3, 1, "valid"),
        "b": Split({"x": (Pool("average", 1, "valid"),), "y": (Conv(3, 3, 1), Split({"z": (Conv(2, 1, 1),)}))}),
    }


def test_tables_of_inception_modules():
    assert naive_inception(1, 2, 3) == {
        "conv1x1": (Conv(1, 1),),
        "conv3x3": (Conv(2, 3),),
        "conv5x5": (Conv(3, 5),),
        "pool": (Pool("max", 1),),
    }
    table = inception(64, 96, 128, 16, 32, 8)  # the first row of the paper's table 1, but for the projection's 32
    assert table == {
        "conv1x1": (Conv(64, 1),),
        "conv3x3": (Conv(96, 1), Conv(128, 3)),
        "conv5x5": (Conv(16, 1), Conv(32, 5)),
        "pool": (Pool("max", 1), Conv(8, 1)),
    }
    assert inception(1, 2, 3, 4, 5, 6, wide=3)["conv5x5"] == (Conv(4), Conv(5, 3))


@pytest.mark.parametrize(
    ("shape", "windows", "strides"),
    [
        ((17, 14), (5, 5), (4, 3)),  # 4 * 3 + 5 rows, 3 * 3 + 5 columns
        ((4, 9), (1, 3), (1, 2)),
        ((31, 40), (10, 10), (7, 10)),
    ],
)
def test_rows_and_columns_have_windows_of_their_own(shape, windows, strides):
    x = torch.randn(1, 2, *shape)
    assert torch.equal(OverlappingPool(4)(x), F.avg_pool2d(x, windows, strides))


@pytest.mark.parametrize("shape", [(3, 9), (9, 3)])
def test_a_map_with_too_few_rows_or_columns_repeats_its_pixels(shape):
    x = torch.randn(1, 2, *shape)
    bounds = [[(i * side // 4, -(-(i + 1) * side // 4)) for i in range(4)] for side in shape]
    wanted = torch.stack(
        [torch.stack([x[..., a:b, c:d].mean((2, 3)) for c, d in bounds[1]], -1) for a, b in bounds[0]], -2
    )
    torch.testing.assert_close(OverlappingPool(4)(x), wanted)
