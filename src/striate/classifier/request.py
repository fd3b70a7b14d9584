"""What a caller asks for, refused where it is impossible before an image is read or a folder is made."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from striate.errors import UsageError
from striate.models import create_model, get_card
from striate.training.hardware import choose_precision, device_type
from striate.training.recipes import Recipe, get_recipe

#: The largest values that make sense; a slip of the finger should not fill the memory.
SEEDS, SIDES, DEVICES, WORKERS, EPOCHS = 2**32 - 1, 8192, 1024, 256, 1_000_000

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number between two bounds.

    Raises:
        UsageError: it is none.
    """
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if not least <= number <= most:
        raise UsageError(f"{name} is {value}; whole numbers from {least} to {most:,} are possible.")
    return number


def share(name: str, value: Any) -> float:
    """A share from 0 to below 1.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1:
        raise UsageError(f"{name} is a share from 0 to below 1, not {value}")
    return float(value)


def seconds(name: str, value: Any) -> float:
    """A time: seconds, or text such as "90s", "15m" or "1.5h".

    Raises:
        UsageError: it is none, or below zero.
    """
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", value.strip())):
        return float(match[1]) * UNITS[match[2]]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise UsageError(f"{name} {value}: give seconds, or write it as 90s, 15m or 2h.")


def check_recipe(recipe: str | Recipe | None, settings: Mapping[str, Any]) -> None:
    """Refuse a recipe or a setting of it; see `check_network`."""
    if isinstance(recipe, str):
        recipe = get_recipe(recipe)
    if not isinstance(recipe, Recipe | None):
        raise UsageError(f"recipe is a {type(recipe).__name__}; give a Recipe or the name of one.")
    (recipe or Recipe()).override(settings)


def check_network(
    model: str | None,
    weights: str | Path | None,
    options: Mapping[str, Any],
    size: int | None,
    freeze: str | None,
) -> None:
    """Refuse what can be seen to be wrong of a network by its name alone.

    Raises:
        UsageError: an unknown name or an impossible value.
        StriateError: weights that are not there.
    """
    if model is None:
        return
    card = get_card(model)
    with torch.device("meta"):  # no weight is made
        network = create_model(model, input_size=size, **options)
        if freeze:
            network.freeze(freeze)
        published = {source.name for source in card.weights}
        if weights and str(weights) not in published and not Path(weights).expanduser().is_file():
            create_model(model, weights=weights)  # says what is wrong with them


def check_hardware(device: str, precision: str) -> None:
    """Refuse a device or a precision.

    Raises:
        UsageError: an unknown name.
        StriateError: a device that is not there.
    """
    choose_precision(precision, device_type(device), 0, 1)
