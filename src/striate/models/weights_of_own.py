"""Weights for somebody else's network: a file with the tensors of its own names."""

from __future__ import annotations

from pathlib import Path

from striate.errors import StriateError, UsageError
from striate.files import at_home
from striate.models.foreign import Foreign
from striate.models.network import Network
from striate.weights import load_state, read_state

#: Before the names of a module's tensors in a file that was written here.
PREFIX = "module."


def put_in(network: Network, weights: str | Path) -> None:
    """Load a safetensors file into a network; its last layer stays fresh where the file has another number of classes.

    Raises:
        UsageError: no such file.
        StriateError: the file is damaged, or does not fit.
    """
    path = at_home(weights)
    if not path.is_file():
        raise UsageError(f"weights {weights} of {network.spec.name}: no such file; give a .safetensors file of its own")
    if not isinstance(network, Foreign):
        raise StriateError(f"{network.spec.name} takes weights when it is made")
    state = {key.removeprefix(PREFIX): value for key, value in read_state(path).items()}
    classifier = network.anatomy.classifier
    weight = f"{classifier}.weight"
    own = network.module.state_dict()
    differs = classifier is not None and weight in state and state[weight].shape[:1] != own[weight].shape[:1]
    load_state(network.module, state, where=str(weights), leave=(f"{classifier}.",) if differs else ())
    network.fresh = (f"{PREFIX}{classifier}",) if differs else ()
