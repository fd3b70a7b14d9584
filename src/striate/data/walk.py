"""The one walk through folders of images: training, checking and predicting take the same files.

An image is known by its extension, or, where a name has none, by its first bytes. Links to files and folders are
followed, a folder is entered once. What systems and programs leave behind is passed over; all else that is no image is
counted, and named.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from striate.data.dataset import Skipped
from striate.data.decode import is_read
from striate.data.few import few
from striate.data.images import printable
from striate.data.not_read import advice_for
from striate.data.signatures import LENGTH, begins_as_image
from striate.data.tree import Entry, P, Place, child, identity, scan
from striate.errors import StriateError
from striate.units import plural

#: What systems, network disks and archivers put among the user's files, beside names that begin with a dot.
_SYSTEM = frozenset(
    (
        *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "@sharebin", "@__thumb", "#recycle", "#snapshot"),
        *("@synoeastream", "@synoresource", "@appdata", "@appstore", "@apptemp", "@snapshots", "~snapshot"),
        *("$recycle.bin", "recycler", "recycled", "system volume information", "msdownld.tmp", "lost+found"),
        *("$extend", "$winreagent", "$sysreset"),
        *("network trash folder", "temporary items", "thevolumesettingsfolder", "__macosx", "__pycache__"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"),
    )
)
_FOUND = re.compile(r"found\.\d{3}")  # where chkdsk puts what it has found

_EXTENSION = re.compile(r"\.(?=\w*[a-z])\w{1,12}")


@dataclass
class Walk:
    """What a walk through folders has met.

    Attributes:
        visited: the folders it has been in, links resolved; none is entered twice.
        left_out: how many files of each extension are no images.
        first: the first of them, by extension.
        skipped: folders that cannot be listed.
        at_once: how many names of one folder are held at a time; None for all. With fewer than it has the folder is
            listed again and again, so that any number of files takes the memory of these.
    """

    visited: set[tuple[object, object]] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    at_once: int | None = None

    def images(self, folder: P) -> Iterator[P]:
        """Image files below `folder`, in the order of their names; a folder is entered once."""
        for path in self.files(folder):
            if is_image(path):
                yield path
            else:
                self.leave_out(path)

    def files(self, folder: P) -> Iterator[P]:
        """All files below `folder` but the systems', in the order of their names; a folder is entered once."""
        inside = [(folder, self._enter(folder))]  # from the outermost folder to where the walk is
        while inside:
            place, entries = inside[-1]
            entry = next(entries, None)
            if entry is None:
                inside.pop()
            elif _is_folder(entry):
                inner = child(place, entry.name)
                inside.append((inner, self._enter(inner)))
            else:
                yield child(place, entry.name)

    def _enter(self, folder: Place) -> Iterator[Entry]:
        try:
            known = identity(folder)
            if known in self.visited:
                return iter(())
            self.visited.add(known)
        except OSError as error:
            self._skip(folder, error)
            return iter(())
        return self._entries(folder)

    def _entries(self, folder: Place) -> Iterator[Entry]:
        last = ""
        try:
            while entries := _entries(folder) if self.at_once is None else _entries_after(folder, last, self.at_once):
                last = entries[-1].name
                yield from entries
                if self.at_once is None or len(entries) < self.at_once:
                    return
        except OSError as error:
            self._skip(folder, error)

    def _skip(self, folder: Place, error: OSError) -> None:
        self.skipped.append(Skipped(printable(folder), f"cannot be listed: {error.strerror}".lower()))

    def leave_out(self, path: Place) -> None:
        """Count a file that is no image."""
        self.left_out[extension_of(path)] += 1
        self.first.setdefault(extension_of(path), printable(path))

    def notes(self) -> tuple[str, ...]:
        """A line on each kind of file that was left out: how many, the first, and what to do."""
        return tuple(
            f"{_number(counts)} left out ({_kinds(counts)}; the first: {self.first[next(iter(counts))]}): {why}"
            for counts, why in _by_advice(self.left_out)
        )


def holdings(left_out: Counter[str]) -> str:
    """What a folder without images holds instead: "only 3 files (3 .heic: not read; convert them …)", or nothing."""
    files = [f"{_number(counts)} ({_kinds(counts)}: {why})" for counts, why in _by_advice(left_out)]
    return f"only {' and '.join(files)}" if files else ""


def _by_advice(left_out: Counter[str]) -> list[tuple[Counter[str], str]]:
    """The files by what is to be done about them, the most frequent extension first; pictures before what is none."""
    groups: dict[str, Counter[str]] = {}
    for extension, count in sorted(left_out.items(), key=lambda entry: (-entry[1], entry[0])):
        groups.setdefault(advice_for(extension), Counter())[extension] = count
    described = [(counts, f"not read; {advice}") for advice, counts in groups.items() if advice]
    return described + [(counts, "not images by their names") for advice, counts in groups.items() if not advice]


def _number(counts: Counter[str]) -> str:
    return plural(counts.total(), "file")


def _kinds(counts: Counter[str]) -> str:
    kinds = [f"{count:,} {extension or 'without extension'}" for extension, count in counts.items()]
    return few(kinds, kind=" kinds")


def is_system(name: str) -> bool:
    """Whether a file or folder is the system's, not the user's."""
    return name.startswith(".") or name.casefold() in _SYSTEM or bool(_FOUND.fullmatch(name.casefold()))


def extension_of(path: Place) -> str:
    """The extension in lower case; empty where what follows the last dot is none, as in `2020.05.17`."""
    suffix = path.suffix.lower()
    return suffix if _EXTENSION.fullmatch(suffix) else ""


def is_image(path: Place) -> bool:
    """Whether a file is an image by its extension, or, without one, by its first bytes."""
    extension = extension_of(path)
    if extension:
        return is_read(extension)
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return begins_as_image(stream.read(LENGTH))
    except OSError:
        return False


def files_in(folder: P) -> list[P]:
    """The files directly in `folder`, in the order of their names. Raises StriateError if unreadable."""
    return [child(folder, entry.name) for entry in _readable_entries(folder) if not _is_folder(entry)]


def subfolders(folder: P) -> list[P]:
    """The folders directly in `folder`, in the order of their names. Raises StriateError if unreadable."""
    return [child(folder, entry.name) for entry in _readable_entries(folder) if _is_folder(entry)]


def _readable_entries(folder: Place) -> list[Entry]:
    try:
        return _entries(folder)
    except OSError as error:
        raise StriateError(f"{printable(folder)} cannot be listed: {error.strerror}") from error


def _entries(folder: Place) -> list[Entry]:
    """What is the user's in a folder, by name. `scandir` tells folders from files without asking the disk again."""
    with scan(folder) as entries:
        return sorted((entry for entry in entries if not is_system(entry.name)), key=lambda entry: entry.name)


def _entries_after(folder: Place, last: str, count: int) -> list[Entry]:
    """The same, but only the `count` whose names come next after `last`, and no more in memory than these."""
    with scan(folder) as entries:
        later = (entry for entry in entries if entry.name > last and not is_system(entry.name))
        return heapq.nsmallest(count, later, key=lambda entry: entry.name)


def _is_folder(entry: Entry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False
