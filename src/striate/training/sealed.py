"""Frozen means frozen: the tensors of frozen parts are the same, bit for bit, when training ends as when it began."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from striate.errors import StriateError
from striate.models import Network
from striate.training.checkpoints import checksum


def frozen_tensors(network: Network) -> dict[str, Tensor]:
    """Parameters and buffers of the frozen parts, by their names in the network."""
    names = {id(module): name for name, module in network.named_modules()}
    found: dict[str, Tensor] = {}
    for module in network.frozen_modules():
        start = names[id(module)]
        found |= {f"{start}.{name}": tensor for name, tensor in module.state_dict().items()}
    return found


def seal(network: Network) -> dict[str, int]:
    """A checksum of each frozen tensor."""
    return {
        name: checksum({name: tensor.detach().cpu().contiguous()}) for name, tensor in frozen_tensors(network).items()
    }


def check_seal(sealed: Mapping[str, int], tensors: Mapping[str, Tensor]) -> None:
    """Raise `StriateError` where one of the sealed tensors, among these by name, is no longer what it was."""
    for name, expected in sealed.items():
        if checksum({name: tensors[name].detach().cpu().contiguous()}) != expected:
            raise StriateError(
                f"{name}: is frozen and has changed all the same, so what was trained is not what was asked for; "
                "something outside the training writes to it."
            )
