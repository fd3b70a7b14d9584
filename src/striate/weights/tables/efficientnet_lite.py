"""EfficientNet-Lite: timm, which names its layers as EfficientNet's and feeds the authors' networks from -1 to 1."""

from __future__ import annotations

from dataclasses import replace

from striate.weights.images import TIMM_HALVES
from striate.weights.tables import efficientnet

TABLES = {"timm": replace(efficientnet.TABLES["timm"], images=TIMM_HALVES)}
