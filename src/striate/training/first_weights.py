"""First weights by a recipe's rule, in place of the network's own; pretrained weights are never drawn over."""

from __future__ import annotations

from pathlib import Path

from striate.layers import first_weights_
from striate.models import Network
from striate.training.losses import OWN


def draw_first_weights(network: Network, init: str, weights: str | Path | None) -> None:
    """Draw the weights that training starts from anew: all, or those that pretrained weights left fresh.

    A module that was handed over keeps its weights, whatever they are. The same state of torch's random generator
    gives the same weights.

    Args:
        network: as it was made; changed in place.
        init: `OWN`, which leaves it as it is, or one of `striate.layers.INITS`.
        weights: the pretrained weights that are in it, if any.
    """
    if init == OWN or _was_handed_over(network):
        return
    for part in [network] if weights is None else map(network.get_submodule, network.fresh):
        first_weights_(part, init)


def first_weights_note(network: Network, init: str, weights: str | Path | None) -> str:
    """What a recipe's rule does not reach, in words; empty where it reaches all."""
    if init == OWN:
        return ""
    if _was_handed_over(network):
        return f"init={init} changes nothing: a module that is handed over keeps its weights"
    if network.copied:
        return f"init={init} is for layers that are neither copied nor begin as identity"
    if weights is None:
        return ""
    if not network.fresh:
        return f"init={init} changes nothing: all weights are pretrained"
    return f"init={init} is for {', '.join(network.fresh)}; the other weights are pretrained"


def _was_handed_over(network: Network) -> bool:
    return network.spec.origin.get("kind") == "module"
