"""Networks that look trained: random weights, and batch norms whose statistics are no longer the first ones."""

import pytest
import torch
from torch import nn

from striate.models import ConvNet, create_model


@pytest.fixture
def lived():
    """lived(name, **arguments): a network of 5 classes with weights, scales and statistics unlike the first ones."""

    def make(name: str, seed: int = 0, **arguments: object) -> ConvNet:
        torch.manual_seed(seed)
        model = create_model(name, **{"num_classes": 5, "input_size": 32, **arguments})
        with torch.no_grad():
            for layer in model.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.running_mean.normal_(0, 0.3)
                    layer.running_var.uniform_(0.5, 2)
                    layer.weight.uniform_(0.5, 1.5)
                    layer.bias.normal_(0, 0.3)
        return model.eval()

    return make
