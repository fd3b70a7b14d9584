"""Inverted residuals: what each number of a block builds, and the block by hand."""

import itertools

import pytest
import torch
from torch import nn

from striate.layers import DropPath, InvertedResidual
from striate.layers.conv import SameConv2d
from striate.layers.inverted_residual import inverted_residual


def convolutions(block):
    return [
        (c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0], c.groups)
        for c in block.modules()
        if isinstance(c, nn.Conv2d)
    ]


def test_a_block_from_numbers_has_these_convolutions():
    block = inverted_residual(8, 12, stride=2, expansion=6, kernel_size=5, reduced=3)
    assert [name for name, part in block.named_children()] == ["expand", "depthwise", "excite", "project"]
    # in, out, kernel, stride, groups: up, filter, weigh (down and up), down
    assert convolutions(block) == [
        (8, 48, 1, 1, 1),
        (48, 48, 5, 2, 48),
        (48, 3, 1, 1, 1),
        (3, 48, 1, 1, 1),
        (48, 12, 1, 1, 1),
    ]
    plain = inverted_residual(8, 8, stride=1, expansion=1)
    assert convolutions(plain) == [(8, 8, 3, 1, 8), (8, 8, 1, 1, 1)]
    assert (plain.expand, plain.excite, plain.drop_path) == (None, None, None)


@pytest.mark.parametrize(("out", "stride", "drop_path"), itertools.product((8, 9), (1, 2), (0.0, 0.25)))
def test_a_shortcut_joins_equal_ends_only_and_only_there_a_path_is_dropped(out, stride, drop_path):
    block = inverted_residual(8, out, stride=stride, expansion=2, drop_path=drop_path)
    joined = (out, stride) == (8, 1)
    assert block.shortcut is joined
    paths = [part.probability for part in block.modules() if isinstance(part, DropPath)]
    assert paths == ([0.25] if joined and drop_path else [])


@pytest.mark.parametrize("unit", [{}, {"activation": None}, {"activation": "silu"}, {"activation": "relu6"}])
def test_activations_stand_behind_all_but_the_last_convolution(unit):
    block = inverted_residual(8, 8, stride=1, expansion=4, reduced=2, **unit)
    kind = {"silu": nn.SiLU, "relu6": nn.ReLU6, None: nn.ReLU, "relu": nn.ReLU}[unit.get("activation", "relu")]
    units = [block.expand, block.depthwise]
    if unit.get("activation", "relu") is None:
        assert all(len(part) == 2 for part in units)
    else:
        assert all(isinstance(part.act, kind) for part in units)
    assert isinstance(block.excite.act, kind)  # without an activation of the convolutions a rectifier
    assert [name for name, _ in block.project.named_children()] == ["conv", "norm"]


def test_padding_and_epsilon_reach_every_convolution():
    block = inverted_residual(8, 8, stride=2, expansion=4, padding="tensorflow", norm_eps=0.01)
    assert isinstance(block.depthwise.conv, SameConv2d)
    assert {norm.eps for norm in block.modules() if isinstance(norm, nn.BatchNorm2d)} == {0.01}


@pytest.mark.parametrize(("expands", "excites", "shortcut"), itertools.product([True, False], repeat=3))
def test_the_block_by_hand(expands, excites, shortcut):
    torch.manual_seed(0)
    expand, depthwise, excite, project = (nn.Conv2d(4, 4, 1) for _ in range(4))
    block = InvertedResidual(
        expand if expands else None, depthwise, project, excite=excite if excites else None, shortcut=shortcut
    )
    x = torch.randn(2, 4, 5, 5)
    y = expand(x) if expands else x
    y = depthwise(y)
    y = project(excite(y) if excites else y)
    assert torch.equal(block(x), x + y if shortcut else y)
    assert torch.equal(InvertedResidual(None, depthwise, project)(x), project(depthwise(x)))


def test_a_dropped_path_leaves_the_input_of_that_image_alone():
    torch.manual_seed(0)
    block = InvertedResidual(None, nn.Identity(), nn.Identity(), shortcut=True, drop_path=0.5).train()
    x = torch.rand(64, 2, 3, 3) + 1
    factors = (block(x) / x).flatten(1).round(decimals=3)
    assert set(factors[:, 0].tolist()) == {1.0, 3.0}  # x alone, or x + x / 0.5
    assert torch.equal(factors, factors[:, :1].expand_as(factors))
    torch.testing.assert_close(block.eval()(x), 2 * x)
