"""Which network a file of weights belongs to: as the file says, else by the names and shapes of its tensors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from striate.caller import either
from striate.errors import StriateError, UsageError
from striate.files import at_home
from striate.models.building import weightless
from striate.models.card import Card, ModelSpec
from striate.models.catalogue import cards
from striate.models.hub import network_at_hub
from striate.models.references import LIBRARIES
from striate.weights import key_tables, rename
from striate.weights.converted import network_known
from striate.weights.files import OWN_MODEL, has_metadata, read_metadata, read_shapes, weights_file
from striate.weights.hub import is_hub
from striate.weights.keras import SUFFIXES

#: Tensors that are no parameters, by the last word of their names.
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
#: What a file may leave out.
COUNTED = "num_batches_tracked"

Shapes = Mapping[str, tuple[int, ...]]


def network_of(weights: str | Path) -> ModelSpec:
    """The network whose weights these are; `arguments` are empty where the file does not say them itself.

    Args:
        weights: a run folder, a model.safetensors, a repository of the Hub's (`hf:ORG/NAME`), or a file of somebody
            else's, in which every tensor of one network of the catalogue, built as on its card, is there under
            striate's names or a publisher's.

    Raises:
        UsageError: no network fits, more than one does, or it is made by code that has to be named.
        StriateError: the file cannot be read.
    """
    if is_hub(weights):
        return ModelSpec(network_at_hub(str(weights)))
    path = weights_file(weights)
    name_it = f"name the network: {either('--model NAME', 'model=NAME')}"
    spec = spec_in(path)
    if spec is not None:
        if not spec.origin or spec.origin.get("kind") in LIBRARIES:
            return spec
        raise UsageError(f"{weights}: the weights of {spec.name}, code that is run only where you name it; {name_it}.")
    fitting = fitting_networks(path)
    if len(fitting) == 1:
        return ModelSpec(fitting[0])
    if fitting:
        raise UsageError(f"{weights}: the weights fit {' and '.join(fitting)} alike; {name_it}.")
    raise UsageError(f"{weights}: the file does not say whose weights these are, nor do its tensors; {name_it}.")


def spec_of_file(weights: str | Path) -> ModelSpec | None:
    """What a run or a file says of its network; None where it says nothing, and for the name of published weights.

    Raises:
        StriateError: as `spec_in`.
    """
    path = at_home(weights)
    return spec_in(weights_file(path)) if path.exists() else None


def spec_in(path: Path) -> ModelSpec | None:
    """What a file says of its network; None where it says nothing.

    Raises:
        StriateError: the file cannot be read, or what it says cannot be understood.
    """
    if not has_metadata(path):
        return None
    metadata = read_metadata(path)
    try:
        if OWN_MODEL in metadata:
            return ModelSpec.from_dict(json.loads(metadata[OWN_MODEL])["network"])
        return ModelSpec.from_dict(json.loads(metadata["spec"])) if "spec" in metadata else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise StriateError(f"{path}: its metadata cannot be understood ({error!r}); save the file anew") from error


def belongs_elsewhere(card: Card, weights: str | Path) -> str:
    """The network that a file says it belongs to, where that is another than the card's or its base; else nothing."""
    path = weights_file(weights)
    spec = spec_in(path) if path.is_file() else None
    return "" if spec is None or spec.name in (card.name, card.base) else spec.name


@contextmanager
def told_whose(name: str, weights: str | Path | None) -> Iterator[None]:
    """Where the network `name` cannot take the weights of a file, and it is seen whose they are, an error says so.

    Raises:
        UsageError: in place of what is raised inside, where these are another network's weights.
    """
    try:
        yield
    except StriateError as error:
        owners = [] if weights is None else _owners(weights)
        if not owners or name in owners:
            raise
        raise UsageError(
            f"{weights}: weights of {' or '.join(owners)}, which do not fit {name}; "
            f"take {owners[0]} as the network, or other weights."
        ) from error


def _owners(weights: str | Path) -> list[str]:
    """Names of the networks to which the weights belong, as far as can be told."""
    try:
        path = weights_file(weights)
        spec = spec_in(path) if path.is_file() else None
        return [spec.name] if spec is not None else fitting_networks(path)
    except (StriateError, OSError):
        return []


def fitting_networks(path: Path) -> list[str]:
    """The networks of the catalogue whose tensors, built as on their cards, a file has, and no others."""
    if path.suffix in SUFFIXES:
        return []
    shapes = read_shapes(path)
    count = sum(math.prod(shape) for key, shape in shapes.items() if not key.endswith(BUFFERS))
    fitting = [card.name for card in cards().values() if card.parameters == count and _fits(card, shapes)]
    # Plain and residual networks may have the same tensors; of a file that is known by its content it is known which.
    told = network_known(path) if len(fitting) > 1 else ""
    return [told] if told in fitting else fitting


def _fits(card: Card, shapes: Shapes) -> bool:
    """Whether the tensors are those of a card's network under the names of one of its publishers."""
    own = {key: tuple(value.shape) for key, value in weightless(card.name).state_dict().items()}
    needed = {key for key in own if not key.endswith(COUNTED)}
    for table in (None, *key_tables(card.family).values()):
        given = rename(shapes, table)
        if needed <= given.keys() <= own.keys() and all(_alike(given[key], own[key]) for key in needed):
            return True
    return False


def _alike(given: tuple[int, ...], own: tuple[int, ...]) -> bool:
    """Whether a tensor fits; a dense layer takes the weight of the convolution over its whole map."""
    return given == own or (given[:1] == own[:1] and math.prod(given) == math.prod(own))
