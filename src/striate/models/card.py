"""Cards: what is known about a network before any of it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from striate.models.erratum import Erratum
from striate.notebook import Facts, Shown, listed
from striate.weights import Figure, WeightSource


@dataclass(frozen=True)
class Paper:
    """Where a network was published."""

    title: str
    authors: str
    year: int
    arxiv: str | None = None

    def __str__(self) -> str:
        where = f", arXiv:{self.arxiv}" if self.arxiv else ""
        return f"{self.authors} ({self.year}): {self.title}{where}"


@dataclass(frozen=True, repr=False)
class Card(Shown):
    """One network of the catalogue.

    `parameters` is the exact count of the network as built by default. `published` holds the figures that its paper
    or others print, each with what it was measured on; those of the weights stand with the weights.
    `peers` names the same network at "torchvision", "timm" or "keras": its weights fit ours through the family's
    key table of that name, built with that table's options, and its outputs are then ours.
    `min_size` is the smallest image side (pixels) the network works on; where `fixed_size` is true a network
    is built for one size of image (its dense layers depend on it), `input_size` unless another is asked for.
    Where the small stem (see `striate.models.stem`) works on smaller images, `small_min_size` says on which.
    `options` are the builder's options as this network sets them. `auxiliary_weight` is what the paper multiplies the
    loss of each auxiliary head by, 0 where there are no such heads to build.
    `base` names the network whose convolutions this one has beneath a head of its own: `weights` are then that
    network's, and so are files of weights; only the base is loaded.
    """

    name: str
    family: str
    paper: Paper
    introduces: str
    input_size: int
    parameters: int
    min_size: int = 1
    small_min_size: int | None = None
    num_classes: int = 1000
    in_channels: int = 3
    fixed_size: bool = False
    published: tuple[Figure, ...] = ()
    peers: Mapping[str, str] = field(default_factory=dict)
    weights: tuple[WeightSource, ...] = ()
    deviations: tuple[str, ...] = ()
    errata: tuple[Erratum, ...] = ()
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    auxiliary_weight: float = 0.0
    base: str | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.introduces} {self.paper}. {self.parameters:,} parameters."

    def _facts(self) -> Facts:
        return Facts(
            {
                "network": self.name,
                "paper": f"{self.paper.authors} ({self.paper.year})",
                "introduces": self.introduces,
                "parameters": f"{self.parameters:,} parameters",
                "input": f"{self.input_size}x{self.input_size} pixels",
                "weights": f"weights {listed([source.name for source in self.weights])}" if self.weights else "",
            }
        )

    def smallest(self, stem: str | None = None) -> int:
        """The smallest image side with this stem."""
        return self.small_min_size if stem == "small" and self.small_min_size else self.min_size

    def to_dict(self) -> dict[str, Any]:
        """Everything on the card as plain dictionaries, lists, strings and numbers."""
        return asdict(self)


@dataclass(frozen=True, repr=False)
class ModelSpec(Shown):
    """What rebuilds a network: `create_model(spec.name, **spec.arguments)`. All of it goes into JSON.

    `origin` says where the code of a network lies that is not of the catalogue; see `striate.models.origin`.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The spec as a plain dictionary."""
        origin = {"origin": dict(self.origin)} if self.origin else {}
        return {"name": self.name, "arguments": dict(self.arguments), **origin}

    def _facts(self) -> Facts:
        arguments = {name: str(value) for name, value in self.arguments.items()}
        told = {name: f"{name}={value}" for name, value in arguments.items()}
        return Facts({"network": self.name, **told})

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ModelSpec:
        """The inverse of `to_dict`."""
        return cls(record["name"], dict(record["arguments"]), dict(record.get("origin", {})))


@dataclass(frozen=True)
class Family:
    """One file of networks: the cards and the one function that builds them all.

    `build(name, *, num_classes, in_channels, input_size, **options)` returns a ConvNet; its other
    keyword-only arguments are the family's options. `input_size` reaches it as (height, width) or None.
    """

    name: str
    build: Callable[..., nn.Module]
    cards: tuple[Card, ...]
