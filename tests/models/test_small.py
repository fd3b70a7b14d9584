"""striate's own small networks, layer by layer, and the residual pair by hand."""

import pytest
import torch
from torch import nn

from striate.layers import ConvNormAct
from striate.models import InputError, create_model
from striate.models.small import ResidualPair


@pytest.mark.parametrize(
    ("name", "stem", "stages"),
    [
        ("striate_s", (1, 16, 5, 2), {"stage1": (16, 32, True), "stage2": (32, 64, False)}),
        ("striate_m", (1, 32, 5, 2), {"stage1": (32, 64, True), "stage2": (64, 128, False)}),
        (
            "striate_l",
            (3, 16, 3, 1),
            {"stage1": (16, 32, True), "stage2": (32, 64, True), "stage3": (64, 128, True)},
        ),
    ],
)
def test_layers_of_the_rows(name, stem, stages):
    with torch.device("meta"):
        model = create_model(name, activation="elu")
    conv = model.stem.conv
    assert (conv.in_channels, conv.out_channels, conv.kernel_size[0], conv.stride[0]) == stem
    assert conv.padding[0] == conv.kernel_size[0] // 2
    assert [name for name, _ in model.stages.named_children()] == list(stages)
    for key, (before, width, pair) in stages.items():
        stage = model.stages.get_submodule(key)
        assert [name for name, _ in stage.named_children()] == ["pool", "conv", *(["pair"] if pair else [])]
        assert str(stage.pool) == str(nn.MaxPool2d(2))
        convolutions = [m for m in stage.modules() if isinstance(m, nn.Conv2d)]
        assert [(c.in_channels, c.out_channels) for c in convolutions] == [
            (before, width),
            *[(width, width)] * (2 * pair),
        ]
        assert {(c.kernel_size, c.stride, c.padding) for c in convolutions} == {((3, 3), (1, 1), (1, 1))}
    units = [m for m in model.modules() if isinstance(m, ConvNormAct)]
    assert all(isinstance(unit.act, nn.ELU) for unit in units)
    assert isinstance(model.head.pool, nn.AdaptiveMaxPool2d)
    assert model.head.classifier.in_features == width


def test_a_pair_adds_two_convolutions_of_its_input_and_nothing_follows():
    pair = ResidualPair(4, "relu").eval()
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(pair(x), x + pair.second(pair.first(x)))
    assert (pair(x) < 0).any()


@pytest.mark.parametrize(("name", "smallest"), [("striate_s", 7), ("striate_m", 7), ("striate_l", 8)])
def test_the_smallest_image(name, smallest):
    with torch.device("meta"):
        model = create_model(name).eval()
        x = torch.empty(1, model.in_channels, smallest, smallest)
        assert model.features(x).shape[2:] == (1, 1)
        with pytest.raises(InputError, match=f"{smallest}x{smallest}"):
            model(x[..., 1:])
