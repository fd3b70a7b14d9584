"""The recipe of a run: the one that was asked for, or that suits, with what was set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from striate.classifier.choices import fitting_batch
from striate.classifier.request import Request
from striate.data import Dataset
from striate.data.preprocessing import SMALL
from striate.errors import UsageError
from striate.models import Network
from striate.training.auxiliary import auxiliary_weight
from striate.training.limits import check_validated
from striate.training.recipes import Recipe
from striate.training.shelf import get_recipe
from striate.training.tasks import Task
from striate.transfer.regimes import recipe_of


def preset_of(asked: Request, transfer: str, images: int, small: bool, size: int) -> Recipe:
    """The recipe that a run begins with, before anything is set.

    Args:
        asked: what was asked for.
        transfer: the regime, which has a recipe of its own; "" for none.
        images: how many there are to train on.
        small: whether they are.
        size: of the images as the network sees them, pixels.

    Raises:
        UsageError: an unknown name.
    """
    if asked.recipe:
        return get_recipe(asked.recipe) if isinstance(asked.recipe, str) else asked.recipe
    suited = recipe_of(transfer, images, small, size)
    return suited or get_recipe("finetune" if asked.weights else "tiny" if size <= SMALL else "photos")


def recipe_for(
    preset: Recipe, asked: Request, network: Network, dataset: Dataset, task: Task
) -> tuple[Recipe, list[str]]:
    """The recipe with what was set, suited to the images, the task and the devices; and what was decided on the way.

    Raises:
        UsageError: it does not go with the network, the images or the devices.
    """
    chosen, notes = preset, []
    fitting = fitting_batch(len(dataset.train))
    if "batch_size" not in asked.settings and fitting < chosen.batch_size:
        chosen = chosen.with_batch_size(fitting)
        notes.append(
            f"batches of {fitting} images, since there are only {len(dataset.train)} to train on; "
            + _rate_of(chosen, asked.settings)
        )
    chosen = task.fitting(chosen)
    if "optimizer" in asked.settings and "weight_decay" not in asked.settings:
        suited = chosen.with_optimizer(asked.settings["optimizer"])
        if suited.weight_decay != chosen.weight_decay:
            notes.append(
                f"weight decay {suited.weight_decay:g}, as is usual with {suited.optimizer}; the recipe's "
                f"{chosen.weight_decay:g} is for {chosen.optimizer}"
            )
        chosen = suited
    chosen = chosen.override(asked.settings)
    task.loss(chosen, network.loss)  # raises where they do not go together
    chosen = replace(chosen, auxiliary_weight=auxiliary_weight(network, chosen))
    check_validated(chosen, dataset.val is not None)
    if chosen.batch_size % asked.devices:
        raise UsageError(f"a batch of {chosen.batch_size} cannot be shared evenly by {asked.devices} devices.")
    return chosen, notes


def _rate_of(fitting: Recipe, settings: Mapping[str, Any]) -> str:
    """What is said of the learning rate of a recipe whose batches were made smaller."""
    if "learning_rate" not in settings:
        return f"learning rate {fitting.learning_rate:.3g} to suit"
    asked = settings["learning_rate"]
    if settings.get("optimizer", fitting.optimizer) != fitting.optimizer:
        return f"learning rate {asked} as asked for"
    return f"a learning rate of {fitting.learning_rate:.3g} would suit them, {asked} was asked for"
