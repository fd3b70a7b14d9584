"""Whether a network is still what it was: what an engine was made of may be trained on or changed by its owner."""

from __future__ import annotations

from torch import nn

from striate.engines.folding import is_hooked


def state_of(network: nn.Module) -> tuple[object, ...]:
    """What changes when a network's tensors, their values, its mode or its hooks do.

    Each tensor is known by its place, its counter of writes and one of its values: writes through `.data` are not
    counted.
    """
    return (
        network.training,
        is_hooked(network),
        *(
            (name, tensor.data_ptr(), tensor._version, tensor.detach().reshape(-1)[tensor.numel() // 2].item())
            for name, tensor in network.state_dict(keep_vars=True).items()
            if tensor.numel()
        ),
    )
