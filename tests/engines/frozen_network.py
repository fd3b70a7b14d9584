"""A small network to freeze, pictures for it, and their look."""

import numpy as np
import torch
from torch import nn

from striate.data import Preprocessing
from striate.engines import Frozen

LOOK = Preprocessing((40, 32), 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
PICTURES = np.random.default_rng(0).integers(0, 256, (7, 40, 32, 3), dtype=np.uint8)


def frozen(network: nn.Module, look: Preprocessing = LOOK) -> Frozen:
    return Frozen(network.eval(), look.normalise, look.size, look.channels, "a network")


def small() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )
    nn.init.uniform_(network[1].running_mean, -1, 1)
    nn.init.uniform_(network[1].running_var, 0.5, 2)
    return network.eval()
