"""What residual networks share: stems in all forms, stages, first weights, Keras's habits."""

import itertools

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import Gate, basic
from striate.models.residual_stages import keras_habits_, large_stem, residual_network, stack


@pytest.mark.parametrize(("small", "norm", "zeros", "bias"), itertools.product([False, True], repeat=4))
def test_a_stem_has_these_layers(small, norm, zeros, bias):
    stem = large_stem(5, small=small, norm=norm, activation="elu", bias=bias, zero_padded_pool=zeros)
    kernel, stride, padding = (3, 1, 1) if small else (7, 2, 3)
    conv = f"kernel_size=({kernel}, {kernel}), stride=({stride}, {stride}), padding=({padding}, {padding})"
    wanted = [("conv", f"Conv2d(5, 64, {conv}{'' if bias else ', bias=False'})")]
    if norm:
        wanted += [("norm", str(nn.BatchNorm2d(64))), ("act", "ELU(alpha=1.0)")]
    if not small:
        wanted += [("pad", "ZeroPad2d((1, 1, 1, 1))")] if zeros else []
        wanted += [("pool", str(nn.MaxPool2d(3, 2, 0 if zeros else 1)))]
    assert [(name, str(layer)) for name, layer in stem.named_children()] == wanted


def test_a_stem_is_the_papers_unless_told():
    stem = large_stem(3)
    assert [name for name, _ in stem.named_children()] == ["conv", "norm", "act", "pool"]
    assert isinstance(stem.act, nn.ReLU)
    assert stem.conv.bias is None
    assert stem(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 8, 8)


def test_zeros_around_the_map_take_part_in_the_maxima():
    stem = large_stem(1, zero_padded_pool=True, norm=False)
    nn.init.constant_(stem.conv.weight, -1.0)
    assert stem(torch.ones(1, 1, 32, 32))[0, 0, 0, 0] == 0
    plain = large_stem(1, norm=False)
    nn.init.constant_(plain.conv.weight, -1.0)
    assert plain(torch.ones(1, 1, 32, 32))[0, 0, 0, 0] < 0


def test_the_first_block_of_each_but_the_first_stage_halves():
    asked = []

    def block(*numbers):
        asked.append(numbers)
        return nn.Identity()

    stages = stack(block, 16, (24, 32, 40), (2, 1, 3))
    assert asked == [(16, 24, 1), (24, 24, 1), (24, 32, 2), (32, 40, 2), (40, 40, 1), (40, 40, 1)]
    assert {name: len(stage) for name, stage in stages.items()} == {"stage1": 2, "stage2": 1, "stage3": 3}
    with pytest.raises(ValueError, match="zip"):
        stack(block, 16, (24, 32), (1,))


def network(shortcut="B", placement="original", **options):
    def block(channels, width, stride):
        return basic(channels, width, stride=stride, shortcut=shortcut, placement=placement)

    torch.manual_seed(0)
    stem = large_stem(2, small=True)
    return residual_network(stem, stack(block, 64, (64, 32), (1, 1)), 32, num_classes=7, in_channels=2, **options)


def test_a_network_of_these_parts():
    model = network()
    assert (model.in_channels, model.num_classes, model.num_features) == (2, 7, 32)
    assert [name for name, _ in model.head.named_children()] == ["pool", "flatten", "classifier"]
    conv = model.stages.stage1[0].residual.conv1.weight  # fan-out 64 * 9
    assert conv.std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.03)
    assert all(block.residual.norm2.weight.eq(1).all() for stage in model.stages for block in stage)


def test_blocks_that_start_as_their_shortcuts():
    model = network(zero_init_residual=True)
    assert all(block.residual.norm2.weight.eq(0).all() for stage in model.stages for block in stage)
    with pytest.raises(UsageError, match="end in a convolution"):
        network(placement="full_preactivation", zero_init_residual=True)


@pytest.mark.parametrize(("options", "bias"), [({}, -6.0), ({"gate_bias": -1.5}, -1.5)])
def test_gates_start_with_the_bias(options, bias):
    gates = [m for m in network("shortcut_gate", **options).modules() if isinstance(m, Gate)]
    assert len(gates) == 2
    assert all(gate.conv.bias.eq(bias).all() for gate in gates)


@pytest.mark.parametrize("conv_bias", [True, False])
def test_keras_habits(conv_bias):
    model = nn.Sequential(nn.Conv2d(2, 3, 1, bias=False), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.Linear(4, 4, False))
    kept = model[2].bias
    keras_habits_(model.double(), conv_bias=conv_bias, norm_eps=0.01)
    assert model[1].eps == 0.01
    assert model[2].bias is kept
    assert model[3].bias is None
    if conv_bias:
        assert torch.equal(model[0].bias, torch.zeros(3, dtype=torch.float64))
        assert model[0].bias.requires_grad
    else:
        assert model[0].bias is None
