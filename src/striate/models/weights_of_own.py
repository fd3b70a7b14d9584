"""Weights for somebody else's network: a file with the tensors of its own names."""

from __future__ import annotations

from pathlib import Path

from striate.errors import StriateError, UsageError
from striate.models.foreign import Foreign
from striate.models.hub import hub_model
from striate.models.network import Network
from striate.models.recognition import told_whose
from striate.weights import load_state, read_tensors
from striate.weights.files import weights_file
from striate.weights.hub import is_hub

#: Before the names of a module's tensors in a file that was written here.
PREFIX = "module."


def put_in(network: Network, weights: str | Path) -> None:
    """Load a file of weights, that of a run or of the Hub's, into a network; for other classes its last layer stays
    fresh.

    Raises:
        UsageError: no such file.
        StriateError: the file is damaged, or does not fit.
    """
    found = hub_model(str(weights)) if is_hub(weights) else None
    if found is not None and f"timm:{found.architecture}" != network.spec.name:
        raise UsageError(f"{weights}: weights of {found.network}, which do not fit {network.spec.name}")
    path = found.path() if found is not None else weights_file(weights)
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
    network.weights_source = found.source if found is not None else None
