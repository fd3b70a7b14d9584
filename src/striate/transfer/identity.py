"""New layers that begin as identity: the grown network says what the shallow one said (Chen et al., 2016).

Net2Net (arXiv:1511.05641, section 2.3) adds a layer whose kernel hands every channel on: one in the middle, from each
channel to itself (a Dirac). A ReLU behind it changes nothing, since it is fed what a ReLU put out. A batch norm behind
it takes away a mean and a variance and puts the same back; those are here the ones that the norm before it leads to
where what it puts out is normal: in evaluation the layer is the identity whatever they are, in training about so.
A residual block is the identity where its branch ends in zeros: the scale of its last batch norm, as Goyal et al.
(2017, arXiv:1706.02677, section 5.1) start it, or the last convolution where no norm stands behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers import ConvAct, ConvNormAct, InvertedResidual, Residual

#: Activations that leave alone what they have put out themselves: f(f(x)) = f(x).
IDEMPOTENT = (nn.ReLU, nn.ReLU6, nn.Identity)

#: Points of the normal distribution over which means and variances behind an activation are taken.
POINTS = 1001


@dataclass(frozen=True)
class Spread:
    """Mean and variance of each channel of a feature map, two vectors of C."""

    mean: Tensor
    variance: Tensor

    @classmethod
    def behind(cls, norm: nn.BatchNorm2d, act: nn.Module | None) -> Spread:
        """What a batch norm and an activation behind it put out, if the norm's output is normal in each channel."""
        scale, shift = norm.weight.detach().double(), norm.bias.detach().double()
        grid = (torch.arange(POINTS, dtype=torch.float64, device=scale.device) + 0.5) / POINTS
        values = shift[:, None] + scale[:, None] * torch.special.ndtri(grid)
        values = values if act is None else act(values)
        return cls(values.mean(1), values.var(1, correction=0))


@torch.no_grad()
def start_as_identity(name: str, unit: Sequence[nn.Module], before: Spread | None) -> Spread | None:
    """Make a new unit hand on what it is fed.

    Args:
        name: of the unit, for the error.
        unit: its modules in order: one block, or a convolution with its norm and activation.
        before: what it is fed, where it is known.

    Returns:
        What it puts out: `before`.

    Raises:
        UsageError: it cannot be the identity.
    """
    if len(unit) == 1 and isinstance(unit[0], Residual) and unit[0].shortcut is not None:
        _silence(name, unit[0])
    elif len(unit) == 1 and isinstance(unit[0], InvertedResidual) and unit[0].shortcut:
        _end_in_zeros(unit[0].project.modules())
    else:
        for layer in _in_turn(name, unit):
            _pass_on(name, layer, before)
    return before


def _silence(name: str, block: Residual) -> None:
    """End a residual block's branch in zeros, where its shortcut alone is the identity."""
    after = block.after is None or isinstance(block.after, IDEMPOTENT)
    if block.addition is not None or block.shared or not isinstance(block.shortcut, nn.Identity) or not after:
        raise _impossible(name, "its shortcut is no plain identity")
    _end_in_zeros(block.residual)


def _end_in_zeros(branch: Iterable[nn.Module]) -> None:
    """Zero scale and shift of the last of a branch's convolutions and norms."""
    last = [layer for layer in branch if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)][-1]
    for parameter in last.parameters():
        nn.init.zeros_(parameter)


def _in_turn(name: str, unit: Iterable[nn.Module]) -> list[nn.Module]:
    """The layers of modules that are called one after the other.

    Raises:
        UsageError: one of them is no such.
    """
    layers: list[nn.Module] = []
    for module in unit:
        if isinstance(module, nn.Sequential | ConvNormAct | ConvAct):
            layers += _in_turn(name, module.children())
        elif isinstance(module, Residual) and module.before is None and module.addition is None:  # of a plain network
            layers += _in_turn(name, [module.residual, *([] if module.after is None else [module.after])])
        else:
            layers.append(module)
    return layers


def _pass_on(name: str, layer: nn.Module, before: Spread | None) -> None:
    """Make one layer of a chain hand on what it is fed."""
    if isinstance(layer, nn.BatchNorm2d):
        if before is None or len(before.mean) != layer.num_features:
            before = Spread(torch.zeros(layer.num_features), torch.ones(layer.num_features))
        layer.get_buffer("running_mean").copy_(before.mean)
        layer.get_buffer("running_var").copy_(before.variance)
        layer.bias.copy_(layer.get_buffer("running_mean"))
        layer.weight.copy_((layer.get_buffer("running_var") + layer.eps).sqrt())
    elif isinstance(layer, nn.Conv2d):
        if layer.in_channels != layer.out_channels or max(layer.stride) > 1 or not _keeps_size(layer):
            raise _impossible(name, f"{type(layer).__name__}({layer.extra_repr()}) changes the shape of what it is fed")
        nn.init.dirac_(layer.weight, layer.groups)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif not isinstance(layer, (*IDEMPOTENT, nn.Dropout)):
        raise _impossible(name, f"{type(layer).__name__} is not one that leaves its own output alone")


def _keeps_size(layer: nn.Conv2d) -> bool:
    sides = zip(layer.kernel_size, layer.dilation, layer.padding, strict=True)
    return all(kernel % 2 == 1 and padding == dilation * (kernel // 2) for kernel, dilation, padding in sides)


def _impossible(name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} cannot begin as identity: {why}; let new layers begin at random, with the rule 'random'."
    )
