"""What the index of an archive tells: its files by name and where each lies, and what cannot be read of it."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.units import plural

#: Why a member is skipped.
LINK = "a link, which is not followed in an archive"
OUTSIDE = "its name leads out of the archive"
BEYOND = "damaged: it would lie outside the archive"
SPECIAL = "neither a file nor a folder"


class Extent(NamedTuple):
    """Where a member lies: its first byte, its length there and unpacked, how it is packed, and its checksum."""

    offset: int
    stored: int
    size: int
    method: int = 0
    checksum: int = 0


@dataclass
class Index:
    """The files of an archive, by their names with "/" between folders; of two of one name the last, as in unpacking.

    Attributes:
        extents: where each file lies.
        folders: the folders that have an entry of their own.
        skipped: members that cannot be read, by name, with the reason.
        twice: names that came again.
        notes: what else was noticed, without the archive's name.
    """

    extents: dict[str, Extent] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)
    twice: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, extent: Extent) -> None:
        """Take a file, unless its name leads out of the archive."""
        inner = inner_name(name)
        if inner is None:
            self.skip(name, OUTSIDE)
            return
        self.twice[inner] += inner in self.extents
        self.extents[inner] = extent

    def add_folder(self, name: str) -> None:
        """Take a folder, which may hold nothing, unless its name leads out of the archive."""
        if (inner := inner_name(name)) is not None:
            self.folders.add(inner)

    def skip(self, name: str, reason: str) -> None:
        """Leave a member out."""
        self.skipped.append(Skipped(printable(name), reason))

    def notes_of(self, where: str) -> tuple[str, ...]:
        """A line on what was noticed."""
        again = [name for name, count in self.twice.items() if count]
        notes = [f"{where}: {note}" for note in self.notes]
        if again:
            many = plural(len(again), "name")
            notes.append(
                f"{where}: {many} more than once, the last file of each is used (first: {printable(again[0])})"
            )
        return tuple(notes)


def inner_name(name: str) -> str | None:
    """A member's path in the plain form `folder/name`; None for one that leads out of the archive."""
    if name.startswith("/") or "\0" in name or (len(name) > 1 and name[1] == ":" and name[0].isalpha()):
        return None
    plain = posixpath.normpath(name)
    return None if plain == "." or plain == ".." or plain.startswith("../") else plain
