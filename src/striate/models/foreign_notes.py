"""What was decided of somebody else's network where nobody said: its head, its filters, how its images are fed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from striate.caller import either
from striate.models.defaults_taken import adapted
from striate.models.foreign import Foreign
from striate.weights.converted import network_known
from striate.weights.files import weights_file
from striate.weights.hub import is_hub


def foreign_notes(network: Foreign, weights: str | Path | None) -> list[str]:
    """Lines on what `obtain` did to a network for these weights, and what they do not say."""
    told = [_new_head(network)]
    if weights is not None:
        told += [_filters(network, str(weights)), _unsaid(network, str(weights)), _lacking(network, weights)]
    return [line for line in told if line]


def _new_head(network: Foreign) -> str:
    """That it was given another last layer, since its function asks for no number of classes, or its weights differ."""
    if not network.fresh:
        return ""
    layer = network.fresh[0].removeprefix("module.")
    return f"{network.spec.name} is given a fresh last layer '{layer}' of {network.num_classes} outputs"


def _filters(network: Foreign, weights: str) -> str:
    theirs = network.filters_for
    return "" if theirs is None else adapted(weights, theirs, network.in_channels)


def _unsaid(network: Foreign, weights: str) -> str:
    if network.weights_source is not None:
        return ""
    return (
        f"'{weights}' does not say how the images of its network were fed: they are fed by the mean and deviation of "
        "these"
    )


def _lacking(network: Foreign, weights: str | Path) -> str:
    """That the file says something of its network that this one does not have."""
    source = network.weights_source
    options = {} if source is None else _lacked(network.module, source.options)
    if not options:
        return ""
    listed = ", ".join(f"{name}={value}" for name, value in options.items())
    owner = "" if is_hub(weights) else network_known(weights_file(weights))
    mend = f" ({either(f'--model {owner}', f'model={owner!r}')} has them)" if owner else ""
    return (
        f"'{weights}' says that its network has {listed}, which {network.spec.name} does not have: its features are "
        f"not quite those that were trained{mend}"
    )


def _lacked(module: nn.Module, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a file's options that a network can be seen not to have."""
    lacked: dict[str, Any] = {}
    is_same = any("Same" in type(layer).__name__ for layer in module.modules())
    if options.get("padding") == "tensorflow" and not is_same:
        lacked["padding"] = "tensorflow"
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    if "norm_eps" in options and any(layer.eps != options["norm_eps"] for layer in norms):
        lacked["norm_eps"] = options["norm_eps"]
    return lacked
