"""The sets of weights that a network can have: those on its card, and those that lie on this machine beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.errors import StriateError
from striate.models.at_hand import AtHand, weights_at_hand
from striate.models.catalogue import cards, get_card
from striate.weights import CIFAR10, IMAGENET, WeightSource
from striate.weights.files import has_metadata, read_shapes, read_tensors
from striate.weights.hub import hub_file_at_hand
from striate.weights.places import folders
from striate.weights.remembered import is_of
from striate.weights.source import HUB

RIGHT, DAMAGED, UNSTATED = "right", "damaged", "no checksum is published"


@dataclass(frozen=True)
class Listed:
    """One set of weights of a network.

    Attributes:
        network: its name in the catalogue.
        source: the record; of what is on no card its name is the path.
        path: where it lies on this machine, or None.
    """

    network: str
    source: WeightSource
    path: Path | None

    @property
    def short_name(self) -> str:
        """The source's name, but of what is on no card that of its file."""
        return self.source.file if self.path is not None and self.source.name == str(self.path) else self.source.name

    @property
    def size(self) -> tuple[int, bool]:
        """Bytes of the file, and whether that is known: else it is what the network's weights come to in float32."""
        if self.path is not None:
            return self.path.stat().st_size, True
        return (4 * cards()[self.network].parameters, False) if self.source.size is None else (self.source.size, True)

    @property
    def top1(self) -> float | None:
        """The share of right answers as published, on the test images of ImageNet or CIFAR-10."""
        on_test = (figure for figure in self.source.accuracy if figure.data in (IMAGENET, CIFAR10))
        return next((figure.value for figure in on_test if figure.metric == "top1"), None)

    @property
    def place(self) -> str:
        """Where the file is published; empty where it is at no address."""
        if self.source.repository:
            return f"https://huggingface.co/{self.source.url.removeprefix(HUB)}"
        return self.source.url


def listed(network: str | None = None) -> list[Listed]:
    """The sets of weights of one network or of all, in the order of the catalogue; those of a base stand with it.

    Raises:
        UsageError: no network has that name.
    """
    chosen = list(cards().values()) if network is None else [get_card(network)]
    found = weights_at_hand()
    rows = []
    for card in chosen:
        own = get_card(card.base) if card.base and network is not None else card
        if own.base:
            continue
        rows += [Listed(own.name, source, _place(source)) for source in own.weights]
        rows += [Listed(own.name, one.source, one.path) for one in _beside(found, own.name, own.weights)]
    return rows


def _place(source: WeightSource) -> Path | None:
    """Where a published file lies; one that is damaged does not count."""
    if source.repository:
        return hub_file_at_hand(source.repository, source.file)
    paths = (folder / source.file for folder in folders())
    return next((path for path in paths if path.is_file() and is_of(path, source.checksum)), None)


def _beside(found: Iterable[AtHand], network: str, published: Sequence[WeightSource]) -> list[AtHand]:
    """What lies on this machine and is on no card."""
    return [one for one in found if one.network == network and one.source not in published]


@dataclass(frozen=True)
class Verified:
    """A file that was read to its end.

    Attributes:
        network: the network whose weights it holds, or is called as.
        name: of the weights.
        path: of the file.
        state: `RIGHT`, `DAMAGED`, or `UNSTATED` for a file that can be read and whose publisher states no checksum.
        checksum: what was compared.
    """

    network: str
    name: str
    path: Path
    state: str
    checksum: str


def verified(network: str | None = None) -> list[Verified]:
    """Every file of weights on this machine, of one network or of all, read anew and compared with its checksum.

    Raises:
        UsageError: no network has that name.
    """
    rows, seen = [], set()
    for one in [*listed(network), *_under_their_names(network)]:
        if one.path is not None and one.path not in seen:
            seen.add(one.path)
            checksum = str(one.source.checksum) if one.source.checksum.digits else ""
            rows.append(Verified(one.network, one.source.name, one.path, _state(one.source, one.path), checksum))
    return rows


def _under_their_names(network: str | None) -> list[Listed]:
    """Files in the folders that are called as a published one, whatever is in them."""
    chosen = list(cards().values()) if network is None else [get_card(network)]
    return [
        Listed(card.name, source, folder / source.file)
        for card in chosen
        for source in card.weights
        for folder in folders()
        if not source.repository and (folder / source.file).is_file()
    ]


def _state(source: WeightSource, path: Path) -> str:
    try:
        if source.checksum.digits:
            return RIGHT if source.checksum.is_of(path) else DAMAGED
        _ = read_shapes(path) if has_metadata(path) else read_tensors(path)
    except (OSError, StriateError):
        return DAMAGED
    return UNSTATED
