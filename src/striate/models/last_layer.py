"""The last layer of a head: how wide it is, and one like it for other classes."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Refreshable(Protocol):
    """A last layer of our own: its `weight` is (classes, features), and it makes another of its kind."""

    weight: Tensor

    def fresh(self, num_classes: int) -> nn.Module:
        """A layer like this with other outputs and first weights, on the same device."""


def fresh_like(layer: nn.Module, num_classes: int) -> nn.Module:
    """A layer like `layer` with other outputs and PyTorch's first weights, on the same device.

    Raises:
        TypeError: it is neither dense nor a convolution nor `Refreshable`.
    """
    if isinstance(layer, Refreshable):
        return layer.fresh(num_classes)
    new: nn.Module
    if isinstance(layer, nn.Linear):
        new = nn.Linear(layer.in_features, num_classes, layer.bias is not None, layer.weight.device)
        return new.to(layer.weight.dtype)
    if isinstance(layer, nn.Conv2d):
        new = nn.Conv2d(
            layer.in_channels,
            num_classes,
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            bias=layer.bias is not None,
            device=layer.weight.device,
        )
        return new.to(layer.weight.dtype)
    raise TypeError(f"cannot make a fresh {type(layer).__name__} classifier")


def width(layer: nn.Module, axis: int) -> int:
    """Outputs (axis 0) or inputs (axis 1) of a last layer."""
    weight = layer.weight  # (classes, features, ...), trained or fixed
    assert isinstance(weight, Tensor)
    return int(weight.shape[axis])
