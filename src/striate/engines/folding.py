"""Batch norms folded into the convolutions before them: in evaluation mode both are one linear map.

y = γ (w * x + b - μ) / √(σ² + ε) + β is the convolution with w' = γ w / √(σ² + ε) and b' = γ (b - μ) / √(σ² + ε) + β
(Jacob et al., 2018, arXiv:1712.05877, section 3.2). Which convolution belongs to which norm is seen by running the
network once without weights, so it holds for any module: the norm's input is the convolution's output, both run once,
and nothing else reads what lies between them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from striate.analysis import meta_shapes
from striate.analysis.visits import tensors_in
from striate.analysis.weightless import duplicate, weightless
from striate.layers.conv import SameConv2d
from striate.layers.overwriting import Folded

#: Convolutions that use their weight as it is; others may compute theirs from it.
PLAIN = (nn.Conv2d.forward, SameConv2d.forward)
NORM = nn.modules.batchnorm._BatchNorm


def folded(network: nn.Module, channels: int, size: tuple[int, int]) -> nn.Module:
    """A copy of a network whose batch norms are folded, as far as they can be; the network itself where none can.

    Args:
        network: in evaluation mode; it stays as it is.
        channels: of its images.
        size: (height, width) of its images; what it is made of is seen at this size.
    """
    pairs = foldable(network, channels, size)
    if not pairs:
        return network
    twin = duplicate(network).eval()
    for convolution, norm in pairs:
        _fold(twin.get_submodule(convolution), twin.get_submodule(norm))
        parent, _, name = norm.rpartition(".")
        setattr(twin.get_submodule(parent), name, Folded())
    return twin.requires_grad_(False)


def foldable(network: nn.Module, channels: int, size: tuple[int, int]) -> list[tuple[str, str]]:
    """Names of the convolutions and of the batch norms that follow them and can be folded.

    There are none where someone has hooked the network, who would not be called by the copy, and where it cannot run
    without weights.
    """
    if is_hooked(network):
        return []
    try:
        twin = weightless(network).eval()
        kind = next(twin.parameters()).dtype
        seen = _Seen(twin)
        with torch.no_grad(), seen:
            seen.count(tensors_in(twin(torch.empty(2, channels, *size, dtype=kind, device="meta"))))
    except Exception:  # whatever it was, it shows where the network itself is run
        return []
    return seen.pairs()


def is_hooked(network: nn.Module) -> bool:
    """Whether forward hooks are on any part of a network."""
    return any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


class _Seen(TorchDispatchMode):
    """What convolutions made and batch norms took, and how often each tensor was read, while it is active.

    Args:
        network: a copy, which is hooked.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.uses: Counter[int] = Counter()
        self.alive: list[Tensor] = []  # so that no two tensors have one id
        self.makers: dict[int, str] = {}
        self.pairs_seen: list[tuple[str, str, int]] = []
        self.calls: Counter[str] = Counter()
        owners = Counter(id(weight) for module in network.modules() for weight in module._parameters.values())
        for name, layer in network.named_modules():
            if type(layer).forward in PLAIN and not nn.utils.parametrize.is_parametrized(layer):
                if owners[id(layer.weight)] == 1:
                    layer.register_forward_hook(self._made(name))
            elif type(layer).forward is NORM.forward and layer.running_mean is not None:
                layer.register_forward_pre_hook(self._taken(name))

    def _made(self, name: str) -> Any:
        def note(layer: nn.Module, given: Any, output: Tensor) -> None:
            self.calls[name] += 1
            self.makers[id(output)], self.uses[id(output)] = name, 0  # what had this id before is gone
            self.alive.append(output)

        return note

    def _taken(self, name: str) -> Any:
        def note(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            self.calls[name] += 1
            maker = self.makers.get(id(given[0]))
            if maker is not None:
                self.pairs_seen.append((maker, name, id(given[0])))

        return note

    def count(self, tensors: list[Tensor]) -> None:
        """Note that these are read."""
        self.uses.update(map(id, tensors))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; with True PyTorch would import its compiler."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        operands = [*tensors_in(args), *tensors_in(kwargs or {})]
        self.count(operands)
        return meta_shapes.run(func, args, kwargs or {}, operands)[0]

    def pairs(self) -> list[tuple[str, str]]:
        """The convolutions and norms that belong together and to nobody else."""
        return [
            (maker, norm)
            for maker, norm, between in self.pairs_seen
            if self.uses[between] == 1 and self.calls[maker] == self.calls[norm] == 1
        ]


@torch.no_grad()
def _fold(convolution: Any, norm: Any) -> None:
    """Make a convolution do what it and the norm after it did; reckoned in float64."""
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    shift = -norm.running_mean.double() * scale
    if convolution.bias is not None:
        shift = shift + convolution.bias.double() * scale
    if norm.bias is not None:
        shift = shift + norm.bias.double()
    weight = convolution.weight
    weight.copy_(weight.double() * scale.view(-1, 1, 1, 1))
    convolution.bias = nn.Parameter(shift.to(weight.dtype), requires_grad=False)
