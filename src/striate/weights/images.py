"""How publishers feed images to their networks: what holds for a file of weights that does not say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Images:
    """What was done with images before a publisher's networks saw them.

    Attributes:
        mean: per channel, on pixels in [0, 1].
        std: per channel, on pixels in [0, 1].
        interpolation: how they were resized, "bilinear" or "bicubic".
        blue_first: blue came before red.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bilinear"
    blue_first: bool = False


IMAGENET_STATISTICS = Images((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
#: From -1 to 1, as TensorFlow's authors have it.
HALVES = Images((0.5,) * 3, (0.5,) * 3)
#: From 0 to 255 less the mean, as Caffe has it.
CAFFE = Images((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3, blue_first=True)
#: timm resizes with bicubic interpolation; what it ported from TensorFlow, and all of its ViTs, it feeds from -1 to 1.
TIMM = Images(IMAGENET_STATISTICS.mean, IMAGENET_STATISTICS.std, "bicubic")
TIMM_HALVES = Images(HALVES.mean, HALVES.std, "bicubic")
