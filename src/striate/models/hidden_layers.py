"""Hidden layers of one's own in the head of a network that is there already."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from torch import nn

from striate.errors import UsageError
from striate.layers.activation import activation as make_activation

#: Share of the outputs of new hidden layers that is dropped where the head had none to say otherwise (Krizhevsky et
#: al., 2012, section 4.2).
HIDDEN_DROPOUT = 0.5

#: The widest hidden layer; whoever asks for more has mistyped.
WIDEST = 65_536


def _dense(inputs: int, outputs: int, like: nn.Linear) -> nn.Module:
    return nn.Linear(inputs, outputs, like.bias is not None, like.weight.device).to(like.weight.dtype)


def hidden_widths(hidden: Any) -> list[int]:
    """Widths of hidden layers as a list; a single one may be given by itself.

    Raises:
        UsageError: they are no widths.
    """
    widths = [hidden] if isinstance(hidden, Integral) else hidden
    if isinstance(widths, str) or not isinstance(widths, Sequence) or not all(map(_is_width, widths)):
        raise UsageError(
            f"hidden is {hidden!r}; give the widths of the head's hidden layers, whole numbers from 1 to {WIDEST:,}"
        )
    return [int(width) for width in widths]


def _is_width(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and 1 <= int(value) <= WIDEST


def first_dense(head: nn.Sequential) -> int | None:
    """Where the dense layers of a head begin, counted in children; None where its last layer is no dense one."""
    if not isinstance(head.get_submodule("classifier"), nn.Linear):
        return None
    return next(place for place, layer in enumerate(head) if isinstance(layer, nn.Linear))


def with_hidden(
    head: nn.Sequential,
    widths: Sequence[int],
    num_classes: int,
    *,
    activation: str,
    dropout: float | None,
    whose: str,
) -> tuple[nn.Sequential, float]:
    """A head with new dense layers, and the share that its hidden layers drop.

    What stands before the first dense layer stays: a pool, a norm, the classifier's own dropout. Hidden layers come as
    `dense1`, `act1`, `dropout1` and so on, then `classifier`, all with PyTorch's first weights.

    Args:
        head: whose dense layers are replaced; it is left as it is.
        widths: of the hidden layers, as `hidden_widths` checks them; none for a classifier alone.
        num_classes: outputs.
        activation: of the hidden layers.
        dropout: share of each hidden layer's outputs that is dropped in training; None for that of the hidden layers
            which are replaced, `HIDDEN_DROPOUT` where there are none.
        whose: name of the network.

    Raises:
        UsageError: the head ends in another kind of layer, or the dropout is no fraction.
    """
    start, last = first_dense(head), head.get_submodule("classifier")
    if start is None or not isinstance(last, nn.Linear):
        raise UsageError(
            f"{whose} classifies by a layer of the kind {type(last).__name__}; hidden layers stand before a dense one"
        )
    layers = list(head.named_children())
    replaced = [layer for _, layer in layers[start:]]
    if dropout is None:
        rates = [layer.p for layer in replaced if isinstance(layer, nn.Dropout)]
        hidden = [layer for layer in replaced if isinstance(layer, nn.Linear) and layer is not last]
        dropout = max(rates, default=0.0) if hidden else HIDDEN_DROPOUT
    if not isinstance(dropout, Real) or isinstance(dropout, bool) or not 0 <= dropout < 1:
        raise UsageError(f"hidden_dropout is {dropout!r}; a fraction from 0 up to 1 is needed")
    # a dropout may be numbered by the dense layer that it stood before
    new = OrderedDict(("dropout" if isinstance(layer, nn.Dropout) else name, layer) for name, layer in layers[:start])
    first = layers[start][1]
    assert isinstance(first, nn.Linear)
    inputs = first.in_features
    for number, outputs in enumerate(widths, 1):
        new[f"dense{number}"] = _dense(inputs, outputs, last)
        new[f"act{number}"] = make_activation(activation)
        if dropout:
            new[f"dropout{number}"] = nn.Dropout(dropout)
        inputs = outputs
    new["classifier"] = _dense(inputs, num_classes, last)
    return nn.Sequential(new).train(head.training), dropout
