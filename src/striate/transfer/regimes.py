"""The regimes of transfer: what of a pretrained network is trained on new pictures, and how.

From the least to the most: a classifier of its features; a new head under augmentation; the last stages with it; all
of it. Each begins with the classifier of the features in the head, not with noise, which would spoil the features
before it has learnt anything (linear probing, then fine-tuning: Kumar et al., 2022, arXiv:2202.10054).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from striate.augment import Augment
from striate.models import Network
from striate.training.recipes import Recipe

#: Crops and mirror images: those of the recipe "photos", and stronger crops would spoil what is known already.
_MILD = Augment(flip=0.5, area=0.35, brightness=0.15, contrast=0.15, saturation=0.15)


@dataclass(frozen=True)
class Regime:
    """One way to use a pretrained network.

    Attributes:
        name: what `--transfer` calls it.
        trains: what is trained, in words.
        recipe: how, where anything is trained by steps; None for the features alone.
    """

    name: str
    trains: str
    recipe: Recipe | None = None


FEATURES = Regime("features", "a linear classifier of its features")
HEAD = Regime(
    "head",
    "the head alone, under augmentation",
    Recipe(
        name="transfer_head",
        epochs=6,
        batch_size=32,
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.05,
        warmup_epochs=0.5,
        augment=_MILD,
    ),
)
FULL = Regime(
    "full",
    "all of it, at rates that fall by stage",
    Recipe(
        name="transfer_full",
        epochs=6,
        batch_size=32,
        optimizer="adamw",
        learning_rate=3e-4,
        weight_decay=0.05,
        warmup_epochs=0.5,
        stage_decay=0.75,
        label_smoothing=0.1,
        clip_norm=1.0,
        average=0.98,
        augment=_MILD,
    ),
)
TOP = Regime("top", "the head and the last stages", replace(FULL.recipe, name="transfer_top"))  # type: ignore[type-var]

#: By name; "auto" is no regime but the choice among them, "scratch" is none of pretrained weights.
REGIMES: Mapping[str, Regime | None] = MappingProxyType(
    {"features": FEATURES, "head": HEAD, "top": TOP, "full": FULL, "auto": None}
)
SCRATCH = "scratch"

#: Share of a network's parameters, from its end, that the regime "top" trains at least.
TOP_SHARE = 0.5


def recipe_of(regime: str) -> Recipe | None:
    """How what a regime trains is trained; None where nothing is, or nothing is transferred."""
    chosen = REGIMES.get(regime) or (FULL if regime == "auto" else None)
    return None if chosen is None else chosen.recipe


def frozen_until(network: Network, regime: str) -> str | None:
    """The part up to and with which a regime freezes a network; None where it freezes nothing.

    The last stages are as few as hold half of the parameters before the head.

    Raises:
        UsageError: the parts of the network are not known.
    """
    if regime in ("features", "head"):
        return "all"
    if regime != "top":
        return None
    sizes = {name: sum(weight.numel() for weight in part.parameters()) for name, part in network.parts().items()}
    names, total, trained = list(sizes), sum(sizes.values()), 0
    for name in reversed(names):
        trained += sizes[name]
        if trained >= TOP_SHARE * total:
            place = names.index(name)
            return names[place - 1] if place else None
    return None
