"""Residual blocks and shortcuts by hand and against torchvision's blocks."""

import pytest
import torch
import torchvision.models.resnet as theirs
from torch import nn

from striate.errors import UsageError
from striate.layers import ZeroPadShortcut, basic, bottleneck, make_shortcut
from striate.layers.shortcuts import make_addition


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_zero_pad_shortcut_by_hand():
    x = torch.randn(1, 2, 5, 5)
    y = ZeroPadShortcut(2, 5, 2)(x)
    assert y.shape == (1, 5, 3, 3)
    assert torch.equal(y[:, 1:3], x[:, :, ::2, ::2])
    assert y[:, 0].abs().sum() == y[:, 3:].abs().sum() == 0


def test_shortcut_kinds():
    assert make_shortcut("none", 4, 8, 2) is None
    assert isinstance(make_shortcut("B", 4, 4, 1), torch.nn.Identity)
    assert parameters(make_shortcut("C", 4, 4, 1)) == 16 + 8
    with pytest.raises(UsageError, match="shortcut 'D'"):
        make_shortcut("D", 4, 4, 1)


@pytest.mark.parametrize(("kind", "shortcut", "branch"), [("scaled", 0.5, 1.0), ("scaled_both", 0.5, 0.5)])
def test_scaled_additions(kind, shortcut, branch):
    x, y = torch.randn(2, 1, 4, 3, 3)
    assert torch.equal(make_addition(kind, 4, 4, 1)(x, x, y), shortcut * x + branch * y)


@pytest.mark.parametrize("kind", ["exclusive_gate", "shortcut_gate"])
def test_gated_additions(kind):
    x, shortcut, branch = torch.randn(3, 1, 4, 3, 3)
    addition = make_addition(kind, 4, 4, 1)
    gate = addition.gate(x)
    expected = (1 - gate) * shortcut + (gate * branch if kind == "exclusive_gate" else branch)
    assert torch.equal(addition(x, shortcut, branch), expected)


@pytest.mark.parametrize("kind", ["A", "B", "C", "none", "dropout"])
def test_all_other_shortcuts_are_plainly_added(kind):
    assert make_addition(kind, 4, 4, 1) is None


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("depth", ["basic", "bottleneck"])
def test_blocks_are_torchvisions(depth, stride):
    if depth == "basic":
        ours, expansion = basic(8, 8, stride=stride), 1
        make = theirs.BasicBlock
    else:
        ours, expansion = bottleneck(8, 8, stride=stride, stride_in="3x3"), 4
        make = theirs.Bottleneck
    projects = stride > 1 or expansion > 1
    projection = nn.Sequential(nn.Conv2d(8, 8 * expansion, 1, stride, bias=False), nn.BatchNorm2d(8 * expansion))
    other = make(8, 8, stride, projection if projects else None)
    renamed = {}
    for key, value in ours.state_dict().items():
        key = key.replace("residual.", "").replace("norm", "bn")
        key = key.replace("shortcut.conv", "downsample.0").replace("shortcut.bn", "downsample.1")
        renamed[key] = value
    other.load_state_dict(renamed)
    x = torch.randn(2, 8, 6, 6)
    torch.testing.assert_close(ours(x), other(x))


def test_the_papers_bottleneck_has_its_stride_in_the_first_layer():
    strides = {
        where: [c.stride[0] for c in bottleneck(8, 8, stride=2, stride_in=where).residual if hasattr(c, "stride")]
        for where in ("1x1", "3x3")
    }
    assert strides == {"1x1": [2, 1, 1], "3x3": [1, 2, 1]}
    with pytest.raises(UsageError, match="stride_in"):
        bottleneck(8, 8, stride_in="2x2")
