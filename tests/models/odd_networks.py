"""Networks with odd habits, as people write them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


class Functional(nn.Module):
    """Weights as bare parameters, functional calls, and a `view` that no map with its channels last survives."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.first = nn.Parameter(torch.randn(8, 3, 3, 3) * 0.2)
        self.second = nn.Parameter(torch.randn(16, 8, 3, 3) * 0.1)
        self.last = nn.Parameter(torch.randn(num_classes, 256) * 0.05)

    def forward(self, x):
        x = F.max_pool2d(F.relu_(F.conv2d(x, self.first, padding=1)), 2)
        x = F.adaptive_avg_pool2d(F.relu(F.conv2d(x, self.second, padding=1)), 4)
        x = F.dropout(x, 0.2, self.training)
        return F.linear(x.view(x.size(0), -1), self.last)


class TwoOutputs(nn.Module):
    """Logits and features; ten classes, whoever asks."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.last = nn.Linear(8, 10)

    def forward(self, x):
        features = self.body(x)
        return self.last(features), features


class TopPool(nn.Module):
    """The mean of the three largest values of each map."""

    def forward(self, x):
        return x.reshape(x.shape[0], x.shape[1], -1).topk(3).values.mean(-1)


def own_pool(num_classes, width=8):
    """A pool that no library has, in a chain without names."""
    layers = [nn.Conv2d(3, width, 5, stride=2), nn.GroupNorm(2, width), nn.SiLU(inplace=True), TopPool()]
    return nn.Sequential(*layers, nn.Linear(width, num_classes))


class OneDimensional(nn.Module):
    """Rows of the picture as one signal; outputs by name, the logits last."""

    def __init__(self, n_classes, in_channels=3):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(in_channels, 8, 9, stride=4),
            nn.BatchNorm1d(8),
            nn.Tanh(),
            nn.Conv1d(8, 8, 5, stride=2),
            nn.AdaptiveMaxPool1d(1),
        )
        self.fc = nn.Linear(8, n_classes)

    def forward(self, x):
        features = self.net(x.flatten(2)).squeeze(-1)
        return {"features": features, "logits": self.fc(features)}


def in_place():
    """Activations in place, and a 1x1 convolution for a classifier; five classes."""
    body = [nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, stride=2), nn.LeakyReLU(0.1, inplace=True)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 5, 1))


class Outputs(NamedTuple):
    """What a network with a second head makes."""

    logits: torch.Tensor
    side: torch.Tensor


class TwoHeads(nn.Module):
    """A second head while it trains, as GoogLeNet has."""

    def __init__(self, num_classes=3):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU())
        self.side = nn.Linear(4, num_classes)
        self.head = nn.Linear(4, num_classes)

    def forward(self, x):
        x = self.body(x).mean((2, 3))
        return Outputs(self.head(x), self.side(x)) if self.training else self.head(x)


class Tokens(nn.Module):
    """A transformer of two blocks on patches of 4 pixels, with a class token, for images of 16."""

    def __init__(self, num_classes=3):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.start = nn.Parameter(torch.zeros(1, 1, 8))
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True) for _ in range(2))
        self.fc = nn.Linear(8, num_classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.start.expand(len(x), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x)
        return self.fc(x[:, 0])
