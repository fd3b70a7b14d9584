"""MixNet: the mixed convolution against single ones, table 2."""

import pytest
import torch

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model
from striate.models.mixnet import MixedConv2d, shares


def test_the_first_part_has_what_is_left_over():
    assert shares(10, 4) == [4, 2, 2, 2]
    assert shares(240, 5) == [48] * 5


def test_each_part_has_a_kernel_of_its_own():
    torch.manual_seed(0)
    mixed = MixedConv2d(7, 7, (3, 5, 9), stride=2, depthwise=True)
    x = torch.randn(2, 7, 12, 11)
    parts = [
        torch.nn.functional.conv2d(x[:, a:b], conv.weight, stride=2, padding=k // 2, groups=b - a)
        for conv, k, a, b in zip(mixed, (3, 5, 9), (0, 3, 5), (3, 5, 7), strict=True)
    ]
    assert [p.shape[1] for p in parts] == [3, 2, 2]
    torch.testing.assert_close(mixed(x), torch.cat(parts, 1))


@pytest.mark.parametrize(("name", "parameters", "counted"), [("s", 4.1, 239), ("m", 5.0, 339), ("l", 7.3, 555)])
def test_figures_of_table_2(name, parameters, counted):
    """Parameters as printed; multiply-adds as PyTorch's own counter has them for timm's network (printed: more)."""
    with torch.device("meta"):
        model = create_model(f"mixnet_{name}")
    figures = summary(model, (3, 224, 224))
    assert figures.parameters / 1e6 == pytest.approx(parameters, abs=0.05)
    assert figures.multiply_adds / 1e6 == pytest.approx(counted, abs=0.5)


def test_small_images_keep_their_rows_longer():
    with torch.device("meta"):
        model = create_model("mixnet_s", input_size=48)
        assert model.features(torch.empty(1, 3, 48, 48)).shape == (1, 1536, 6, 6)


@pytest.mark.parametrize("option", [{"width": 0}, {"dropout": 1}, {"padding": "full"}])
def test_impossible_options_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        create_model("mixnet_s", **option)
