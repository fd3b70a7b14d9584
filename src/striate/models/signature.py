"""What a function that makes a network asks for: its number of classes, the channels and the size of the images."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: What functions call the number of classes, the channels of an image and its size.
CLASSES = ("num_classes", "n_classes", "classes", "num_labels")
CHANNELS = ("in_channels", "in_chans", "input_channels")
SIZES = ("input_size", "image_size", "img_size")
#: What of the arguments is known of every network; the others are options of its own.
KNOWN = ("num_classes", "in_channels", "input_size")
#: ImageNet's, for what a function demands and nobody named.
USUAL: Mapping[str, Any] = {"num_classes": 1000, "in_channels": 3, "input_size": (224, 224)}

_NAMES = dict(zip(KNOWN, (CLASSES, CHANNELS, SIZES), strict=True))


def filled_in(make: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a function: classes, channels and size where it asks for them, and all options.

    Args:
        make: the function or class.
        arguments: the `KNOWN` ones, of which None leaves the function its own, and its options.
    """
    parameters = _parameters(make)
    options = {name: value for name, value in arguments.items() if name not in KNOWN}
    given = dict(options)
    for known, names in _NAMES.items():
        name, value = _asked(parameters, names), arguments[known]
        if name is None or name in options or value is None:
            continue
        if names is SIZES:
            height, width = value
            takes_pair = isinstance(parameters[name].default, tuple | list) or height != width
            value = (height, width) if takes_pair else height
        given[name] = value
    return given


def usual_for(make: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Usual values, by its own names, for what a function cannot be called without and `arguments` leave None."""
    parameters = _parameters(make)
    filled = filled_in(make, {known: USUAL[known] if arguments[known] is None else None for known in KNOWN})
    return {name: value for name, value in filled.items() if parameters[name].default is inspect.Parameter.empty}


def takes(make: Callable[..., Any], names: Sequence[str]) -> bool:
    """Whether a function has an argument of one of these names."""
    return _asked(_parameters(make), names) is not None


def _asked(parameters: Mapping[str, inspect.Parameter], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in parameters), None)


def _parameters(make: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(make).parameters
    except (TypeError, ValueError):  # it does not say
        return {}
