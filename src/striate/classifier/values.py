"""Values as a caller gives them, each refused in one line where it is none of its kind."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

from torch import nn

from striate.caller import either, said
from striate.errors import UsageError

#: The largest values that make sense; a slip of the finger should not fill the memory.
SEEDS, SIDES, DEVICES, WORKERS, EPOCHS, VIEWS = 2**32 - 1, 8192, 1024, 256, 1_000_000, 1000

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}

#: Arguments of `create_model` that are no options of a network, and what decides them.
DECIDED = {
    "name": "give it as the model",
    "num_classes": "the images decide it",
    "in_channels": "the images decide it",
    "input_size": "give it as the size",
    "weights": "give them by themselves",
    "fully_convolutional": "a network is trained with its dense layers",
}


def word(name: str, value: Any) -> str:
    """A name.

    Raises:
        UsageError: it is none, or empty.
    """
    if not isinstance(value, str) or not value:
        raise UsageError(f"{said(name)} is {value!r}; give a name, or leave it out.")
    return value


def network(name: str, value: Any) -> Any:
    """A network: its name, a module, or what makes one.

    Raises:
        UsageError: it is none of them.
    """
    if isinstance(value, nn.Module) or (callable(value) and not isinstance(value, str)):
        return value
    return word(name, value)


def place(name: str, value: Any) -> Any:
    """A path, or the name of something that is known, as it was given.

    Raises:
        UsageError: it is neither, or empty.
    """
    if not isinstance(value, (str, os.PathLike)) or not str(value) or "\0" in str(value):
        raise UsageError(f"{said(name)} is {value!r}; give a path.")
    return value


def fields(name: str, value: Any) -> dict[str, Any]:
    """Values by name; none where nothing is given.

    Raises:
        UsageError: it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{name} is {value!r}; give values by name, such as {{'name': value}}.")
    return dict(value)


def recipe_fields(arguments: Mapping[str, Any], settings: Any) -> dict[str, Any]:
    """The fields of the recipe that are asked for: those with an argument of their own, and the others.

    Raises:
        UsageError: one is given twice.
    """
    named = {name: value for name, value in arguments.items() if value is not None}
    others = fields("settings", settings)
    for name in named.keys() & others.keys():
        among = either("by --set", "among settings")
        raise UsageError(f"{said(name)} is given twice, as {named[name]} and as {others[name]} ({among}).")
    return named | others


def network_options(options: Any) -> dict[str, Any]:
    """The options of a network.

    Raises:
        UsageError: something else is among them.
    """
    found = fields("options", options)
    for name in found.keys() & DECIDED.keys():
        raise UsageError(f"{name} is no option of a network: {DECIDED[name]}.")
    return found


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
        raise UsageError(f"{said(name)} is {value}; whole numbers from {least} to {most:,} are possible.")
    return number


def share(name: str, value: Any) -> float:
    """A share from 0 to below 1.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < 1:
        raise UsageError(f"{said(name)} is a share from 0 to below 1, not {value}")
    return float(value)


def seconds(name: str, value: Any) -> float:
    """A time: seconds, or text such as "90s", "15m" or "1.5h".

    Raises:
        UsageError: it is none, or below zero.
    """
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", value.strip())):
        return float(match[1]) * UNITS[match[2]]
    if isinstance(value, Real) and not isinstance(value, bool) and float(value) >= 0:
        return float(value)
    raise UsageError(f"{said(name)} {value}: give seconds, or write it as 90s, 15m or 2h.")
