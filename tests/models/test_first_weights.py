"""First weights as each family's paper or authors drew them: deviations of whole layers, by their own arithmetic."""

import math

import pytest
import torch
from torch import nn

from striate.models import create_model


def fan_in(weight: torch.Tensor) -> int:
    return weight[0].numel()


def fan_out(weight: torch.Tensor) -> int:
    return len(weight) * weight[0, 0].numel() if weight.dim() == 4 else len(weight)


def he_in(weight: torch.Tensor) -> float:
    return math.sqrt(2 / fan_in(weight))


def he_out(weight: torch.Tensor) -> float:
    return math.sqrt(2 / fan_out(weight))


def xavier(weight: torch.Tensor) -> float:
    return math.sqrt(2 / (fan_in(weight) + fan_out(weight)))


def lecun(weight: torch.Tensor) -> float:
    return 2.4 / fan_in(weight) / math.sqrt(3)


def torchs(weight: torch.Tensor) -> float:
    return 1 / math.sqrt(3 * fan_in(weight))


def constant(value: float):
    return lambda weight: value


#: Network: its options, deviation of convolutions (in one group), of dense layers (None where there are none).
RULES = {
    "lenet5": ({}, xavier, xavier),
    "lenet5_1998": ({}, lecun, lecun),
    "mcdnn_column": ({}, constant(0.05 / math.sqrt(3)), constant(0.05 / math.sqrt(3))),
    "alexnet": ({"input_size": 63, "init": "gaussian"}, constant(0.01), constant(0.01)),
    "vgg_a": ({"input_size": 32}, he_in, he_in),
    "nin": ({}, he_in, None),
    "all_cnn_c": ({}, he_in, None),
    "squeezenet1_1": ({}, he_in, None),
    "googlenet": ({"num_classes": 10}, he_in, torchs),
    "googlenet_bn": ({"num_classes": 10}, he_out, torchs),
    "resnet18": ({"num_classes": 10}, he_out, torchs),
    "resnet20_cifar": ({"num_classes": 100}, he_out, torchs),
    "mobilenet_v2": ({}, he_out, constant(0.01)),
    "keras_mnist": ({}, xavier, xavier),
    "cifar100_course": ({}, he_out, torchs),
}


@pytest.mark.parametrize("name", RULES)
def test_first_weights_have_the_deviation_of_their_rule(name):
    options, convolutions, dense = RULES[name]
    torch.manual_seed(0)
    model = create_model(name, **options)
    checked = {nn.Conv2d: 0, nn.Linear: 0}
    for layer in model.modules():
        rule = {nn.Conv2d: convolutions, nn.Linear: dense}.get(type(layer))
        if rule is None or layer.weight.numel() < 1000 or getattr(layer, "groups", 1) > 1:
            continue
        tolerance = 5 / math.sqrt(2 * layer.weight.numel())
        assert layer.weight.std().item() == pytest.approx(rule(layer.weight), rel=tolerance), layer
        assert abs(layer.weight.mean().item()) < 5 * rule(layer.weight) / math.sqrt(layer.weight.numel())
        checked[type(layer)] += 1
    assert checked[nn.Conv2d]
    assert bool(checked[nn.Linear]) == (dense is not None)
