"""Other people's names of the same tensors: ordered regular expressions from theirs to ours."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from striate.errors import StriateError
from striate.weights.images import IMAGENET_STATISTICS, Images

Value = TypeVar("Value")

#: Pairs (regular expression, replacement), tried in order; the first that matches a whole key renames it.
Renames = tuple[tuple[str, str], ...]

#: The rest of a key, as a regular expression: ".weight", ".running_mean", ...
LEAF = r"\.(\w+)"


@dataclass(frozen=True)
class KeyTable:
    """How one publisher names the tensors of one family.

    Attributes:
        renames: from their keys to ours; a function of all their keys where the same key means another layer in
            another network of the family, as where layers are only counted.
        options: options that the publisher's networks have, for files that do not say.
        neutral: others that change nothing at the size of image for which the publisher's networks were trained, but
            let other sizes go.
        images: how its networks were fed, for files that do not say.
    """

    renames: Renames | Callable[[Collection[str]], Renames]
    options: Mapping[str, Any] = field(default_factory=dict)
    neutral: Mapping[str, Any] = field(default_factory=dict)
    images: Images = IMAGENET_STATISTICS

    @property
    def brings(self) -> dict[str, Any]:
        """Every option with which a network is built for the publisher's weights."""
        return {**self.options, **self.neutral}


def rename(state: Mapping[str, Value], table: KeyTable | None) -> dict[str, Value]:
    """`state` under our names; a key that no expression matches keeps its own."""
    if table is None:
        return dict(state)
    renames = table.renames(state.keys()) if callable(table.renames) else table.renames
    patterns = [(re.compile(theirs), ours) for theirs, ours in renames]

    def ours_of(key: str) -> str:
        for pattern, ours in patterns:
            if match := pattern.fullmatch(key):
                return match.expand(ours)
        return key

    return {ours_of(key): value for key, value in state.items()}


def recognise(keys: Iterable[str], wanted: Collection[str], family: str, where: str) -> str:
    """The style of `keys`, "striate" or one of the family's, by which most of the `wanted` names are found.

    Raises:
        StriateError: under no style is half of the wanted names there.
    """
    keys = list(keys)
    styles: dict[str, KeyTable | None] = {"striate": None, **key_tables(family)}
    found = {
        style: len(set(wanted).intersection(rename(dict.fromkeys(keys), table))) for style, table in styles.items()
    }
    best = max(found, key=lambda style: found[style])
    if 2 * found[best] < len([key for key in wanted if not key.endswith("num_batches_tracked")]):
        raise StriateError(
            f"{where}: these are not weights of a network of the family '{family}'; its keys begin "
            f"{', '.join(sorted(keys)[:3])} (known styles: {', '.join(styles)})"
        )
    return best


@functools.cache
def key_tables(family: str) -> dict[str, KeyTable]:
    """The tables of a family by style ("torchvision", "timm", "keras", ...): `TABLES` of its file, if it has one."""
    module = f"striate.weights.tables.{family}"
    if importlib.util.find_spec(module) is None:
        return {}
    return dict(importlib.import_module(module).TABLES)
