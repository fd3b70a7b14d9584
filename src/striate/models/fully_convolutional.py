"""Dense layers as convolutions, so that a network takes any larger image (Simonyan and Zisserman, 2014, section 3.2).

The first dense layer becomes a convolution as large as the map it was built for, the others 1x1. The network then has
a logit per class and place, as if it had been slid over the image; their average over the places is what the VGG paper
evaluates ("dense evaluation"). At the size the network was built for there is one place, and nothing has changed.

On a larger image the places are exactly the network's windows where no layer pads. Where layers pad, a window's border
meets the neighbouring pixels in place of zeros, so inner windows differ a little from crops.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Protocol, TypeVar

import torch
from torch import nn

from striate.errors import UsageError, unknown
from striate.layers import ACTIVATIONS, output_shape, pair
from striate.models.card import ModelSpec

#: What comes out: the average over all places, (N, classes), or the logits of each, (N, classes, h, w).
FORMS = ("average", "map")

#: Layers that stay as they are: those on maps, and those that work on each value by itself.
KEPT = (nn.Conv2d, nn.BatchNorm2d, nn.Dropout, *(type(make()) for make in ACTIVATIONS.values()))


class Assembled(Protocol):
    """What the conversion asks of a network; `striate.models.convnet.ConvNet`, which stands on it, has all of it."""

    stem: nn.Module
    stages: nn.Sequential
    head: nn.Sequential
    in_channels: int
    min_size: int
    fixed_size: tuple[int, int] | None
    spec: ModelSpec
    training: bool


Turned = TypeVar("Turned", bound=Assembled)


def to_fully_convolutional(model: Turned, form: str = "average") -> Turned:
    """A copy of `model` whose head has convolutions in place of dense layers; `model` stays as it is.

    Heads of flattened maps and dense layers turn over (LeNet, AlexNet, VGG, ...), and so do heads that average the map
    before one dense layer (ResNet, ...) or after a 1x1 convolution (NiN, SqueezeNet, ...), whose "map" then tells where
    the classes are. A pool to a fixed side before dense layers (`pool=7`) is left out: with that many places the first
    dense layer becomes a convolution of that size. The copy's `min_size` is the smallest image with one place.

    Args:
        model: any `ConvNet`; one that was turned before may change its form.
        form: one of `FORMS`.

    Raises:
        UsageError: unknown form, or a head that is no such chain (a maximum over the map, a hidden layer behind the
            average, RBF units).
    """
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    layers, kernel = _turned(model)
    if form == "average":
        layers["pool"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()  # (N, classes, 1, 1) -> (N, classes)
    head = nn.Sequential(layers).train(model.training)
    # deepcopy takes the new head for the old one, which would double the memory
    turned = copy.deepcopy(model, {id(model.head): head})
    turned.fixed_size = None
    if kernel != (1, 1):
        turned.min_size = _smallest(model, kernel)
    if model.spec.arguments:
        turned.spec = ModelSpec(model.spec.name, {**model.spec.arguments, "fully_convolutional": form})
    return turned


def _turned(model: Assembled) -> tuple[OrderedDict[str, nn.Module], tuple[int, int]]:
    """The head without what flattens and averages, and the size of the first dense layer's kernel."""
    name = model.spec.name
    layers = dict(model.head.named_children())
    behind = list(layers)[list(layers).index("classifier") + 1 :]
    turned: OrderedDict[str, nn.Module] = OrderedDict()
    side: tuple[int, int] | None = None  # to which a pool brings the map
    kernel: tuple[int, int] | None = None
    for key, layer in layers.items():
        if isinstance(layer, nn.Flatten) or (isinstance(layer, nn.AdaptiveAvgPool2d) and key in behind):
            continue  # the average over the places belongs to the form
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            side = pair(layer.output_size)  # type: ignore[arg-type]
        elif isinstance(layer, nn.Linear):
            window = (1, 1) if kernel else side or _map_side(model)
            if window == (1, 1) == side and key != "classifier":
                raise UsageError(
                    f"{name} averages its map before a hidden layer, so it has no logits at single places; "
                    "it takes any size of image as it is"
                )
            turned[key] = _as_convolution(layer, window)
            kernel = kernel or window
        elif isinstance(layer, KEPT):
            turned[key] = copy.deepcopy(layer)
        else:
            raise UsageError(
                f"{name} cannot become fully convolutional: its head has a {type(layer).__name__} ('{key}')"
            )
    return turned, kernel or (1, 1)


def _as_convolution(layer: nn.Linear, kernel: tuple[int, int]) -> nn.Conv2d:
    """The convolution that does on one window what `layer` does on the flattened window."""
    channels = layer.in_features // (kernel[0] * kernel[1])
    with torch.device("meta"):  # no weights drawn, for they are known
        turned = nn.Conv2d(channels, layer.out_features, kernel, bias=layer.bias is not None)
    weight = layer.weight.detach().clone().reshape(turned.weight.shape)
    turned.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)
    if layer.bias is not None:
        turned.bias = nn.Parameter(layer.bias.detach().clone(), requires_grad=layer.bias.requires_grad)
    return turned


def _map_side(model: Assembled) -> tuple[int, int]:
    """(height, width) of the last map at the size the network was built for."""
    if model.fixed_size is None:
        raise UsageError(f"{model.spec.name} has dense layers on a map whose size it does not tell")
    maps = nn.Sequential(model.stem, model.stages)
    height, width = output_shape(maps, (1, model.in_channels, *model.fixed_size))[2:]
    return height, width


def _smallest(model: Assembled, kernel: tuple[int, int]) -> int:
    """The smallest side of image whose last map is as large as `kernel` along an axis."""
    maps = copy.deepcopy(nn.Sequential(model.stem, model.stages)).to("meta")

    def fits(side: int) -> bool:
        try:
            height, width = output_shape(maps, (1, model.in_channels, side, side))[2:]
        except RuntimeError:  # no map at all
            return False
        return height >= kernel[0] or width >= kernel[1]

    low = high = model.min_size
    while not fits(high):
        low, high = high, 2 * high
    while low < high:  # the smallest that fits lies in [low, high]
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return high
