"""Putting tensors into a network, loudly: whatever is missing, extra or misshapen is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from striate.errors import StriateError

CLASSIFIER = "head.classifier."
AUXILIARY = "auxiliary."


def load_state(
    model: nn.Module,
    state: Mapping[str, Tensor],
    *,
    where: str = "the weights",
    leave: Sequence[str] = (),
) -> None:
    """Copy `state` (under our names) into `model`.

    Keys that begin with one of `leave` stay as the model has them. `num_batches_tracked` may be absent. A dense
    layer takes the weight of the convolution over its whole map that it equals, and the other way round.

    Raises:
        StriateError: names the first missing, extra or misshapen keys; the model is then unchanged.
    """
    kept = tuple(leave)
    own = {key: value for key, value in model.state_dict().items() if not (kept and key.startswith(kept))}
    given = {key: value for key, value in state.items() if not (kept and key.startswith(kept))}
    given = {key: _as_layer(value, own[key]) if key in own else value for key, value in given.items()}
    misshapen = [key for key in own if key in given and own[key].shape != given[key].shape]
    missing = [key for key in own if key not in given and not key.endswith("num_batches_tracked")]
    extra = [key for key in given if key not in own]
    weight = CLASSIFIER + "weight"
    if weight in misshapen and len(given[weight]) != len(own[weight]):
        theirs, ours = len(given[weight]), len(own[weight])
        raise StriateError(
            f"{where}: trained on {theirs} classes and the network has {ours}; build it with "
            f"num_classes={theirs}, load, then call reset_head({ours})"
        )
    problems = []
    if missing:
        problems.append(f"missing {_first(missing)}")
    if extra:
        problems.append(f"extra {_first(extra)}")
    if misshapen:
        shapes = [f"{key} is {tuple(given[key].shape)}, wanted {tuple(own[key].shape)}" for key in misshapen]
        problems.append(f"misshapen {_first(shapes)}")
    if problems:
        raise StriateError(f"{where}: does not fit this network: {'; '.join(problems)}")
    with torch.no_grad():
        for key, value in given.items():
            own[key].copy_(value)


def _as_layer(given: Tensor, own: Tensor) -> Tensor:
    """(C_out, C * h * w) as (C_out, C, h, w), or the reverse, where `own` has the other form; else as it is."""
    if {given.dim(), own.dim()} == {2, 4} and len(given) == len(own) and given.numel() == own.numel():
        return given.reshape(own.shape)
    return given


def _first(names: Sequence[str], count: int = 3) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def first_convolution(model: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """The first convolution in the order of definition, with its name."""
    return next(((name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)), None)


def adapt_channels(weight: Tensor, in_channels: int) -> Tensor:
    """A first convolution's weight (C_out, C, k, k) for images of `in_channels`.

    Grey images get the sum over the channels, the answer to the same grey in each of them. For any other
    number the channels are repeated in turn and scaled by C / in_channels, so that the answer keeps its size.
    """
    channels = weight.shape[1]
    if in_channels == channels:
        return weight
    if in_channels == 1:
        return weight.sum(1, keepdim=True)
    turns = [i % channels for i in range(in_channels)]
    return weight[:, turns] * (channels / in_channels)
