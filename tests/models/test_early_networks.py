"""ZFNet, Network in Network, All-CNN and SqueezeNet: the map sizes, counts and order of layers that papers print."""

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.models import create_model, get_card


def shapes(name: str, side: int, **options) -> dict[str, tuple[int, ...]]:
    """Every leaf's output without the batch."""
    with torch.device("meta"):
        model = create_model(name, **options)
        return {row.name: row.output_shape[1:] for row in summary(model, (3, side, side)).rows}


def sizes(name: str, side: int) -> list[int]:
    """Sides of the maps behind each convolution and pool, without repetitions."""
    with torch.device("meta"):
        model = create_model(name)
    kinds = {key: type(layer).__name__ for key, layer in model.named_modules()}
    found = shapes(name, side)
    sides = [shape[1] for key, shape in found.items() if kinds.get(key) in ("Conv2d", "MaxPool2d", "AvgPool2d")]
    return [side for i, side in enumerate(sides) if i == 0 or sides[i - 1] != side]


def counts(name: str) -> list[int]:
    with torch.device("meta"):
        model = create_model(name)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return [sum(p.numel() for p in layer.parameters()) for layer in layers]


def test_zfnet_has_the_maps_of_the_papers_figure_3():
    assert sizes("zfnet", 224) == [110, 55, 26, 13, 6]
    found = shapes("zfnet", 224)
    widths = [found[f"{part}.conv"][0] for part in ("stem", *(f"stages.stage{n}" for n in range(2, 6)))]
    assert widths == [96, 256, 384, 384, 256]


def test_zfnet_rectifies_pools_and_then_normalises():
    with torch.device("meta"):
        model = create_model("zfnet")
    for part in (model.stem, model.stages.stage2):
        assert [key for key, _ in part.named_children()] == ["conv", "act", "pool", "norm"]
    # (7 * 7 * 3 + 1) * 96, (5 * 5 * 96 + 1) * 256, ...
    assert counts("zfnet") == [14_208, 614_656, 885_120, 1_327_488, 884_992, 37_752_832, 16_781_312, 4_097_000]


def test_nin_for_imagenet_has_the_maps_of_the_authors_model():
    """Caffe's 6x6 before the average: its pools round up."""
    assert sizes("nin", 224) == [54, 27, 13, 6]
    assert counts("nin") == [
        *(34_944, 9_312, 9_312),
        *(614_656, 65_792, 65_792),
        *(885_120, 147_840, 147_840),
        *(3_539_968, 1_049_600, 1_025_000),
    ]


def test_nin_for_cifar_has_the_maps_of_the_authors_model():
    assert sizes("nin_cifar", 32) == [32, 16, 8]
    assert counts("nin_cifar") == [14_592, 30_880, 15_456, 460_992, 37_056, 37_056, 331_968, 37_056, 1_930]
    with torch.device("meta"):
        model = create_model("nin_cifar")
    assert isinstance(model.stem.pool, nn.MaxPool2d)
    assert isinstance(model.stages.stage2.pool, nn.AvgPool2d)


@pytest.mark.parametrize(
    ("name", "side"), [("nin", 224), ("nin_cifar", 32), ("all_cnn_c", 32), ("squeezenet1_0", 224)], ids=str
)
def test_logits_are_averages_of_rectified_maps(name, side):
    with torch.device("meta"):
        model = create_model(name, num_classes=7)
    keys = [key for key, _ in model.head.named_children()]
    assert keys[-4:] == ["classifier", "act", "pool", "flatten"]
    small = create_model(name, num_classes=7).eval()
    smallest = small.min_size + 17
    x = torch.randn(2, 3, smallest, smallest)
    with torch.no_grad():
        maps = nn.functional.conv2d(small.features(x), small.head.classifier.weight, small.head.classifier.bias)
        torch.testing.assert_close(small(x), maps.clamp(min=0).mean((2, 3)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "convolutions", "strides", "pools"),
    [
        ("cnn_c", 7, [], 2),
        ("strided_cnn_c", 7, [2, 4], 0),
        ("convpool_cnn_c", 9, [], 2),
        ("all_cnn_c", 9, [3, 6], 0),
    ],
)
def test_all_cnn_has_the_papers_tables(name, convolutions, strides, pools):
    """Tables 1 and 2: where the strides are (counted from 1), and 6x6 places to average whatever halves the map."""
    with torch.device("meta"):
        model = create_model(name)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert len(layers) == convolutions
    assert [n for n, layer in enumerate(layers, 1) if layer.stride == (2, 2)] == strides
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in model.modules()) == pools
    assert sizes(name, 32) == [32, 16, 8, 6]
    assert [layer.out_channels for layer in layers[-3:]] == [192, 192, 10]
    assert [layer.kernel_size[0] for layer in layers] == [3] * (convolutions - 2) + [1, 1]


def test_all_cnn_drops_a_fifth_of_the_image_and_half_of_what_leaves_a_group():
    model = create_model("all_cnn_c")
    assert [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)] == [0.2, 0.5, 0.5]
    keys = [key for key, _ in model.stem.named_children()]
    assert (keys[0], keys[-1]) == ("dropout", "dropout_out")


@pytest.mark.parametrize("name", ["cnn_c", "strided_cnn_c"])
def test_where_the_papers_count_is_not_its_tables_the_card_says_so(name):
    card = get_card(name)
    (parameters,) = (figure for figure in card.published if figure.metric == "parameters")
    assert (parameters.value, parameters.printed) == (1.3e6, "1.3 M")
    assert card.parameters == 954_730
    assert "954,730" in card.errata[0].right


def test_squeezenet_has_the_papers_table_1():
    """Parameters of conv1, fire2 to fire9 and conv10 as printed, before pruning."""
    with torch.device("meta"):
        model = create_model("squeezenet1_0")
    fires = {key: module for key, module in model.named_modules() if "fire" in key.rpartition(".")[2]}
    printed = [11_920, 12_432, 45_344, 49_440, 104_880, 111_024, 188_992, 197_184]
    assert [sum(p.numel() for p in fire.parameters()) for fire in fires.values()] == printed
    assert [key.rpartition(".")[2] for key in fires] == [f"fire{n}" for n in range(2, 10)]
    assert sum(p.numel() for p in model.stem.parameters()) == 14_208
    assert sum(p.numel() for p in model.head.parameters()) == 513_000
    # the table's maps are those of 227 pixels
    assert sizes("squeezenet1_0", 227) == [111, 55, 27, 13]


def test_squeezenet_1_1_costs_two_point_three_times_less():
    with torch.device("meta"):
        costs = [summary(create_model(f"squeezenet1_{n}"), (3, 224, 224)).multiply_adds for n in (0, 1)]
    assert round(costs[0] / costs[1], 1) == 2.3


@pytest.mark.parametrize(
    ("name", "side", "last"),
    [
        ("zfnet", 28, 3),
        ("zfnet", 32, 4),
        ("zfnet", 64, 8),
        ("nin", 28, 3),
        ("nin", 64, 8),
        ("squeezenet1_0", 28, 3),
        ("squeezenet1_1", 32, 4),
    ],
)
def test_small_images_keep_their_rows_longer(name, side, last):
    with torch.device("meta"):
        model = create_model(name, input_size=side)
        assert model.spec.arguments["stem"] == "small"
        assert model.features(torch.empty(1, 3, side, side)).shape[2:] == (last, last)
