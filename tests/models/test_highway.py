"""Highway networks: the papers' counts, the pass by hand, and gates that carry at first."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.layers import Gate, Highway
from striate.models import create_model, get_card


@pytest.mark.parametrize(("width", "printed"), [(16, "39 k"), (32, "151 k")])
def test_counts_on_mnist_are_the_papers_and_hand_computed(width, printed):
    """5x5 and eight pairs of 3x3 with biases, and a dense layer on 3x3 maps."""
    first, layer, last = 25 * width + width, 2 * (9 * width * width + width), 9 * width * 10 + 10
    card = get_card(f"highway10_w{width}_mnist")
    assert card.parameters == first + 8 * layer + last
    assert f"{card.parameters // 1000} k" in (printed, "38 k")
    assert [figure.number for figure in card.published if figure.metric == "parameters"] == [printed]


def test_count_on_cifar_is_hand_computed():
    def conv(i: int, o: int, k: int = 3) -> int:
        return k * k * i * o + o

    total = conv(3, 32) + 8 * conv(32, 32) + conv(32, 80) + 10 * conv(80, 80) + conv(80, 128) + 10 * conv(128, 128)
    assert get_card("highway19_cifar").parameters == total + conv(128, 100, 1) + 1010


def test_the_pass_is_the_authors():
    """Their Caffe model for MNIST as functions on our tensors."""
    model = create_model("highway10_w16_mnist").double().eval()
    x = torch.rand(2, 1, 28, 28, dtype=torch.float64)
    t = dict(model.state_dict())
    y = F.conv2d(x, t["stem.conv.weight"], t["stem.conv.bias"]).relu()
    sides = [y.shape[-1]]
    for stage, (layers, pool) in enumerate([(2, 3), (3, 3), (3, 2)], 1):
        for i in range(1, layers + 1):
            at = f"stages.stage{stage}.highway{i}"
            h = F.conv2d(y, t[f"{at}.transform.conv.weight"], t[f"{at}.transform.conv.bias"], padding=1).relu()
            g = F.conv2d(y, t[f"{at}.gate.conv.weight"], t[f"{at}.gate.conv.bias"], padding=1).sigmoid()
            y = h * g + y * (1 - g)
        y = F.max_pool2d(F.pad(y, (0, 1, 0, 1), value=-1e9) if pool == 3 else y, pool, 2)
        sides.append(y.shape[-1])
    assert sides == [24, 12, 6, 3]
    y = F.linear(y.flatten(1), t["head.classifier.weight"], t["head.classifier.bias"])
    torch.testing.assert_close(model(x), y)


def test_the_pass_of_the_network_for_cifar_is_the_authors():
    """Plain convolutions where the width changes, 2x2 pools behind the first two stages, 100 maps of 1x1 averaged."""
    torch.manual_seed(0)
    model = create_model("highway19_cifar").double().eval()
    x = torch.randn(2, 3, 22, 27, dtype=torch.float64)
    t = dict(model.state_dict())

    def convolved(y: torch.Tensor, key: str) -> torch.Tensor:
        weight = t[f"{key}.weight"]
        return F.conv2d(y, weight, t[f"{key}.bias"], padding=weight.shape[-1] // 2)

    y = convolved(x, "stem.conv").relu()
    for stage, layers in ((1, 4), (2, 5), (3, 5)):
        if stage > 1:
            y = convolved(y, f"stages.stage{stage}.conv").relu()
        for i in range(1, layers + 1):
            at = f"stages.stage{stage}.highway{i}"
            g = convolved(y, f"{at}.gate.conv").sigmoid()
            y = convolved(y, f"{at}.transform.conv").relu() * g + y * (1 - g)
        if stage < 3:
            y = F.max_pool2d(y, 2)
    y = convolved(y, "head.conv").relu().mean((2, 3))
    y = F.linear(y, t["head.classifier.weight"], t["head.classifier.bias"])
    torch.testing.assert_close(model(x), y)


@pytest.mark.parametrize(("name", "bias"), [("highway10_w16_mnist", -1.0), ("highway19_cifar", -2.0)])
def test_gates_begin_at_the_rows_bias_or_the_one_asked_for(name, bias):
    def biases(model: nn.Module) -> set[float]:
        return {value for m in model.modules() if isinstance(m, Gate) for value in m.conv.bias.tolist()}

    assert biases(create_model(name)) == {bias}
    assert biases(create_model(name, gate_bias=-3.0)) == {-3.0}
    assert biases(create_model(name, gate_bias=0.0)) == {0.0}
    assert biases(create_model(name, gate_bias=None)) == {bias}


@pytest.mark.parametrize(("name", "depth"), [("highway10_w32_mnist", 10), ("highway19_cifar", 19)])
def test_depth_is_the_names(name, depth):
    with torch.device("meta"):
        model = create_model(name)
    gates = sum(isinstance(m, Highway) for m in model.modules())
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) - gates == depth


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        (
            "highway10_w16_mnist",
            {"stem.dropout": 0.2, "stages.stage1.dropout": 0.3, "stages.stage2.dropout": 0.4, "head.dropout": 0.5},
        ),
        (
            "highway19_cifar",
            {"stem.dropout": 0.2, "stages.stage1.dropout": 0.2, "stages.stage2.dropout": 0.2, "head.dropout": 0.2},
        ),
    ],
)
def test_dropout_is_on_the_image_behind_pools_and_before_the_classifier_or_left_out(name, dropped):
    def layers(**options):
        with torch.device("meta"):
            model = create_model(name, **options)
        return model, {key: m.p for key, m in model.named_modules() if isinstance(m, nn.Dropout)}

    model, found = layers()
    assert found == dropped
    assert list(dict(model.stem.named_children())) == ["dropout", "conv", "act"]
    assert list(dict(model.stages.stage1.named_children()))[-2:] == ["pool", "dropout"]
    assert list(dict(model.head.named_children()))[-2:] == ["dropout", "classifier"]
    assert layers(dropout=False)[1] == {}


def test_deep_highways_let_the_gradient_through_where_plain_layers_do_not():
    """Forty layers with sigmoid transforms: the paper's point, at the first layer's gradient."""
    from striate.layers import gate_bias_, highway_conv

    torch.manual_seed(0)
    highways = nn.Sequential(*(highway_conv(4, 3, "sigmoid") for _ in range(40)))
    gate_bias_(highways, -2.0)
    plain = nn.Sequential(*(highway.transform for highway in highways))
    norms = []
    for net in (highways, plain):
        net.zero_grad()
        net(torch.randn(2, 4, 8, 8)).square().mean().backward()
        norms.append(highways[0].transform.conv.weight.grad.norm().item())
    assert norms[0] > 1e6 * norms[1]
