"""Activations that overwrite their input where nobody can tell.

An activation of its own memory costs a processor a tenth of a network's time; an activation in place breaks hooks
and pictures of the inside. So an activation works in place only on what a convolution, a norm or an addition has made
for it alone: when the layer before it is not hooked, wrapped, traced or compiled, and the tensors have memory.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as torch_module


class Folded(nn.Identity):
    """Stands where a batch norm was that is part of the convolution before it now; what it hands on is its own."""


#: Layers whose output is a new tensor that their own backward pass does not need.
MAKERS = (nn.Conv2d, nn.BatchNorm2d, Folded)


class ReLU(nn.ReLU):
    """max(x, 0), any shape; over its input when asked."""

    def forward(self, input: Tensor, overwrite: bool = False) -> Tensor:
        """Return max(input, 0)."""
        return F.relu(input, inplace=overwrite)


class ReLU6(nn.ReLU6):
    """min(max(x, 0), 6), any shape; over its input when asked."""

    def forward(self, input: Tensor, overwrite: bool = False) -> Tensor:
        """Return min(max(input, 0), 6)."""
        return F.relu6(input, inplace=overwrite)


class SiLU(nn.SiLU):
    """x sigmoid(x), any shape; over its input when asked."""

    def forward(self, input: Tensor, overwrite: bool = False) -> Tensor:
        """Return input * sigmoid(input); its backward pass needs the input, which is then kept."""
        return F.silu(input, inplace=overwrite and not torch.is_grad_enabled())


OVERWRITING = (ReLU, ReLU6, SiLU)
#: Hooks on all modules.
EVERYWHERE = (
    torch_module._global_forward_hooks,
    torch_module._global_forward_pre_hooks,
    torch_module._global_backward_hooks,
    torch_module._global_backward_pre_hooks,
)


def activate(act: nn.Module, x: Tensor, maker: nn.Module | None = None) -> Tensor:
    """`act(x)`, over `x` where that is safe.

    Args:
        act: the activation.
        x: made for `act` alone, by `maker` or, without one, by the caller.
        maker: the layer that has just returned `x`.
    """
    safe = (
        isinstance(act, OVERWRITING)
        and isinstance(x, Tensor)  # and not what torch.fx sends through in its place
        and (maker is None or (isinstance(maker, MAKERS) and not _is_watched(maker)))
        and not (_is_watched(act) or any(EVERYWHERE) or x.is_meta)
        and not (torch.compiler.is_compiling() or torch.jit.is_tracing())
    )
    return act(x, True) if safe else act(x)


def _is_watched(layer: nn.Module) -> bool:
    """Whether hooks, or a wrapper around its forward, get to see what goes into the layer and comes out."""
    return bool(
        layer._forward_hooks
        or layer._forward_pre_hooks
        or layer._backward_hooks
        or layer._backward_pre_hooks
        or "forward" in layer.__dict__
    )


def in_turn(layers: Iterable[nn.Module], x: Tensor) -> Tensor:
    """Run layers one after the other, activations over what the layer before them has made."""
    before: nn.Module | None = None
    for layer in layers:
        x = activate(layer, x, before) if before is not None else layer(x)
        before = layer
    return x


class Chain(nn.Sequential):
    """An `nn.Sequential` whose activations overwrite where nobody can tell."""

    def forward(self, input: Tensor) -> Tensor:
        """Run the children one after the other."""
        return in_turn(self, input)
