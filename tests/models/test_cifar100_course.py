"""The CIFAR-100 course network: its printed counts, its receptive fields by hand, its options."""

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model, get_card


def total(**options: object) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in create_model("cifar100_course", **options).parameters())


def block(inputs: int, width: int) -> int:
    """1x3 and 3x1, twice, with biases."""
    return 3 * inputs * width + 3 * 3 * width * width + 4 * width


def test_the_printed_table_has_549156_parameters():
    blocks = block(3, 32) + block(32, 32) + block(32, 128) + block(128, 128)
    halvings = 9 * 32 * 32 + 32 + 9 * 128 * 128 + 128
    classifier = 128 * 100 + 100
    assert blocks + halvings + classifier == 549_156
    assert total(norm=False) == 549_156
    assert "549,156" in get_card("cifar100_course").errata[0].right


def test_batch_norms_add_a_scale_and_a_shift_per_map():
    """Four in each of the blocks and one in each Sub: 552,036 in all."""
    assert total() - total(norm=False) == 2 * (8 * 32 + 8 * 128 + 32 + 128)
    assert total() == 552_036


def test_a_sub_is_a_convolution_of_stride_2_a_norm_and_an_activation():
    with torch.device("meta"):
        model = create_model("cifar100_course")
        plain = create_model("cifar100_course", norm=False)
        bare = create_model("cifar100_course", subsampling="conv")
    for number, width in ((1, 32), (2, 128)):
        sub = model.get_submodule(f"stages.subsampling{number}")
        assert [type(layer).__name__ for layer in sub] == ["Conv2d", "BatchNorm2d", "ReLU"]
        assert (sub.conv.kernel_size, sub.conv.stride, sub.norm.num_features) == ((3, 3), (2, 2), width)
        assert [key for key, _ in plain.get_submodule(f"stages.subsampling{number}").named_children()] == [
            "conv",
            "act",
        ]
        assert type(bare.get_submodule(f"stages.subsampling{number}")) is nn.Conv2d


def test_fields_behind_each_part_are_5_9_11_19_27_31():
    with torch.device("meta"):
        model = create_model("cifar100_course")
    rows = summary(model, (3, 96, 96)).rows
    parts = ("stem", *(f"stages.{key}" for key, _ in model.stages.named_children()))
    last = [[row for row in rows if row.name.startswith(f"{part}.")][-1].receptive_field for part in parts]
    assert last == [(side, side) for side in (5, 9, 11, 19, 27, 31)]


def test_dropout_of_a_half_before_the_classifier():
    with torch.device("meta"):
        model = create_model("cifar100_course", dropout=0.5)
    layers = list(model.head.named_children())
    assert [key for key, _ in layers][-2:] == ["dropout", "classifier"]
    assert model.head.dropout.p == 0.5
    assert total(dropout=0.5) == total()


def test_pools_have_no_parameters():
    for kind in ("max", "average"):
        assert total(norm=False) - total(norm=False, subsampling=kind) == 9_248 + 147_584


def test_receptive_fields_by_hand():
    """A 1x3 adds two columns and a 3x1 two rows, at the stride so far; the halvings add two of each."""
    wanted, rows, columns, stride = [], 1, 1, 1
    for _ in range(2):
        for _ in range(4):
            columns += 2 * stride
            wanted.append((rows, columns))
            rows += 2 * stride
            wanted.append((rows, columns))
        rows, columns = rows + 2 * stride, columns + 2 * stride
        wanted.append((rows, columns))
        stride *= 2
    assert wanted[:4] == [(1, 3), (3, 3), (3, 5), (5, 5)]
    assert [wanted[i] for i in (7, 8, 16, 17)] == [(9, 9), (11, 11), (27, 27), (31, 31)]
    with torch.device("meta"):
        model = create_model("cifar100_course", norm=False)
    rows = summary(model, (3, 96, 96)).rows
    assert [row.receptive_field for row in rows if row.type == "Conv2d"] == wanted


def test_options_change_what_they_name():
    with torch.device("meta"):
        plain = create_model("cifar100_course", norm=False, subsampling="average", dropout=0.4, activation="elu")
    kinds = {type(module) for module in plain.modules()}
    assert nn.BatchNorm2d not in kinds
    assert nn.ReLU not in kinds
    assert {nn.ELU, nn.AvgPool2d, nn.Dropout} <= kinds
    assert plain.min_size == 4
    with pytest.raises(UsageError, match=r"unknown subsampling 'mean'"):
        create_model("cifar100_course", subsampling="mean")


@pytest.mark.parametrize("norm", [True, False])
def test_a_block_is_twice_a_row_and_a_column(norm):
    with torch.device("meta"):
        model = create_model("cifar100_course", norm=norm, activation="elu")
    for part, inputs, width in (
        (model.stem, 3, 32),
        (model.stages.block2_1, 32, 128),
        (model.stages.block2_2, 128, 128),
    ):
        layers = dict(part.named_children())
        assert list(layers) == [
            f"{kind}{n}" for n in (1, 2, 3, 4) for kind in (("conv", "norm", "act") if norm else ("conv", "act"))
        ]
        for number, kernel in enumerate(((1, 3), (3, 1), (1, 3), (3, 1)), 1):
            conv = layers[f"conv{number}"]
            assert (conv.in_channels, conv.out_channels) == (inputs if number == 1 else width, width)
            assert (conv.kernel_size, conv.padding) == (kernel, (kernel[0] // 2, kernel[1] // 2))
            assert conv.bias is not None
            assert isinstance(layers[f"act{number}"], nn.ELU)


def test_any_way_of_halving_halves_and_says_what_it_needs():
    for kind, layer, smallest, left in (
        ("max", nn.MaxPool2d, 4, 2),
        ("average", nn.AvgPool2d, 4, 2),
        ("conv", nn.Conv2d, 1, 3),
        ("sub", nn.Sequential, 1, 3),
    ):
        with torch.device("meta"):
            model = create_model("cifar100_course", subsampling=kind).eval()
            maps = model.feature_maps(torch.empty(1, 3, 11, 11))
        assert type(model.stages.subsampling1) is layer
        assert model.min_size == smallest
        assert maps["subsampling2"].shape[2:] == (left, left)
