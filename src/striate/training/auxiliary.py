"""Auxiliary heads: built where training asks for them, and never built without being trained.

GoogLeNet's authors put classifiers on inner stages so that gradients reach the first layers (Szegedy et al., 2014,
arXiv:1409.4842, section 5). Prediction and validation never run them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.caller import either
from striate.errors import UsageError
from striate.models import Network, Outline, get_card, list_models
from striate.models.libraries import WITH_HEADS
from striate.training.recipes import Recipe

#: Networks of torchvision that build their heads by an option of theirs.
WITH_AN_OPTION = tuple(f"torchvision:{name}" for name in WITH_HEADS)


def auxiliary_options(
    outline: Outline, options: Mapping[str, Any], settings: Mapping[str, Any], preset: Recipe
) -> Mapping[str, Any]:
    """The network's options, with its auxiliary heads where a weight for their losses is asked for.

    Args:
        outline: of the network.
        options: of the network, as asked for.
        settings: fields of the recipe, as asked for.
        preset: the recipe, before anything is set.

    Raises:
        UsageError: there are none to build, or options and weight contradict each other.
    """
    asked = _asked(settings, preset)
    if asked is None:
        return options
    if outline.card is None:  # such heads are there or not, as its own options say
        return {"aux_logits": True, **options} if asked and outline.name in WITH_AN_OPTION else options
    if not outline.auxiliary_weight:
        if asked:
            have = ", ".join(other for other in list_models() if get_card(other).auxiliary_weight)
            raise UsageError(
                f"{outline.name} has no auxiliary heads, so auxiliary_weight cannot be set; these have: {have}."
            )
        return options
    if "auxiliary" in options and bool(options["auxiliary"]) != bool(asked):
        raise UsageError(
            f"auxiliary={options['auxiliary']} and auxiliary_weight={asked:g} contradict each other: auxiliary heads "
            "that are built are trained. Leave one of the two out."
        )
    return {**options, "auxiliary": bool(asked)}


def _asked(settings: Mapping[str, Any], preset: Recipe) -> float | None:
    """The weight that was asked for, None where it was not spoken of."""
    name = "auxiliary_weight"
    if name in settings:
        return Recipe().override({name: settings[name]}).auxiliary_weight
    return preset.auxiliary_weight or None


def auxiliary_weight(model: Network, recipe: Recipe) -> float:
    """The weight of each auxiliary head's loss: the recipe's, else the network's own; 0 where there are no heads.

    Raises:
        UsageError: heads that would not be trained, or a weight without heads.
    """
    if not model.auxiliary_heads:
        if recipe.auxiliary_weight:
            raise UsageError(
                f"auxiliary_weight is {recipe.auxiliary_weight:g}, but {model.spec.name} is built without auxiliary "
                "heads; build it with auxiliary=True, or leave the weight out."
            )
        return 0.0
    weight = recipe.auxiliary_weight or model.auxiliary_weight
    if not weight:
        raise UsageError(
            f"{model.spec.name} has auxiliary heads and no weight for their losses; give one with "
            f"{either('--set auxiliary_weight=0.3', 'auxiliary_weight=0.3 among the settings')}, or build it "
            "without them."
        )
    return weight
