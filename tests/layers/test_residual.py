"""Residual blocks and shortcuts by hand and against torchvision's blocks."""

import pytest
import torch
import torch.nn.functional as F
import torchvision.models.resnet as theirs
from torch import nn

from striate.errors import UsageError
from striate.layers import ZeroPadShortcut, basic, bottleneck, make_shortcut
from striate.layers.residual import bottleneck_convolutions, norm_act, residual_block
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


#: Where the second paper's figure 4 puts norms and activations: of the input, in the branch, behind the addition.
FIGURE_4 = {
    "original": ([], ["conv1", "norm1", "act1", "conv2", "norm2"], ["act"]),
    "bn_after_addition": ([], ["conv1", "norm1", "act1", "conv2"], ["norm", "act"]),
    "relu_before_addition": ([], ["conv1", "norm1", "act1", "conv2", "norm2", "act2"], []),
    "relu_only_preactivation": (["act"], ["conv1", "norm1", "act1", "conv2", "norm2"], []),
    "full_preactivation": (["norm", "act"], ["conv1", "norm1", "act1", "conv2"], []),
}


def children(part: nn.Module | None) -> list[str]:
    if part is None:
        return []
    return [name for name, _ in part.named_children()] or ["act"]


@pytest.mark.parametrize("preactivation", ["own", "shared", "none"])
@pytest.mark.parametrize("placement", FIGURE_4)
def test_a_block_is_the_papers_figure_4(placement, preactivation):
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.Conv2d(6, 4, 1, bias=False)]
    doubled = nn.Conv2d(4, 4, 1, groups=4, bias=False)
    nn.init.constant_(doubled.weight, 2.0)
    block = residual_block(
        convolutions, doubled, placement=placement, preactivation=preactivation, activation="elu", norm_eps=0.25
    )
    before, branch, after = FIGURE_4[placement]
    before = [] if preactivation == "none" else before
    assert (children(block.before), children(block.residual), children(block.after)) == (before, branch, after)
    norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {0.25}
    for norm in norms:
        nn.init.uniform_(norm.bias)
    widths = {"norm1": 6, "norm2": 4}
    assert all(len(block.residual.get_submodule(name).weight) == widths[name] for name in branch if "norm" in name)
    block.eval()
    x = torch.randn(2, 4, 5, 5)

    def run(part: nn.Module, names: list[str], y: torch.Tensor) -> torch.Tensor:
        for name in names:
            if "act" in name:
                y = F.elu(y)
            elif "norm" in name:
                norm = part.get_submodule(name)
                y = y / (1 + 0.25) ** 0.5 + norm.bias.view(-1, 1, 1)
            else:
                y = part.get_submodule(name)(y)
        return y

    activated = run(block.before, before, x)
    carried = activated if before and preactivation == "shared" else x
    wanted = run(block.after, after, run(block.residual, branch, activated) + 2 * carried)
    torch.testing.assert_close(block(x), wanted)


@pytest.mark.parametrize("build", [basic, bottleneck])
@pytest.mark.parametrize(("width", "stride", "shared"), [(8, 1, False), (8, 2, True), (12, 1, True)])
def test_where_shapes_differ_the_shortcut_begins_behind_the_activation(build, width, stride, shared):
    options = {"out_channels": width} if build is bottleneck else {}
    block = build(8, width, stride=stride, placement="full_preactivation", **options)
    assert block.shared is shared
    for asked in ("own", "shared", "none"):
        told = build(8, width, stride=stride, placement="full_preactivation", preactivation=asked, **options)
        assert (told.shared, told.before is None) == (asked == "shared", asked == "none")
    # a projection of a pre-activated block has no norm of its own
    if shared:
        assert [name for name, _ in block.shortcut.named_children()] == ["conv"]
        assert [name for name, _ in build(8, width, stride=stride, **options).shortcut.named_children()] == [
            "conv",
            "norm",
        ]


@pytest.mark.parametrize("build", [basic, bottleneck])
def test_kinds_of_shortcuts_and_activations_reach_the_block(build):
    block = build(8, 8, shortcut="shortcut_gate", activation="elu", stride=2)
    assert isinstance(block.shortcut, ZeroPadShortcut)
    assert not block.addition.exclusive
    assert block.addition.gate.conv.stride == (2, 2)
    assert isinstance(block.residual.act1, nn.ELU)
    assert isinstance(block.after, nn.ELU)
    out = 8 if build is basic else 32
    x = torch.randn(2, 8, 6, 6)
    assert block(x).shape == (2, out, 3, 3)
    block.eval()
    wanted = F.elu(block.addition(x, block.shortcut(x), block.residual(x)))
    torch.testing.assert_close(block(x), wanted)
    plain = build(8, 8, shortcut="none").eval()
    assert plain.shortcut is None
    torch.testing.assert_close(plain(x), plain.residual(x).clamp(min=0))


def test_convolutions_of_a_bottleneck_by_their_numbers():
    rows = bottleneck_convolutions(8, 6, 20, groups=3, stride=2, stride_in="3x3", last_bias=True)
    assert [str(conv) for conv in rows] == [
        "Conv2d(8, 6, kernel_size=(1, 1), stride=(1, 1), bias=False)",
        "Conv2d(6, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=3, bias=False)",
        "Conv2d(6, 20, kernel_size=(1, 1), stride=(1, 1))",
    ]
    usual = bottleneck_convolutions(8, 6, 20, stride=2)
    assert [conv.stride[0] for conv in usual] == [2, 1, 1]
    assert usual[2].bias is None
    assert usual[1].groups == 1
    assert bottleneck(8, 6).residual.conv3.out_channels == 24
    assert bottleneck(8, 6, out_channels=10, groups=2).residual.conv2.groups == 2


def test_unknown_words_are_refused():
    with pytest.raises(UsageError, match="unknown placement 'orignal'"):
        basic(4, 4, placement="orignal")
    with pytest.raises(UsageError, match="unknown preactivation 'ours'"):
        basic(4, 4, preactivation="ours")
    assert children(norm_act(3, "relu")) == ["norm", "act"]
    assert children(norm_act(None, "relu")) == ["act"]
    assert norm_act(3, "relu").norm.eps == 1e-5
