"""Activations by name against their formulas."""

import math

import pytest
import torch

from striate.errors import UsageError
from striate.layers import ACTIVATIONS, ScaledTanh, activation

#: Each function as its paper writes it.
FORMULAS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "scaled_tanh": lambda x: 1.7159 * math.tanh(2 * x / 3),
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "relu6": lambda x: min(max(x, 0), 6),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "identity": lambda x: x,
}


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_formula(name):
    points = [-7.0, -1.5, -0.1, 0.0, 0.1, 1.5, 7.0]
    y = activation(name)(torch.tensor(points, dtype=torch.float64))
    assert y.tolist() == pytest.approx([FORMULAS[name](x) for x in points])


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_are_new_and_leave_their_input_alone(name):
    assert activation(name) is not activation(name)
    x = torch.randn(3, 4)
    before = x.clone()
    activation(name)(x)
    assert torch.equal(x, before)


def test_scaled_tanh_maps_one_to_one():
    y = ScaledTanh()(torch.tensor([1.0, -1.0, 0.5]))
    assert y.tolist() == pytest.approx([1.0, -1.0, 1.7159 * math.tanh(1 / 3)], abs=1e-4)


def test_unknown_activation_is_named():
    with pytest.raises(UsageError, match="'relu'"):
        activation("rellu")
