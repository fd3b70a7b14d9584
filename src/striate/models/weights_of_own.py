"""Weights for somebody else's network: a file with the tensors of its own names."""

from __future__ import annotations

from pathlib import Path

from striate.errors import StriateError, UsageError
from striate.models.foreign import Foreign
from striate.models.network import Network
from striate.models.recognition import told_whose
from striate.weights import load_state, read_tensors
from striate.weights.files import weights_file

#: Before the names of a module's tensors in a file that was written here.
PREFIX = "module."


def put_in(network: Network, weights: str | Path) -> None:
    """Load a file of weights, or that of a run, into a network; its last layer stays fresh for other classes.

    Raises:
        UsageError: no such file.
        StriateError: the file is damaged, or does not fit.
    """
    path = weights_file(weights)
    if not path.is_file():
        raise UsageError(f"weights {weights} of {network.spec.name}: no such file; give a file of its own tensors")
    if not isinstance(network, Foreign):
        raise StriateError(f"{network.spec.name} takes weights when it is made")
    state = {key.removeprefix(PREFIX): value for key, value in read_tensors(path).items()}
    classifier = network.anatomy.classifier
    weight = f"{classifier}.weight"
    own = network.module.state_dict()
    differs = classifier is not None and weight in state and state[weight].shape[:1] != own[weight].shape[:1]
    with told_whose(network.spec.name, weights):
        load_state(network.module, state, where=str(weights), leave=(f"{classifier}.",) if differs else ())
    network.fresh = (f"{PREFIX}{classifier}",) if differs else ()
