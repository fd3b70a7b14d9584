"""First weights, as the papers drew them. Each function changes the module; on "meta" it does nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Literal

from torch import Tensor, nn

from striate.errors import UsageError, unknown
from striate.layers.connection_table import TableConv2d
from striate.layers.residual import Residual
from striate.layers.shortcuts import Gate
from striate.layers.subsampling import TrainableSubsampling


def _he(weight: Tensor, fan_in: float, fan_out: float) -> Tensor:
    return nn.init.normal_(weight, 0.0, math.sqrt(2.0) / math.sqrt(fan_in))


def _gaussian(weight: Tensor, fan_in: float, fan_out: float) -> Tensor:
    return nn.init.normal_(weight, 0.0, 0.01)


def _xavier(weight: Tensor, fan_in: float, fan_out: float) -> Tensor:
    bound = math.sqrt(3.0) * math.sqrt(2.0 / (fan_in + fan_out))
    return nn.init.uniform_(weight, -bound, bound)


def _fan_in(weight: Tensor, fan_in: float, fan_out: float) -> Tensor:
    return nn.init.uniform_(weight, -1 / fan_in, 1 / fan_in)


#: Rules by name for all convolutions and dense layers of a network, see `first_weights_`: each draws one weight.
_RULES: dict[str, Callable[[Tensor, float, float], Tensor]] = {
    "he": _he,
    "gaussian": _gaussian,
    "xavier": _xavier,
    "fan_in": _fan_in,
}
INITS = tuple(_RULES)


def he_normal_(module: nn.Module, mode: Literal["fan_in", "fan_out"] = "fan_out") -> None:
    """He et al. (2015, arXiv:1502.01852): convolutions from N(0, 2 / fan), their biases zero.

    Dense layers keep PyTorch's fan-in uniform.
    """
    for weight in _weights_with_zero_biases(module, (nn.Conv2d,)):
        nn.init.kaiming_normal_(weight, mode=mode, nonlinearity="relu")


def normal_(module: nn.Module, std: float = 0.01) -> None:
    """Dense layers from N(0, std^2), their biases zero."""
    for weight in _weights_with_zero_biases(module, (nn.Linear,)):
        nn.init.normal_(weight, 0.0, std)


def xavier_uniform_(module: nn.Module) -> None:
    """Glorot and Bengio (2010): weights uniform in +-sqrt(6 / (fan_in + fan_out)), biases zero."""
    for weight in _weights_with_zero_biases(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(weight)


def _weights_with_zero_biases(
    module: nn.Module, kinds: tuple[type[nn.Conv2d] | type[nn.Linear], ...]
) -> Iterator[Tensor]:
    """Weights of the layers of these kinds, once their biases are zero; none on "meta", where drawing is slow."""
    for layer in module.modules():
        if isinstance(layer, kinds) and not layer.weight.is_meta:
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
            yield layer.weight


def first_weights_(module: nn.Module, init: str) -> None:
    """Draw the weights of convolutions and dense layers alike, by a rule from `INITS`; their biases are zero.

    "he": N(0, 2 / fan_in), which keeps the signal's size through any number of ReLU layers (He et al., 2015,
    arXiv:1502.01852, section 2.2). "gaussian": N(0, 0.01^2), the habit from Krizhevsky et al. (2012) on, under which
    the signal fades with depth. "xavier": uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010,
    equation 16). "fan_in": uniform in +-1 / fan_in, which fades as well; LeCun et al. (1998) have 2.4 for the 1.

    Fans are counted as `torch.nn.init` does, whatever the groups. What else a network learns stays as it is: scales
    and shifts of normalisation, sub-sampling, tokens, and the biases of gates, which decide how much is carried.

    Raises:
        UsageError: the name is not in `INITS`.
    """
    if init not in _RULES:
        raise unknown("init", init, INITS)
    draw = _RULES[init]
    gates = {gate.get_submodule("conv") for gate in module.modules() if isinstance(gate, Gate)}
    for layer in module.modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear | TableConv2d) or layer.weight.is_meta:
            continue  # on "meta" there is nothing to draw, and drawing is slow
        if layer.bias is not None and layer not in gates:
            nn.init.zeros_(layer.bias)
        if isinstance(layer, TableConv2d):
            fan_out = layer.weight.numel() / layer.in_channels  # of an input map, on the average
            for fan_in, kernels in zip(layer.fan_in, layer.kernels(), strict=True):
                draw(kernels, fan_in, fan_out)
        else:
            draw(layer.weight, layer.weight[0].numel(), layer.weight[:, 0].numel())


def lecun_uniform_(module: nn.Module) -> None:
    """LeCun et al. (1998, section III.C): weights and biases uniform in +-2.4 / fan_in.

    The fan-in is the number of a unit's inputs: of a trainable sub-sampling the pixels that it adds up, of a
    convolution with a connection table those of the maps that the unit's map sees.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
        elif isinstance(layer, TrainableSubsampling):
            fan_in = layer.kernel_size**2
        elif isinstance(layer, TableConv2d):
            layer.uniform_([2.4 / fan_in for fan_in in layer.fan_in])
            continue
        else:
            continue
        _uniform_(layer, 2.4 / fan_in)


def uniform_(module: nn.Module, bound: float) -> None:
    """Weights and biases of convolutions and dense layers uniform in +-bound, whatever their fan-in."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _uniform_(layer, bound)


def _uniform_(layer: nn.Module, bound: float) -> None:
    for parameter in layer.parameters():
        if not parameter.is_meta:
            nn.init.uniform_(parameter, -bound, bound)


def zero_last_gamma_(module: nn.Module) -> None:
    """Zero the scale of each residual block's last batch norm: every block starts as its shortcut.

    Goyal et al. (2017, arXiv:1706.02677, section 5.1).

    Raises:
        UsageError: the blocks' last convolutions have no batch norm behind them.
    """
    for block in module.modules():
        if isinstance(block, Residual) and block.shortcut is not None:
            last = [layer for layer in block.residual if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)][-1]
            if isinstance(last, nn.Conv2d):
                raise UsageError("the blocks end in a convolution, so no batch norm's scale is there to be zero")
            nn.init.zeros_(last.weight)


def gate_bias_(module: nn.Module, bias: float) -> None:
    """Fill the bias of every `Gate`: the further below zero, the more is carried past the layers at first.

    Srivastava et al. (2015, arXiv:1505.00387, section 2.2).
    """
    for gate in module.modules():
        if isinstance(gate, Gate):
            nn.init.constant_(gate.get_parameter("conv.bias"), bias)
