"""What numbers a recipe may hold."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

from striate.caller import either, said
from striate.errors import UsageError
from striate.training.schedules import in_epochs

#: The least and the largest value of each field. The large ones are far beyond all that trains: whoever asks for more
#: has mistyped.
LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 1_000_000),
    "batch_size": (1, 10_000_000),
    "learning_rate": (0, 100),
    "momentum": (0, 1),
    "weight_decay": (0, 100),
    "warmup_epochs": (0, 1_000_000),
    "peak": (0, 1),
    "gamma": (0, 1),
    "every": (1, 1_000_000),
    "patience": (1, 1_000_000),
    "label_smoothing": (0, 1),
    "auxiliary_weight": (0, 100),
    "clip_norm": (0, 1e9),
    "stage_decay": (0, 1),
    "average": (0, 1),
    "early_stopping": (0, 1_000_000),
}

#: Fields that never reach their largest value: nothing would be learnt.
BELOW = ("momentum", "label_smoothing", "average")

#: Fields that are never 0: what has a rate of 0 is frozen, and there is a word for that.
ABOVE = ("stage_decay",)


def check_numbers(recipe: Any) -> None:
    """Check every number of a recipe.

    Raises:
        UsageError: names the first field that is no number, out of its limits, or not in order.
    """
    for field in dataclasses.fields(recipe):
        if field.name in LIMITS:
            _check(field.name, getattr(recipe, field.name), isinstance(field.default, int), *LIMITS[field.name])
    for name in BELOW:
        if getattr(recipe, name) == LIMITS[name][1]:
            raise UsageError(f"{name} is {getattr(recipe, name)}; it must be at least 0 and below 1.")
    for name in ABOVE:
        if getattr(recipe, name) == 0:
            raise UsageError(f"{name} is {getattr(recipe, name)}; it must be above 0 and at most 1.")
    if recipe.schedule == "one_cycle" and not 0 < recipe.peak < 1:
        raise UsageError(f"peak is {recipe.peak}; it must lie between 0 and 1.")
    _check_milestones(recipe.milestones)


def _check(name: str, value: Any, whole: bool, least: float, most: float) -> None:
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or not least <= value <= most:  # a NaN is within no limits
        number = "a whole number" if whole else "a number"
        raise UsageError(f"{said(name)} is {value!r}; it must be {number} from {least:,} to {most:,}.")


def _check_milestones(milestones: Any) -> None:
    most = LIMITS["epochs"][1]
    for milestone in milestones:
        _check("one of the milestones", milestone, False, 0, most)
    whole = all(milestone == int(milestone) for milestone in milestones)
    rises = all(first < second for first, second in pairwise((0, *milestones)))
    if not rises or not (whole if in_epochs(milestones) else all(milestone < 1 for milestone in milestones)):
        text = ", ".join(f"{milestone:g}" for milestone in milestones)
        raise UsageError(
            f"milestones are {text}; they are shares of training, below 1, or whole epochs, from 1 on, in rising order."
        )


def check_validated(recipe: Any, validated: bool) -> None:
    """Raise UsageError for a recipe that goes by validation figures where no images are set aside to validate on."""
    if validated:
        return
    for asked, what in ((recipe.early_stopping, "early_stopping"), (recipe.schedule == "plateau", "schedule=plateau")):
        if asked:
            share = either("--val-fraction", "val_fraction")
            raise UsageError(f"{what} goes by validation figures, and no images are set aside; give {share}.")
