"""A budget: how much a network may cost, and what it costs."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from striate import units
from striate.errors import UsageError
from striate.models.create import create_model

#: What can be limited: the field, and its words.
LIMITS = {
    "multiply_adds": "multiply-adds",
    "parameters": "parameters",
    "memory": "memory of weights and activations",
    "latency": "latency",
}
COUNTS = {prefix.lower(): factor for prefix, factor in units.PREFIXES.items()}
BYTES = {**COUNTS, **{f"{prefix}b": factor for prefix, factor in COUNTS.items()}}
MILLISECONDS = {"ms": 1.0, "s": 1000.0, "": 1.0}


def parse(kind: str, text: str) -> float:
    """A limit as people write it: "1e9", "300M" or "0.3G" counts, "50MB" of memory, "20ms" or "0.02s".

    Memory comes back in bytes (MB is 10^6), latency in milliseconds.

    Raises:
        UsageError: it is not a positive quantity of that kind.
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*", text.lower())
    factors: Mapping[str, float] = MILLISECONDS if kind == "latency" else BYTES if kind == "memory" else COUNTS
    try:
        value = float(found[1]) * factors[found[2]] if found else 0.0
    except (ValueError, KeyError):
        value = 0.0
    if not 0 < value < float("inf"):
        example = {"latency": "20ms", "memory": "50MB"}.get(kind, "300M")
        raise UsageError(f"'{text}' is no {LIMITS[kind]}; write it like {example}")
    return value


def written(kind: str, value: float) -> str:
    """A cost or a limit with its unit: "386 M", "45.6 MB", "20 ms"."""
    if kind == "latency":
        return f"{value:g} ms"
    return units.decimal_size(value) if kind == "memory" else units.count(value)


def limit_written(kind: str, limit: float) -> str:
    """A limit with its unit, without zeros that nobody measured: "300 M", "50 MB"."""
    return units.trimmed(written(kind, limit))


@dataclass(frozen=True)
class Cost:
    """What one forward pass of one image costs.

    Attributes:
        multiply_adds: in convolutions and matrix products.
        parameters: trainable values.
        memory: bytes of weights and of all layers' outputs, in float32.
    """

    multiply_adds: int
    parameters: int
    memory: int

    def get(self, kind: str) -> int:
        """The figure that a limit of this kind is about."""
        return int(getattr(self, kind))


@functools.lru_cache(maxsize=1024)
def cost_of(name: str, size: tuple[int, int], **arguments: Any) -> Cost:
    """The cost of a network of the catalogue built for images of `size`, from a run on weightless tensors."""
    from striate.analysis import summary

    with torch.device("meta"):
        model = create_model(name, input_size=size, **arguments)
    result = summary(model, (model.in_channels, *size))
    return Cost(result.multiply_adds, result.parameters, result.parameter_bytes + result.activation_bytes)


def latency_of(name: str, size: tuple[int, int], time_limit: float = 0.6, **arguments: Any) -> float:
    """Milliseconds for one image on this machine, the median of repeated runs with random weights."""
    from striate.analysis import measure_latency

    model = create_model(name, input_size=size, **arguments)
    return measure_latency(model, (model.in_channels, *size), time_limit=time_limit).milliseconds
