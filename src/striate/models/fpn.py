"""Feature pyramid: maps of every scale with the meaning of the last (Lin et al., 2016, arXiv:1612.03144).

The last map of each stride of a backbone goes through a 1x1 convolution to one width (lateral); from the coarsest
down each is added to the next finer one, enlarged to its size (top-down); a 3x3 convolution smooths each sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError, unknown
from striate.layers import activation as make_activation
from striate.models.catalogue import get_card
from striate.models.convnet import ConvNet

#: Coarser levels beyond the backbone's: none, every second pixel of the coarsest (the FPN paper's P6), or two
#: convolutions of stride 2 (RetinaNet's P6 and P7, Lin et al., 2017, arXiv:1708.02002, section 4).
EXTRAS = ("pool", "p6p7")


class FeaturePyramid(nn.Module):
    """Any network of the catalogue with a pyramid in place of its head.

    The levels are the last feature map of each stride, found by running the backbone without weights; strides are
    rounded to powers of two, so that maps which only lost their border stay on their level. A network whose maps
    have one stride gets one level, which the pyramid only smooths.

    Attributes:
        backbone: the network; freezing, `parts` and the checks of an input are its own, its heads are not used.
        levels: names of the backbone's stages that the maps come from, the finest first.
        strides: pixels of the image per pixel of each map, to a power of two, extra levels included.
        channels: of every map.
    """

    def __init__(
        self,
        backbone: ConvNet,
        channels: int = 256,
        levels: Sequence[str] | None = None,
        extra: str | None = None,
        input_size: int | tuple[int, int] | None = None,
    ) -> None:
        """Build the pyramid on `backbone`.

        Args:
            backbone: a network of the catalogue, or a ConvNet of one's own.
            channels: of every map of the pyramid; the paper has 256.
            levels: names of stages to take, by default the last of each stride.
            extra: "pool" or "p6p7", see `EXTRAS`.
            input_size: image side, or (height, width), at which strides are measured: by default what the network
                was built for, else its card's.

        Raises:
            UsageError: no such stage or extra level, stages out of order, or fewer than one channel.
            InputError: `input_size` is smaller than the network can work on.
        """
        super().__init__()
        if channels < 1:
            raise UsageError(f"channels is {channels}; a pyramid needs at least 1")
        if extra is not None and extra not in EXTRAS:
            raise unknown("extra level", extra, EXTRAS)
        size = _size(backbone, input_size)
        shapes = _shapes(backbone, size)
        self.levels = tuple(levels) if levels is not None else _last_of_each_stride(size, shapes)
        _check_levels(backbone, self.levels, shapes)
        self.backbone = backbone
        self.channels = channels
        self.extra = extra
        self.lateral = nn.ModuleDict({name: nn.Conv2d(shapes[name][1], channels, 1) for name in self.levels})
        self.smooth = nn.ModuleDict({name: nn.Conv2d(channels, channels, 3, padding=1) for name in self.levels})
        strides = {name: _stride(size, shape) for name, shape in shapes.items()}
        self.strides = {name: strides[name] for name in self.levels}
        coarsest, extras = self.levels[-1], {None: (), "pool": ("p6",), "p6p7": ("p6", "p7")}[extra]
        self.strides |= {name: strides[coarsest] * 2**power for power, name in enumerate(extras, 1)}
        added: list[nn.Module] = [*self.lateral.values(), *self.smooth.values()]
        if extra == "p6p7":
            # RetinaNet's P6 comes from the backbone's map; from the pyramid's where both are equally wide
            self.p6_from_pyramid = shapes[coarsest][1] == channels
            self.p6 = nn.Conv2d(shapes[coarsest][1], channels, 3, stride=2, padding=1)
            self.act = make_activation("relu")
            self.p7 = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
            added += [self.p6, self.p7]
        for layer in added:
            assert isinstance(layer, nn.Conv2d)
            nn.init.kaiming_uniform_(layer.weight, a=1)  # variance 1 / fan_in
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Images (N, C, H, W) to maps (N, channels, h, w) by the name of their stage, the finest first.

        Extra levels follow as "p6" and "p7".

        Raises:
            InputError: as the backbone's `features`.
        """
        maps = self.backbone.feature_maps(x)
        sums: dict[str, Tensor] = {}
        above: Tensor | None = None
        for name in reversed(self.levels):
            here = self.lateral[name](maps[name])
            above = here if above is None else here + F.interpolate(above, size=here.shape[2:], mode="nearest")
            sums[name] = above
        pyramid = {name: self.smooth[name](sums[name]) for name in self.levels}
        coarsest = self.levels[-1]
        if self.extra == "pool":
            pyramid["p6"] = F.max_pool2d(pyramid[coarsest], 1, stride=2)
        elif self.extra == "p6p7":
            pyramid["p6"] = self.p6(pyramid[coarsest] if self.p6_from_pyramid else maps[coarsest])
            pyramid["p7"] = self.p7(self.act(pyramid["p6"]))
        return pyramid

    def freeze(self, until: str = "all") -> FeaturePyramid:
        """Freeze the backbone's stem and stages up to and with `until`, as `ConvNet.freeze`; the pyramid trains."""
        self.backbone.freeze(until)
        return self

    def unfreeze(self) -> FeaturePyramid:
        """Let every part train again."""
        self.backbone.unfreeze()
        return self


def _size(backbone: ConvNet, input_size: int | tuple[int, int] | None) -> tuple[int, int]:
    if input_size is not None:
        return (input_size, input_size) if isinstance(input_size, int) else (input_size[0], input_size[1])
    if backbone.fixed_size is not None:
        return backbone.fixed_size
    built: Any = backbone.spec.arguments.get("input_size")
    if built is not None:
        return (built[0], built[1])
    if not backbone.spec.arguments:
        raise UsageError("the network is not of the catalogue; say which size of image it is for: input_size=224")
    side = get_card(backbone.spec.name).input_size
    return side, side


def _shapes(backbone: ConvNet, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Shape of every stage's map, without computing any."""
    from striate.analysis.weightless import weightless

    twin = weightless(backbone).eval()
    with torch.no_grad():
        maps = twin.feature_maps(torch.empty(1, backbone.in_channels, *size, device="meta"))  # type: ignore[operator]
    return {name: tuple(y.shape) for name, y in maps.items()}


def _stride(size: tuple[int, int], shape: tuple[int, ...]) -> int:
    """Pixels of the image per pixel of the map, along its longer side, to a power of two."""
    return int(2 ** round(math.log2(max(size) / max(shape[2:]))))


def _last_of_each_stride(size: tuple[int, int], shapes: dict[str, tuple[int, ...]]) -> tuple[str, ...]:
    return tuple({_stride(size, shape): name for name, shape in shapes.items()}.values())


def _check_levels(backbone: ConvNet, levels: tuple[str, ...], shapes: dict[str, tuple[int, ...]]) -> None:
    if not levels:
        raise UsageError("levels names no stage; a pyramid needs at least one")
    for name in levels:
        if name not in shapes:
            raise unknown(f"stage of {backbone.spec.name}", name, shapes)
    order = list(shapes)
    if sorted(set(levels), key=order.index) != list(levels):
        raise UsageError(f"levels are {', '.join(levels)}; name each stage once, the finest first")
