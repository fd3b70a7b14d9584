"""The receptive field of every network of the catalogue against where the gradient of one unit reaches.

The closed figure, clipped at the part of the image that the network reads at all (strides without padding may leave
the last rows unread, as NASNet's first layer does), must be the extent of the input's gradient exactly, for the first,
the middle and the last unit of the last map. So that no path hides, weights are positive, activations are the identity
(gates x / (1 + x)) and maximum pooling is an average over the same window; none of this moves what a unit can see.
Attention, squeeze-and-excitation and group norms let every unit see the whole image; then the gradient must reach all
of it.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from striate.analysis import summary
from striate.models import create_model, get_card, list_models

pytestmark = pytest.mark.sampled

#: Activations, each of which is some unit's own affair.
ACTIVATIONS = {
    *("relu", "relu_", "relu6", "hardtanh", "hardtanh_", "leaky_relu", "prelu", "elu", "elu_", "selu", "celu", "gelu"),
    *("silu", "mish", "hardswish", "tanh", "tanh_", "softplus", "softsign"),
}
#: Gates by which one map multiplies another, which would square its size again and again were they the identity.
GATES = {"sigmoid", "sigmoid_", "hardsigmoid"}
#: Largest image of these tests, pixels.
LARGEST = 300


class Benign(TorchFunctionMode):
    """While active, activations are the identity and maximum pooling is average pooling."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in ACTIVATIONS:
            return args[0]
        if name in GATES:
            return args[0] / (1 + args[0])  # from 0 to 1 for what is positive, and never flat
        if name in ("max_pool2d", "max_pool2d_with_indices", "_max_pool2d"):
            return self._pooled(*args, **kwargs)
        return func(*args, **kwargs)

    @staticmethod
    def _pooled(
        x: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:
        assert dilation in (1, (1, 1))
        assert not return_indices
        return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode)


class LastMap(nn.Module):
    """A network without its head."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.features(x)  # type: ignore[operator]


def made_positive(model: nn.Module) -> nn.Module:
    """Float64 weights of mean one over the fan-in, so that values neither vanish nor overflow; norms do little."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.double().parameters():
            fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
            noise = torch.rand(parameter.shape, generator=generator, dtype=torch.double)
            parameter.copy_((0.75 + noise / 2) / fan_in)
    return model.eval().requires_grad_(False)


Span = tuple[int, int]


def reached(y: Tensor, x: Tensor) -> tuple[Span, Span]:
    """First and last row, and first and last column, of `x` that have a gradient of the sum of `y`."""
    (gradient,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    hit = gradient.abs().sum((0, 1)) > 0
    rows, columns = (mask.nonzero().flatten() for mask in (hit.any(1), hit.any(0)))
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def check(name: str, largest: int) -> None:
    card = get_card(name)
    side = max(card.min_size, min(card.input_size, largest))
    model = create_model(name, input_size=side if card.fixed_size else None)
    model.head = nn.Sequential()
    model = LastMap(model)
    root = summary(model, (card.in_channels, side, side)).root
    assert root.receptive_field is not None, "no closed figure"
    x = torch.rand(1, card.in_channels, side, side, dtype=torch.double, requires_grad=True)
    made_positive(model)
    with Benign():
        y = model(x)
    read = reached(y, x)
    if y.dim() == 3:  # (N, tokens, C), each of which attention shows everything
        assert root.sees_all
        assert all(reached(y[:, token], x) == read == ((0, side - 1),) * 2 for token in (0, len(y[0]) // 2, -1))
        return
    for share in (0, 0.5, 1):
        row, column = (round(share * (size - 1)) for size in y.shape[2:])
        spans = reached(y[:, :, row, column], x)
        for axis, (unit, span, (first, last)) in enumerate(zip((row, column), spans, read, strict=True)):
            assert first == 0
            if root.sees_all:
                expected: tuple[float, float] = (0, last)
                assert last >= side - 32
            else:
                assert root.stride is not None
                assert root.offset is not None
                assert last > side - 1 - root.stride[axis]
                centre = root.offset[axis] + unit * root.stride[axis]
                reach = (root.receptive_field[axis] - 1) / 2
                expected = (max(centre - reach, 0), min(centre + reach, last))
            assert span == expected, f"{name} at {side}, unit {unit}, axis {axis}"


def smallest_of_each_family() -> list[str]:
    smallest: dict[str, str] = {}
    for name in sorted(list_models(), key=lambda name: get_card(name).parameters):
        smallest.setdefault(get_card(name).family, name)
    return list(smallest.values())


@pytest.mark.parametrize("name", smallest_of_each_family())
def test_a_unit_of_the_smallest_network_of_each_family_sees_what_its_gradient_reaches(name: str) -> None:
    check(name, largest=80)


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_a_unit_of_every_network_sees_what_its_gradient_reaches(name: str) -> None:
    check(name, largest=LARGEST)
