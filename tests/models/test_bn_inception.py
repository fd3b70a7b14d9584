"""BN-Inception: the maps of the paper's figure 5, its reproduction's count, its cost."""

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model

META = torch.device("meta")


def weightless(**arguments):
    with META:
        return create_model("bn_inception", **arguments)


def test_maps_of_figure_5():
    """Width and side of each module's map; 4c to 4e by the printed widths of their branches."""
    maps = weightless().feature_maps(torch.empty(1, 3, 224, 224, device=META))
    assert [tuple(y.shape[1:3]) for y in maps.values()] == [
        (256, 28),
        (320, 28),
        (576, 14),
        (576, 14),
        (576, 14),
        (608, 14),
        (608, 14),
        (1056, 7),
        (1024, 7),
        (1024, 7),
    ]


def test_count_is_the_reproductions_but_for_its_useless_biases():
    """Caffe's reproduction has 11,295,240 parameters, among them a bias under each batch norm."""
    model = weightless()
    biases = sum(layer.out_channels for layer in model.modules() if isinstance(layer, nn.Conv2d))
    assert sum(p.numel() for p in model.parameters()) + biases == 11_295_240


def test_cost_is_the_printed_2_billion():
    assert summary(weightless(), (3, 224, 224)).multiply_adds == pytest.approx(2.0e9, abs=0.05e9)


def test_strided_modules_pass_their_input_through():
    model = weightless()
    for key in ("3c", "4e"):
        module = model.stages.get_submodule(f"inception{key}")
        assert [name for name, _ in module.named_children()] == ["conv3x3", "double3x3", "pool"]
        assert not list(module.pool.parameters())


def test_small_stem_gives_a_28_pixel_image_the_papers_maps():
    sides = {}
    for size in (28, 224):
        model = weightless(input_size=size)
        maps = model.feature_maps(torch.empty(1, 3, size, size, device=META))
        sides[size] = [tuple(y.shape) for y in maps.values()]
    assert sides[28] == sides[224]


def test_impossible_dropout():
    with pytest.raises(UsageError, match="dropout"):
        create_model("bn_inception", dropout=2)
