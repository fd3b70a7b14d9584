"""What a source says it holds, before any image has been looked at: the common language of the readers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from striate.data.dataset import Skipped
from striate.data.few import few
from striate.data.images import printable
from striate.data.stored import Stored
from striate.data.targets import SINGLE_LABEL
from striate.errors import StriateError, UsageError, nearest
from striate.models.imagenet import find_imagenet_class, imagenet_names

_WORDNET_ID = re.compile(r"\bn\d{8}\b")

#: The parts of a data set, in the order in which they are told of.
SPLITS: tuple[str, ...] = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Part:
    """One part as found: what to decode, where each item came from, and the labels, int64 (N,); see `targets`.

    `items` are paths and kin, contents of image files, or pixels that need no decoding: uint8 (N, H, W, C).
    """

    items: Sequence[Stored] | Sequence[bytes] | np.ndarray
    names: Sequence[str]
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Listing:
    """The classes and the parts ("train", "val", "test") of a source, and what was noticed on the way.

    `divided` says whether the source itself tells the parts apart; if not, all of it is called "train". `hint` is
    what to do where it turns out to hold too few classes. `task` is one of `targets.KINDS`, and the classes are the
    names of its labels or values. `table` says whether it has columns.
    """

    classes: tuple[str, ...]
    parts: Mapping[str, Part]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    divided: bool = True
    hint: str = ""
    task: str = SINGLE_LABEL
    table: bool = False


def class_name(name: str) -> str:
    """The one spelling of a class: é in one sign and é as e with an accent are the same name (Unicode's NFC).

    White space around a name is no part of it.
    """
    return unicodedata.normalize("NFC", printable(name.strip()))


def index_labels(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """The position of every label in `classes`, int64 (N,)."""
    positions = {name: position for position, name in enumerate(classes)}
    return np.fromiter((positions[label] for label in labels), dtype=np.int64, count=len(labels))


def sorted_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels in order: by number when all are whole numbers, else by name."""
    distinct = set(labels)
    if all(label.isdecimal() for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


def numbers_note(labels: Iterable[str]) -> tuple[str, ...]:
    """A line where classes that have numbers for names do not begin at 0 or leave some out."""
    numbers = sorted(int(label) for label in set(labels))
    if not numbers or numbers == list(range(len(numbers))):
        return ()
    reason = f"begin at {numbers[0]}" if numbers[0] else "leave numbers out"
    return (f"the labels {reason}: the {len(numbers):,} classes are called as they are, {numbers[0]} to {numbers[-1]}",)


def alike_note(classes: Iterable[str]) -> tuple[str, ...]:
    """A line where classes may be one: their names differ in case, in form (ﬁ and fi) or as numbers (1, 01, 1.0)."""
    groups: dict[str, list[str]] = {}
    for name in classes:
        groups.setdefault(_plain(name), []).append(name)
    alike = [" and ".join(map(repr, names)) for names in groups.values() if len(names) > 1]
    if not alike:
        return ()
    return (f"much alike, yet classes of their own: {few(alike)}",)


def choice_note(columns: Sequence[str], meaning: str) -> tuple[str, ...]:
    """A line where of several columns that could say something only the first is used."""
    if len(columns) < 2:
        return ()
    others = ", ".join(repr(printable(name)) for name in columns[1:])
    return (f"column {others} not used: '{printable(columns[0])}' says {meaning}",)


def _plain(name: str) -> str:
    try:
        return repr(float(name))
    except ValueError:
        return unicodedata.normalize("NFKC", name).casefold()


def relabel(listing: Listing, classes: Sequence[str], source: str) -> Listing:
    """Express the labels as positions in `classes`, those of a model; the source may lack some of them.

    Raises StriateError naming the classes that the model does not know.
    """
    positions = match_classes(listing.classes, classes, source)
    parts = {
        name: replace(part, labels=in_places(part.labels, positions, len(classes)))
        for name, part in listing.parts.items()
    }
    return replace(listing, classes=tuple(classes), parts=parts)


def in_places(labels: np.ndarray, positions: np.ndarray, count: int) -> np.ndarray:
    """Labels in terms of a model's `count` names, of which those of the source have these positions.

    Raises StriateError where a value that the model predicts is not in the source.
    """
    if labels.ndim == 1:
        return positions[labels]
    if labels.dtype != np.bool_ and len(positions) < count:
        raise StriateError(f"the source says {len(positions)} of the {count} values that the model predicts")
    placed = np.zeros((len(labels), count), labels.dtype)
    placed[:, positions] = labels
    return placed


def _as_known(name: str, known: Sequence[str]) -> str:
    """A class's name as a model knows it: ImageNet's also by their WordNet ids and other words."""
    if class_name(name) in known or len(known) != len(imagenet_names()) or tuple(known) != imagenet_names():
        return name
    try:
        wordnet_id = _WORDNET_ID.search(name)  # as in "crane (n02012849)"
        return find_imagenet_class(wordnet_id[0] if wordnet_id else name).name
    except UsageError:
        return name


def match_classes(names: Sequence[str], classes: Sequence[str], source: str) -> np.ndarray:
    """The position in `classes`, those of a model, of each of a source's class names, int64 (len(names),).

    Raises StriateError naming the classes that the model does not know.
    """
    known = [class_name(name) for name in classes]
    names = [_as_known(name, known) for name in names]
    strangers = [name for name in names if class_name(name) not in set(known)]
    if strangers:
        number = f"{len(strangers)} classes" if len(strangers) > 1 else "a class"
        raise StriateError(
            f"{source} holds {number} that the model does not know: {few([*map(repr, strangers)], 10)}."
            f"{nearest(strangers[0], known)} It knows {few([*map(repr, known)], 10)}"
        )
    return index_labels([class_name(name) for name in names], known)
