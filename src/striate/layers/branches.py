"""Branches side by side on one map, as in every Inception module (Szegedy et al., 2014, arXiv:1409.4842, figure 2).

A module is a Python table: the name of each branch, and its steps as `Conv`, `Pool` or a `Split` into further
branches. `branches` builds the table.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import unknown

#: Builds a convolution with what belongs to it: (in_channels, out_channels, kernel_size, *, stride, padding).
Unit = Callable[..., nn.Module]


@dataclass(frozen=True)
class Conv:
    """A convolution to `channels` maps; `padding` is one of `striate.layers.PADDINGS`."""

    channels: int
    kernel_size: int | tuple[int, int] = 1
    stride: int = 1
    padding: str = "symmetric"


@dataclass(frozen=True)
class Pool:
    """A 3x3 pool, "max" or "average"; unpadded where `padding` is "valid".

    An average leaves the padding out, as in TensorFlow, unless `count_padding`, PyTorch's habit.
    """

    kind: str
    stride: int = 1
    padding: str = "symmetric"
    count_padding: bool = False

    def build(self) -> nn.Module:
        """The layer: (N, C, H, W) -> (N, C, H', W')."""
        padding = 0 if self.padding == "valid" else 1
        if self.kind == "max":
            return nn.MaxPool2d(3, self.stride, padding)
        if self.kind == "average":
            return nn.AvgPool2d(3, self.stride, padding, count_include_pad=self.count_padding)
        raise unknown("pooling", self.kind, ("max", "average"))


@dataclass(frozen=True)
class Split:
    """Branches within a branch, by name."""

    branches: Table


Step = Conv | Pool | Split
#: A module: the steps of each branch by its name.
Table = Mapping[str, tuple[Step, ...]]


class Branches(nn.Module):
    """Every branch sees the same map; theirs are stacked: (N, C, H, W) -> (N, `out_channels`, H', W').

    Args:
        branches: modules by name, in the order of their maps.
        out_channels: the sum of their maps.
    """

    def __init__(self, branches: Mapping[str, nn.Module], out_channels: int) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Run the branches and stack their maps."""
        return torch.cat([branch(x) for branch in self.children()], 1)


def branches(in_channels: int, table: Table, unit: Unit) -> Branches:
    """The module of a table; each branch is a sequence of its steps, convolutions are made by `unit`."""
    built, total = {}, 0
    for name, steps in table.items():
        built[name], channels = chain(in_channels, steps, unit)
        total += channels
    return Branches(built, total)


def stages_of(
    in_channels: int, tables: Mapping[str, Sequence[Table]], unit: Unit
) -> tuple[dict[str, nn.Sequential], int]:
    """Stages by name, each the modules of its tables one after the other, and the channels that come out."""
    stages = {}
    for name, rows in tables.items():
        modules = []
        for table in rows:
            modules.append(branches(in_channels, table, unit))
            in_channels = modules[-1].out_channels
        stages[name] = nn.Sequential(*modules)
    return stages, in_channels


def chain(in_channels: int, steps: tuple[Step, ...], unit: Unit) -> tuple[nn.Sequential, int]:
    """Steps one after the other, and the channels that come out."""
    return named_chain(in_channels, {str(number): step for number, step in enumerate(steps)}, unit)


def named_chain(in_channels: int, steps: Mapping[str, Step], unit: Unit) -> tuple[nn.Sequential, int]:
    """The same with names for the steps."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, step in steps.items():
        if isinstance(step, Pool):
            layers[name] = step.build()
        elif isinstance(step, Conv):
            layers[name] = unit(in_channels, step.channels, step.kernel_size, stride=step.stride, padding=step.padding)
            in_channels = step.channels
        else:
            layers[name] = built = branches(in_channels, step.branches, unit)
            in_channels = built.out_channels
    return nn.Sequential(layers), in_channels


def unstrided(steps: Mapping[str, Step]) -> dict[str, Step]:
    """A stem's steps for small images: all strides are 1, and a pool is left out unless it is one branch of several."""

    def plain(step: Step) -> Step:
        if isinstance(step, Split):
            return Split({name: tuple(plain(inner) for inner in branch) for name, branch in step.branches.items()})
        return replace(step, stride=1)

    return {name: plain(step) for name, step in steps.items() if not isinstance(step, Pool)}


def naive_inception(one: int, three: int, five: int) -> Table:
    """The table of an Inception module without reductions (figure 2a): 1x1, 3x3, 5x5 of these widths, and a pool."""
    return {"conv1x1": (Conv(one),), "conv3x3": (Conv(three, 3),), "conv5x5": (Conv(five, 5),), "pool": (Pool("max"),)}


def inception(one: int, reduce3: int, three: int, reduce5: int, five: int, projection: int, *, wide: int = 5) -> Table:
    """The table of an Inception module (figure 2b): 1x1 convolutions before the wide ones and after the pool.

    The widths are in the order of a row of the paper's table 1; `wide` is the side of its 5x5 kernel.
    """
    return {
        "conv1x1": (Conv(one),),
        "conv3x3": (Conv(reduce3), Conv(three, 3)),
        "conv5x5": (Conv(reduce5), Conv(five, wide)),
        "pool": (Pool("max"), Conv(projection)),
    }


class OverlappingPool(nn.Module):
    """Average pooling to a fixed number of rows and columns, (N, C, H, W) -> (N, C, outputs, outputs).

    The stride is the map's side over `outputs`, rounded down, and the window reaches as far as the last one may:
    5x5 with stride 3 from 14 to 4 (GoogLeNet's auxiliary heads) and from 17 to 5 (Inception v3's). Maps smaller
    than `outputs` repeat their pixels. So heads with dense layers behind it take any size of image.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        """Average."""
        sides = [int(side) for side in x.shape[2:]]
        if min(sides) < self.outputs:
            return F.adaptive_avg_pool2d(x, self.outputs)
        strides = [side // self.outputs for side in sides]
        windows = [side - (self.outputs - 1) * stride for side, stride in zip(sides, strides, strict=True)]
        return F.avg_pool2d(x, windows, strides)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"outputs={self.outputs}"
