"""The regimes of transfer: what of a pretrained network is trained on new pictures, and how.

From the least to the most: a classifier of its features; a new head under augmentation; the last stages with it; all
of it. Each begins with the classifier of the features in the head, not with noise, which would spoil the features
before it has learnt anything (linear probing, then fine-tuning: Kumar et al., 2022, arXiv:2202.10054).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from striate.data.preprocessing import SMALL
from striate.models import Network
from striate.training.recipes import Recipe
from striate.training.shelf import get_recipe
from striate.training.unfreezing import NOTHING


@dataclass(frozen=True)
class Regime:
    """One way to use a pretrained network.

    Attributes:
        name: what `--transfer` calls it.
        trains: what is trained, in words.
        recipe: name of that by which it is trained, or which says how images are augmented where nothing is trained by
            steps.
    """

    name: str
    trains: str
    recipe: str


FEATURES = Regime("features", "a linear classifier of its features", "transfer_head")
HEAD = Regime("head", "the head alone, under augmentation", "transfer_head")
TOP = Regime("top", "the head and the last stages", "transfer_all")
FULL = Regime("full", "all of it, at rates that fall by stage", "transfer_all")

#: No regime but the choice among them, and none of pretrained weights.
AUTO, SCRATCH = "auto", "scratch"
#: By name.
REGIMES: Mapping[str, Regime | None] = MappingProxyType(
    {"features": FEATURES, "head": HEAD, "top": TOP, "full": FULL, AUTO: None}
)

#: Training images from which on a recipe's epochs suffice; with a quarter of them there are twice as many epochs.
MANY = 3_000
#: Epochs, at most.
MOST_EPOCHS = 36

#: What the rate is multiplied by for a network of small pictures.
SMALL_RATE = 2
#: Share of a network's parameters, from its end, that the regime "top" trains at least.
TOP_SHARE = 0.5


def recipe_of(regime: str, images: int, small: bool, side: int) -> Recipe | None:
    """How what a regime trains is trained; None where nothing is transferred.

    A network of small pictures has few weights, which it can well learn anew, and stands twice the rate.

    Args:
        regime: one of `REGIMES`, or anything else, which has none.
        images: how many there are to train on: the fewer, the more often each is seen.
        small: whether they are small, which are moved and turned a little in place of being cropped and mirrored:
            of those many have an orientation, as digits have.
        side: of the images as the network sees them, pixels.
    """
    chosen = REGIMES.get(regime) or (FULL if regime == AUTO else None)
    if chosen is None:
        return None
    recipe = get_recipe(chosen.recipe)
    epochs = round(recipe.epochs * math.sqrt(MANY / max(1, images)))
    recipe = replace(recipe, epochs=min(max(epochs, recipe.epochs), MOST_EPOCHS))
    if side <= SMALL:
        recipe = replace(recipe, learning_rate=SMALL_RATE * recipe.learning_rate)
    return replace(recipe, augment=get_recipe("tiny").augment) if small else recipe


def steps_of(network: Network, regime: str) -> tuple[str | None, ...]:
    """The parts up to and with which a regime freezes a network, one after the other; None for none.

    The last stages are freed one by one, from the last on, as few as hold half of the parameters before the head: what
    is best on the validation images is kept, so that as many are trained as pays.

    Raises:
        UsageError: the parts of the network are not known.
    """
    if regime in ("features", "head"):
        return ("all",)
    if regime != "top":
        return (None,)
    sizes = {name: sum(weight.numel() for weight in part.parameters()) for name, part in network.parts().items()}
    names, total, trained = list(sizes), sum(sizes.values()), 0
    steps: list[str | None] = []
    for place in reversed(range(len(names))):
        trained += sizes[names[place]]
        steps.append(names[place - 1] if place else None)
        if trained >= TOP_SHARE * total:
            break
    return tuple(steps)


def unfreezing(steps: tuple[str | None, ...], epochs: int) -> str:
    """The steps after the first as a recipe's `unfreeze` says them, each as many epochs long as the others."""
    begins = [1 + place * epochs // len(steps) for place in range(len(steps))]
    thaws = {epoch: until or NOTHING for epoch, until in zip(begins, steps, strict=True) if epoch > 1}
    return ",".join(f"{epoch}:{until}" for epoch, until in thaws.items())
