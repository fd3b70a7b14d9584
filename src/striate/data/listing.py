"""What a source says it holds, before any image has been looked at: the common language of the readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from striate.data.dataset import Skipped
from striate.errors import StriateError

#: The words for the parts of a data set, in folder names, file names and CSV columns.
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "t10k": "test",
}


@dataclass(frozen=True, eq=False)
class Part:
    """One part as found: what to decode, where each item came from, and the labels, int64 (N,).

    `items` are paths, contents of image files, or pixels that need no decoding: uint8 (N, H, W, C).
    """

    items: Sequence[Path] | Sequence[bytes] | np.ndarray
    names: Sequence[str]
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Listing:
    """The classes and the parts ("train", "val", "test") of a source, and what was noticed on the way."""

    classes: tuple[str, ...]
    parts: Mapping[str, Part]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def index_labels(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """The position of every label in `classes`, int64 (N,)."""
    positions = {name: position for position, name in enumerate(classes)}
    return np.fromiter((positions[label] for label in labels), dtype=np.int64, count=len(labels))


def sorted_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """The distinct labels in order: by number when all are whole numbers, else by name."""
    distinct = set(labels)
    if all(label.isdecimal() for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


def relabel(listing: Listing, classes: Sequence[str], source: str) -> Listing:
    """Express the labels as positions in `classes`, those of a model; the source may lack some of them.

    Raises StriateError naming the classes that the model does not know.
    """
    strangers = [name for name in listing.classes if name not in set(classes)]
    if strangers:
        raise StriateError(
            f"{source} holds classes that the model does not know: {', '.join(map(repr, strangers))}; "
            f"it knows {', '.join(map(repr, classes))}"
        )
    positions = index_labels(listing.classes, classes)
    parts = {name: replace(part, labels=positions[part.labels]) for name, part in listing.parts.items()}
    return replace(listing, classes=tuple(classes), parts=parts)
