"""Weights for somebody else's network: a file with the tensors of its own names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from striate.errors import StriateError, UsageError
from striate.models.foreign import Foreign
from striate.models.hub import hub_model
from striate.models.libraries import preprocessing_of
from striate.models.network import Network
from striate.models.recognition import told_whose
from striate.models.references import reference_to
from striate.weights import WeightSource, adapt_channels, describe, load_state, read_tensors
from striate.weights.converted import known
from striate.weights.files import OWN_MODEL, has_metadata, read_metadata, weights_file
from striate.weights.hub import is_hub
from striate.weights.images import Images
from striate.weights.loading import first_convolution

#: Before the names of a module's tensors in a file that was written here.
PREFIX = "module."
#: What a file says where it says how images are fed.
SAYS_IMAGES = (OWN_MODEL, "input_mean")


def put_in(network: Network, weights: str | Path) -> None:
    """Load a file of weights, that of a run or of the Hub's, into a network; for other classes its last layer stays
    fresh, and for images of other channels the filters of its first convolution are adapted.

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
    network.filters_for = _adapt(network.module, state)
    classifier = network.anatomy.classifier
    weight = f"{classifier}.weight"
    own = network.module.state_dict()
    differs = classifier is not None and weight in state and state[weight].shape[:1] != own[weight].shape[:1]
    with told_whose(network.spec.name, weights):
        load_state(network.module, state, where=str(weights), leave=(f"{classifier}.",) if differs else ())
    network.fresh = (f"{PREFIX}{classifier}",) if differs else ()
    network.weights_source = found.source if found is not None else images_said(network.spec.name, path, network.module)


def _adapt(module: nn.Module, state: dict[str, Tensor]) -> int | None:
    """Adapt the filters of the first convolution in `state`; the channels that they were for, where it was others."""
    first = first_convolution(module)
    key = "" if first is None else f"{first[0]}.weight"
    if first is None or key not in state or first[1].groups != 1 or state[key].dim() != 4:
        return None
    channels = state[key].shape[1]
    if channels == first[1].in_channels:
        return None
    state[key] = adapt_channels(state[key], first[1].in_channels)
    return channels


def images_said(name: str, weights: str | Path, module: nn.Module | None = None) -> WeightSource | None:
    """How the images of a file's network were fed, as the file says, else as its library does; None where neither does.

    Args:
        name: of the network.
        weights: a file or run folder.
        module: the network, of which a library may say more.

    Raises:
        StriateError: the file cannot be read.
    """
    path = weights_file(weights)
    if not path.is_file():
        return None
    says = has_metadata(path) and any(key in read_metadata(path) for key in SAYS_IMAGES)
    if says or known(path) is not None:
        return describe(path)
    reference = reference_to(name)
    if reference is None or reference.is_named_code:
        return None
    try:
        fed = preprocessing_of(reference, module)
    except UsageError:  # its library has no weights for it
        return None
    images = Images(fed["mean"], fed["std"], fed["interpolation"])
    return replace(describe(path, min(fed["size"]), images), crop_fraction=fed["crop_fraction"])
