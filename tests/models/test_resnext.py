"""ResNeXt and Wide ResNet: the papers' tables, and torchvision's blocks."""

import pytest
import torch
import torchvision

from striate.models import create_model


def shapes(name: str) -> list[tuple[int, ...]]:
    with torch.device("meta"):
        model = create_model(name)
    return [tuple(stage[0].residual.conv2.weight.shape) for stage in model.stages]


def test_groups_and_widths_are_table_1s():
    """32x4d: 32 groups of 4, 8, 16, 32 channels; the weights of a 3x3 see their group alone."""
    assert shapes("resnext50_32x4d") == [(128, 4, 3, 3), (256, 8, 3, 3), (512, 16, 3, 3), (1024, 32, 3, 3)]
    assert shapes("resnext101_64x4d")[0] == (256, 4, 3, 3)
    assert shapes("resnext101_32x8d")[-1] == (2048, 64, 3, 3)


def test_wide_networks_double_the_3x3s_and_nothing_else():
    assert shapes("wide_resnet50_2") == [(2 * w, 2 * w, 3, 3) for w in (64, 128, 256, 512)]
    with torch.device("meta"):
        assert create_model("wide_resnet50_2").num_features == create_model("resnet50").num_features


@pytest.mark.parametrize(("groups", "width"), [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)])
def test_table_2s_widths_cost_about_the_same(groups, width):
    """The paper's table 2: cardinality against width at the same 70 k parameters of a block of the first stage."""
    channels = groups * width
    parameters = 256 * channels + 9 * channels * width + channels * 256
    assert parameters == pytest.approx(70_000, rel=0.03)


@pytest.mark.parametrize("name", ["resnext50_32x4d", "wide_resnet50_2"])
def test_the_stride_can_go_into_the_1x1(name):
    with torch.device("meta"):
        block = create_model(name, stride_in="1x1").stages.stage2[0].residual
    assert (block.conv1.stride, block.conv2.stride) == ((2, 2), (1, 1))


@pytest.mark.parametrize("name", ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet101_2"])
def test_parameters_stand_in_torchvisions_order(name):
    with torch.device("meta"):
        ours = create_model(name)
        theirs = torchvision.models.get_model(name)
    assert sorted(tuple(p.shape) for p in ours.parameters()) == sorted(tuple(p.shape) for p in theirs.parameters())
