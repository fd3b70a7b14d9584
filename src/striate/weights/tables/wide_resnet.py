"""Wide ResNet: torchvision and timm, who name its tensors as a ResNet's."""

from __future__ import annotations

from striate.weights.tables.resnet import TORCHVISION

TABLES = {"torchvision": TORCHVISION, "timm": TORCHVISION}
