"""Which weights are meant by a word: a name on the card, a publisher, a repository of the Hub, a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from striate.errors import UsageError, unknown
from striate.models.at_hand import stands_for_usual
from striate.models.card import Card
from striate.models.catalogue import families
from striate.models.hub import hub_model
from striate.weights import WeightSource, locate, source_called
from striate.weights.files import weights_file
from striate.weights.hub import is_hub
from striate.weights.places import given_folders
from striate.weights.store import at_hand


@dataclass(frozen=True)
class Choice:
    """Weights that were chosen for a network.

    Attributes:
        record: what is known of them before their file is there; None for a file that says it itself.
        path: finds the file, and fetches it where it has to; raises as `locate`.
    """

    record: WeightSource | None
    path: Callable[[], Path]


def is_named(card: Card, weights: str | Path) -> bool:
    """Whether weights are meant by a name, and not by a path."""
    return is_hub(weights) or source_called(card.weights, str(weights)) is not None


def choose(card: Card, weights: str | Path) -> Choice:
    """The weights that are meant; nothing is fetched yet but what a repository of the Hub says of itself.

    In the folders of `STRIATE_WEIGHTS` a file of the network by another publisher may stand for its usual weights,
    where those are not there.

    Raises:
        UsageError: the card has no weights of that name, or they are another network's.
        StriateError: a file in a folder is damaged; a repository cannot be reached.
    """
    if is_hub(weights):
        found = hub_model(str(weights))
        if not found.fits(card) and not (card.base and card.base == found.network):
            raise UsageError(
                f"{weights}: weights of {found.network}, which do not fit {card.name}; take {found.network} as the "
                "network, or other weights."
            )
        return Choice(found.source, found.path)
    source = source_called(card.weights, str(weights))
    if source is not None:
        given = given_folders()
        instead = stands_for_usual(card, given) if given and source is card.weights[0] else None
        if instead is None or (not source.repository and at_hand(source, given) is not None):
            return Choice(source, lambda: locate(source))
        return Choice(instead.source, lambda: instead.path)
    if isinstance(weights, Path) or "/" in weights or "\\" in weights or Path(weights).suffix or Path(weights).is_dir():
        return Choice(None, lambda: weights_file(weights))
    if card.weights:
        raise unknown(f"weights of {card.name}", weights, [source.name for source in card.weights])
    others = ", ".join(other.name for other in families()[card.family].cards if other.weights)
    have = f" ({others} of its family have)" if others else ""
    raise UsageError(f"{card.name} has no published weights{have}; weights takes the path of a safetensors file")
