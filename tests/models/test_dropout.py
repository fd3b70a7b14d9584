"""How much each network drops while it trains: rates of dropout from its first layer to its last, and of drop path."""

from fnmatch import fnmatch

import pytest
import torch
from torch import nn

from striate.layers import DropPath, InvertedResidual
from striate.models import create_model, get_card, list_models

pytestmark = pytest.mark.sampled

#: Patterns of names, the first that fits counts: rates as papers, or their authors' code, have them.
RATES = {
    "alexnet*": [0.5, 0.5],
    "zfnet": [0.5, 0.5],
    "vgg16_cats_dogs": [],
    "vgg*": [0.5, 0.5],
    "nin": [0.5],
    "nin_cifar": [0.5, 0.5],
    "*cnn_c": [0.2, 0.5, 0.5],
    "googlenet_torchvision": [0.2, 0.7, 0.7],
    "googlenet_d2l": [0.7, 0.7],
    "googlenet*": [0.4, 0.7, 0.7],
    "inception_*": [0.2],
    "xception": [0.5],
    "nasnet_cifar": [],
    "nasnet_*": [0.5],
    "squeezenet*": [0.5],
    "mobilenet_v1*": [0.001],
    "mobilenet_v2*": [0.2],
    "mixnet_s": [0.2],
    "mixnet_*": [0.25],
    "efficientnet_b[01]": [0.2],
    "efficientnet_b[23]": [0.3],
    "efficientnet_b[45]": [0.4],
    "efficientnet_b[67]": [0.5],
    "efficientnet_lite[01]": [0.2],
    "efficientnet_lite[234]": [0.3],
    "highway10_*": [0.2, 0.3, 0.4, 0.5],
    "highway19_*": [0.2, 0.2, 0.2, 0.2],
    "*": [],
}


def rates_of(model: nn.Module) -> list[float]:
    return sorted(layer.p for layer in model.modules() if isinstance(layer, nn.Dropout | nn.Dropout2d) and layer.p)


@pytest.mark.parametrize("name", list_models())
def test_dropout_has_the_papers_rates(name):
    expected = next(rates for pattern, rates in RATES.items() if fnmatch(name, pattern))
    with torch.device("meta"):
        model = create_model(name, **({"auxiliary": True} if get_card(name).auxiliary_weight else {}))
    assert rates_of(model) == expected


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b7", "efficientnet_lite2"])
def test_drop_path_grows_with_depth_to_a_fifth(name):
    """Block i of n in all is left out with 0.2 i / n, those without a shortcut never (Tan & Le's code)."""
    with torch.device("meta"):
        blocks = [layer for layer in create_model(name).modules() if isinstance(layer, InvertedResidual)]
    rates = [
        next((layer.probability for layer in block.modules() if isinstance(layer, DropPath)), 0) for block in blocks
    ]
    kept = [0.2 * number / len(blocks) if rate else 0 for number, rate in enumerate(rates)]
    assert rates == pytest.approx(kept)
    assert (
        sum(rate > 0 for rate in rates) == {"efficientnet_b0": 9, "efficientnet_b7": 48, "efficientnet_lite2": 14}[name]
    )
