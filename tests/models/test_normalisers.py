"""What normalises, and by which constants: those that neither a weight shows nor a batch norm's answer."""

import pytest
import torch
from torch import nn

from striate.layers import LocalResponseNorm
from striate.models import create_model
from striate.models.catalogue import families

#: AlexNet's section 3.3 (n, alpha, beta, k): alpha of the sum. GoogLeNet's is Caffe's layer with its own k of 1.
LOCAL = {
    "alexnet": (5, 1e-4, 0.75, 2.0, False),
    "alexnet_ungrouped": (5, 1e-4, 0.75, 2.0, False),
    "zfnet": (5, 1e-4, 0.75, 2.0, False),
    "vgg_a_lrn": (5, 1e-4, 0.75, 2.0, False),
    "googlenet": (5, 1e-4, 0.75, 1.0, True),
}
#: How much of each batch a running average takes, where it is not PyTorch's tenth: the widest EfficientNets, and Lite.
MOMENTUM = dict.fromkeys(("efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_lite0"), 0.01)
#: Epsilon of batch and layer norms where it is not PyTorch's 1e-5 but that of the authors' code, or Keras's.
EPSILONS = {
    **dict.fromkeys(MOMENTUM, 1e-3),
    **dict.fromkeys(("googlenet_torchvision", "inception_v2", "inception_v3", "inception_v4"), 1e-3),
    **dict.fromkeys(("inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2_released"), 1e-3),
    **dict.fromkeys(("nasnet_cifar", "nasnet_mobile"), 1e-3),
    "resnet50_v2_keras": 1.001e-5,
    "vit_ti_16": 1e-6,
}
SMALLEST = [min(family.cards, key=lambda card: card.parameters).name for family in families().values()]


@pytest.mark.parametrize("name", sorted({*SMALLEST, *LOCAL, "efficientnet_b4", *MOMENTUM, *EPSILONS}))
def test_constants_of_normalisation_are_the_papers(name):
    with torch.device("meta"):
        model = create_model(name)
    local = [layer for layer in model.modules() if isinstance(layer, LocalResponseNorm)]
    assert {(n.size, n.alpha, n.beta, n.k, n.mean) for n in local} == ({LOCAL[name]} if name in LOCAL else set())
    batch = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert {layer.momentum for layer in batch} <= {MOMENTUM.get(name, 0.1)}
    assert batch or name not in MOMENTUM
    assert all(layer.track_running_stats for layer in batch)
    norms = [*batch, *(layer for layer in model.modules() if isinstance(layer, nn.LayerNorm))]
    assert {layer.eps for layer in norms} <= {EPSILONS.get(name, 1e-5)}
    assert norms or name not in EPSILONS
