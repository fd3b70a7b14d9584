"""The deviation of first weights, layer by layer, against each family's rule: its smallest network, as it is built."""

import math
import statistics

import pytest
import torch
from torch import nn

from striate.models import ConvNet, create_model
from striate.models.catalogue import families

pytestmark = pytest.mark.sampled

#: Deviation of a layer's weights by its fan-in, its fan-out (with kernels, whatever the groups) and no more.
RULES = {
    "He, fan-in": lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    "He, fan-out": lambda fan_in, fan_out: math.sqrt(2 / fan_out),
    "Xavier": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    "PyTorch": lambda fan_in, fan_out: 1 / math.sqrt(3 * fan_in),
    "0.01": lambda fan_in, fan_out: 0.01,
    "+-0.05": lambda fan_in, fan_out: 0.05 / math.sqrt(3),
    "LeCun": lambda fan_in, fan_out: 2.4 / fan_in / math.sqrt(3),
}
CHAIN, RESIDUAL = ("He, fan-in", "He, fan-in"), ("He, fan-out", "PyTorch")
#: Family: the rule of its convolutions and that of its classifier.
FAMILIES = {
    "lenet": ("Xavier", "Xavier"),
    "lenet5_1998": ("LeCun", None),
    "mcdnn": ("+-0.05", "+-0.05"),
    "keras_examples": ("Xavier", "Xavier"),
    "cifar100_course": RESIDUAL,
    "small": ("PyTorch", "PyTorch"),
    "alexnet": CHAIN,
    "zfnet": CHAIN,
    "nin": CHAIN,
    "vgg": CHAIN,
    "all_cnn": CHAIN,
    "resnet": RESIDUAL,
    "resnet_cifar": RESIDUAL,
    "resnet_v2": RESIDUAL,
    "resnext": RESIDUAL,
    "wide_resnet": RESIDUAL,
    "densenet": RESIDUAL,
    "highway": ("Xavier", "Xavier"),
    "mobilenet_v1": ("He, fan-out", "0.01"),
    "mobilenet_v2": ("He, fan-out", "0.01"),
    "efficientnet": RESIDUAL,
    "efficientnet_lite": RESIDUAL,
    "mixnet": RESIDUAL,
    "shufflenet_v1": RESIDUAL,
    "shufflenet_v2": RESIDUAL,
    "googlenet": ("He, fan-in", "PyTorch"),
    "bn_inception": RESIDUAL,
    "inception_v3": RESIDUAL,
    "inception_v4": RESIDUAL,
    "inception_resnet": RESIDUAL,
    "xception": RESIDUAL,
    "nasnet": RESIDUAL,
    "vit": ("He, fan-out", "0.01"),
    "squeezenet": CHAIN,
}


def ratio(layer: nn.Conv2d | nn.Linear, rule: str) -> float:
    """How the measured deviation compares with the rule's."""
    weight = layer.weight.detach()
    fan_in, fan_out = weight[0].numel(), len(weight) * weight[0, 0].numel()
    return weight.std().item() / RULES[rule](fan_in, fan_out)


def built(family: str) -> ConvNet:
    """The family's smallest network, of 100 classes; those with large dense layers for the smallest image."""
    card = min(families()[family].cards, key=lambda card: card.parameters)
    torch.manual_seed(0)
    size = {"input_size": card.min_size} if card.fixed_size and card.parameters > 10**7 else {}
    return create_model(card.name, num_classes=10 if family == "lenet5_1998" else 100, **size)


def test_every_family_has_a_row():
    assert list(FAMILIES) == list(families())


@pytest.mark.parametrize("family", FAMILIES)
def test_first_weights_spread_as_the_family_has_them(family):
    model = built(family)
    of_convolutions, of_classifier = FAMILIES[family]
    classifier = model.head.get_submodule("classifier")
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m is not classifier]
    if of_convolutions.startswith("He"):
        assert not any(layer.bias is not None and layer.bias.any() for layer in layers)
    ratios = [ratio(layer, of_convolutions) for layer in layers if layer.weight.numel() >= 1000]
    assert statistics.median(ratios) == pytest.approx(1, abs=0.05)
    assert sum(0.9 < value < 1.1 for value in ratios) >= 0.95 * len(ratios)
    if of_classifier is not None:
        assert ratio(classifier, of_classifier) == pytest.approx(1, abs=0.06)
