"""Names of classes that labels call by number: a text file beside the list, one name a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate.data.csv_file import text_of
from striate.data.few import few
from striate.data.images import printable
from striate.data.listing import Listing, class_name, numbers_note
from striate.data.targets import MULTI_LABEL, REGRESSION
from striate.data.tree import Place, child
from striate.errors import StriateError

#: What such a file is called, the likeliest first.
FILES = ("classes.txt", "labels.txt", "synsets.txt", "class_names.txt", "names.txt")


def names_beside(folder: Place) -> tuple[Place, tuple[str, ...]] | None:
    """The file of class names in a folder, and the names; None where there is none.

    Lines that begin with their own number, from 0 or 1 (`0 cat`), are names without it. Raises StriateError for a file
    that is no text.
    """
    file = next((file for name in FILES if (file := child(folder, name)).is_file()), None)
    if file is None:
        return None
    lines = [line.strip() for line in text_of(file).splitlines() if line.strip()]
    for first in (0, 1):
        numbered = [line.split(None, 1) for line in lines]
        if all(len(words) == 2 and words[0].rstrip(":") == str(place) for place, words in enumerate(numbered, first)):
            lines = [words[1] for words in numbered]
            break
    return file, tuple(map(class_name, lines))


def with_names(listing: Listing, folder: Place) -> Listing:
    """The listing, where its classes are numbers under the names that a file in `folder` gives them.

    Numbers count from 0, or from 1 where 0 is missing and the last is as many as there are names.

    Raises:
        StriateError: a number that no name belongs to.
    """
    numbers = listing.task != REGRESSION and all(name.isdecimal() for name in listing.classes)
    if not numbers or not listing.classes:
        return listing
    found = names_beside(folder)
    if found is None:
        return replace(listing, notes=listing.notes + (numbers_note(listing.classes) if listing.divided else ()))
    file, names = found
    used = [int(name) for name in listing.classes]
    first = 1 if min(used) > 0 and max(used) == len(names) else 0
    if max(used) - first >= len(names):
        known = f"{len(names)} names, so that labels are 0 to {len(names) - 1}"
        raise StriateError(f"{printable(file)} has {known}; there is a label {max(used)}")
    notes = [f"names of classes: {printable(file)}" + (", of which the first is number 1" if first else "")]
    if unused := [name for place, name in enumerate(names) if place + first not in set(used)]:
        notes.append(f"no images of {len(unused):,} of the named classes: {few([*map(repr, unused)])}")
    called = [names[number - first] for number in used]
    classes = tuple(name for name in dict.fromkeys(names) if name in called)
    return _renamed(listing, called, classes, tuple(notes))


def _renamed(listing: Listing, names: Sequence[str], classes: tuple[str, ...], notes: tuple[str, ...]) -> Listing:
    """The listing with other names for its classes; those of one name become one class."""
    place = np.array([classes.index(name) for name in names], np.int64)
    parts = {}
    for split, part in listing.parts.items():
        if listing.task == MULTI_LABEL:
            labels = np.zeros((len(part.labels), len(classes)), bool)
            for column, target in enumerate(place):
                labels[:, target] |= part.labels[:, column]
        else:
            labels = place[part.labels]
        parts[split] = replace(part, labels=labels)
    return replace(listing, classes=classes, parts=parts, notes=listing.notes + notes)
