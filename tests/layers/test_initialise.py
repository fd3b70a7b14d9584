"""First weights, rule by rule: their deviation, their bounds and their biases."""

import math

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers.connection_table import TableConv2d
from striate.layers.initialise import (
    INITS,
    first_weights_,
    gate_bias_,
    he_normal_,
    lecun_uniform_,
    normal_,
    uniform_,
    xavier_uniform_,
)
from striate.layers.shortcuts import Gate


@pytest.fixture
def layers() -> nn.Sequential:
    """A convolution of fan-in 144 and fan-out 288 and a dense layer of 200 inputs, biases set to one."""
    torch.manual_seed(0)
    chain = nn.Sequential(nn.Conv2d(16, 32, 3), nn.Linear(200, 100))
    for layer in chain:
        nn.init.ones_(layer.bias)
    return chain


def deviation(layer: nn.Module) -> float:
    return layer.weight.std().item()


def is_gaussian(layer: nn.Module) -> bool:
    """A third of a normal's values lie beyond one deviation, of a uniform's 42 %; and a few beyond two."""
    scaled = layer.weight.detach().flatten() / layer.weight.std()
    return 0.29 < (scaled.abs() > 1).float().mean() < 0.345 and (scaled.abs() > 2.2).any()


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 144), ("fan_out", 288)])
def test_he_is_normal_over_its_fan_and_leaves_dense_layers(mode, fan, layers):
    before = layers[1].weight.clone()
    he_normal_(layers, mode)
    assert deviation(layers[0]) == pytest.approx(math.sqrt(2 / fan), rel=0.03)
    assert is_gaussian(layers[0])
    assert layers[0].bias.eq(0).all()
    assert torch.equal(layers[1].weight, before)
    assert layers[1].bias.eq(1).all()


def test_he_goes_by_the_fan_out_unless_told(layers):
    he_normal_(layers)
    assert deviation(layers[0]) == pytest.approx(math.sqrt(2 / 288), rel=0.03)


def test_normal_is_for_dense_layers(layers):
    before = layers[0].weight.clone()
    normal_(layers)
    assert deviation(layers[1]) == pytest.approx(0.01, rel=0.03)
    assert layers[1].bias.eq(0).all()
    assert torch.equal(layers[0].weight, before)
    normal_(layers, 0.3)
    assert deviation(layers[1]) == pytest.approx(0.3, rel=0.03)


def test_xavier_is_uniform_over_both_fans(layers):
    xavier_uniform_(layers)
    for layer, fans in zip(layers, (144 + 288, 200 + 100), strict=True):
        bound = math.sqrt(6 / fans)
        assert 0.98 * bound < layer.weight.abs().max() <= bound
        assert deviation(layer) == pytest.approx(bound / math.sqrt(3), rel=0.03)
        assert layer.bias.eq(0).all()


#: The deviation that each rule gives a layer, and whether its values are a normal's, by hand.
RULES = {
    "he": (lambda fan_in, fan_out: math.sqrt(2 / fan_in), True),
    "gaussian": (lambda fan_in, fan_out: 0.01, True),
    "xavier": (lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)), False),
    "fan_in": (lambda fan_in, fan_out: 1 / fan_in / math.sqrt(3), False),
}


def test_every_rule_is_here():
    assert tuple(RULES) == INITS
    with pytest.raises(UsageError, match=r"^unknown init 'zeros'\. Known: fan_in, gaussian, he, xavier\.$"):
        first_weights_(nn.Linear(2, 2), "zeros")


@pytest.mark.parametrize("init", RULES)
def test_rules_by_name_take_both_kinds_of_layers(init, layers):
    first_weights_(layers, init)
    rule, is_normal = RULES[init]
    for layer, fans in zip(layers, ((144, 288), (200, 100)), strict=True):
        assert deviation(layer) == pytest.approx(rule(*fans), rel=0.03)
        assert is_gaussian(layer) == is_normal
        assert layer.bias.eq(0).all()


@pytest.mark.parametrize(
    ("init", "theirs"),
    [
        ("he", lambda weight: nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="relu")),
        ("gaussian", lambda weight: nn.init.normal_(weight, 0.0, 0.01)),
        ("xavier", nn.init.xavier_uniform_),
        ("fan_in", lambda weight: nn.init.uniform_(weight, -1 / weight[0].numel(), 1 / weight[0].numel())),
    ],
)
def test_rules_by_name_draw_what_torch_draws(init, theirs):
    ours = nn.Sequential(nn.Conv2d(8, 12, (3, 5), groups=4), nn.BatchNorm2d(12), nn.Linear(20, 10, bias=False))
    nn.init.uniform_(ours[1].weight)
    before, wanted = ours[1].weight.clone(), [ours[0].weight.detach().clone(), ours[2].weight.detach().clone()]
    torch.manual_seed(3)
    first_weights_(ours, init)
    torch.manual_seed(3)
    for layer, weight in zip((ours[0], ours[2]), wanted, strict=True):
        assert torch.equal(layer.weight, theirs(weight))
    assert torch.equal(ours[1].weight, before)  # a norm is no layer with a fan


@pytest.mark.parametrize("init", RULES)
def test_a_connection_table_has_the_fans_of_its_connections(init):
    """A map that sees one map, one that sees 200; an input map feeds 1.005 maps on the average."""
    torch.manual_seed(0)
    layer = TableConv2d([[0], range(200)], 200, 5)
    first_weights_(nn.Sequential(layer), init)
    few, many = layer.weight[:1], layer.weight[1:]
    rule, _ = RULES[init]
    fan_out = 25 * 201 / 200
    assert many.std().item() == pytest.approx(rule(25 * 200, fan_out), rel=0.03)
    assert few.std().item() == pytest.approx(rule(25, fan_out), rel=0.5)
    assert layer.bias.eq(0).all()


def test_rules_by_name_leave_gates_as_open_as_they_are():
    gate = Gate(4, 4)
    gate_bias_(gate, -3.0)
    before = gate.get_parameter("conv.weight").clone()
    first_weights_(nn.Sequential(gate), "xavier")
    assert gate.get_parameter("conv.bias").eq(-3).all()
    assert not torch.equal(gate.get_parameter("conv.weight"), before)


def test_uniform_has_one_bound_for_all(layers):
    uniform_(layers, 0.05)
    for layer in layers:
        for values in (layer.weight, layer.bias):
            assert 0.9 * 0.05 < values.abs().max() <= 0.05


def test_lecuns_bound_goes_by_the_fan_in(layers):
    lecun_uniform_(layers)
    for layer, fan_in in zip(layers, (144, 200), strict=True):
        assert 0.98 * 2.4 / fan_in < layer.weight.abs().max() <= 2.4 / fan_in
        assert 0.5 * 2.4 / fan_in < layer.bias.abs().max() <= 2.4 / fan_in


def test_gates_get_their_bias_and_nothing_else_does(layers):
    gate = Gate(4, 4)
    gate_bias_(nn.Sequential(gate, layers), -3.0)
    assert gate.get_parameter("conv.bias").eq(-3).all()
    assert layers[0].bias.eq(1).all()
