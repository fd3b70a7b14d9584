"""A printed layer says its settings, those that were asked for and those that nobody asked for."""

import pytest
from torch import nn

from striate import layers
from striate.layers.branches import OverlappingPool
from striate.layers.conv import SamePool2d
from striate.layers.drop_path import DropPath
from striate.layers.hinge import HingeLoss
from striate.layers.local import LocallyConnected1d, LocallyConnected2d
from striate.layers.rbf import RBFLoss, RBFOutput
from striate.layers.shortcuts import ScaledAddition

PRINTED = [
    (layers.TrainableSubsampling(6), "TrainableSubsampling(6, kernel_size=2)"),
    (layers.TrainableSubsampling(4, 3), "TrainableSubsampling(4, kernel_size=3)"),
    (layers.TableConv2d([(0, 1), (2,)], 4, 5), "TableConv2d(4, 2, kernel_size=5, 3 of 8 connections)"),
    (layers.LocalResponseNorm(), "LocalResponseNorm(size=5, alpha=0.0001, beta=0.75, k=2)"),
    (
        layers.LocalResponseNorm(3, 2e-5, 0.5, 1.5, mean=True),
        "LocalResponseNorm(size=3, alpha=2e-05, beta=0.5, k=1.5, mean=True)",
    ),
    (layers.ChannelShuffle(3), "ChannelShuffle(groups=3)"),
    (layers.SumPool2d(2), "SumPool2d(kernel_size=2, stride=2, padding=0)"),
    (layers.SumPool2d(3, 2, 1), "SumPool2d(kernel_size=3, stride=2, padding=1)"),
    (layers.L2Pool2d(2), "L2Pool2d(kernel_size=2, stride=2, padding=0)"),
    (layers.L2Pool2d((3, 4), (1, 2), 1), "L2Pool2d(kernel_size=(3, 4), stride=(1, 2), padding=1)"),
    (layers.RoIPool(7), "RoIPool(output_size=(7, 7), spatial_scale=1, kind=pool)"),
    (layers.RoIPool((2, 3), 1 / 16, "align"), "RoIPool(output_size=(2, 3), spatial_scale=0.0625, kind=align)"),
    (SamePool2d("average", 3, 2), "SamePool2d(average, kernel_size=3, stride=2)"),
    (ScaledAddition(0.5, 1.0), "ScaledAddition(shortcut_scale=0.5, branch_scale=1)"),
    (RBFOutput(3), "RBFOutput(84, 3)"),
    (RBFLoss(), "RBFLoss(rubbish=84)"),
    (RBFLoss(2.5), "RBFLoss(rubbish=2.5)"),
    (OverlappingPool(4), "OverlappingPool(outputs=4)"),
    (HingeLoss(), "HingeLoss(one_versus_rest, margin=1, squared=False)"),
    (HingeLoss("crammer_singer", margin=0.5, squared=True), "HingeLoss(crammer_singer, margin=0.5, squared=True)"),
    (
        LocallyConnected1d(2, 3, 9, 4),
        "LocallyConnected1d(2, 3, input_size=(9,), kernel_size=(4,), stride=(1,), padding=(0,), bias=True)",
    ),
    (
        LocallyConnected2d(2, 3, (9, 8), (4, 3), stride=(2, 1), padding=(1, 0), bias=False),
        "LocallyConnected2d(2, 3, input_size=(9, 8), kernel_size=(4, 3), stride=(2, 1), padding=(1, 0), bias=False)",
    ),
    (DropPath(0.25), "DropPath(probability=0.25)"),
]


@pytest.mark.parametrize(("layer", "text"), PRINTED, ids=[text for _, text in PRINTED])
def test_a_layer_prints_its_settings(layer, text):
    assert str(layer) == text


def test_every_layer_with_settings_is_printed_here():
    """Whoever adds a layer that prints something adds a row."""
    own = {
        kind
        for kind in vars(layers).values()
        if isinstance(kind, type) and issubclass(kind, nn.Module) and "extra_repr" in vars(kind)
    }
    assert own
    assert own <= {type(layer) for layer, _ in PRINTED}
