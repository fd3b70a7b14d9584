"""One look at every image before the first epoch, so that none stops the training in its middle.

Every file is read and decoded once, in threads; of one that has not changed since it may be remembered what it told.
What can be read is hashed, measured and, where the whole set is small, kept; what cannot is listed with its reason.
Nothing that follows has to read a file to learn about it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from striate.data.channels import to_channels
from striate.data.dataset import Skipped
from striate.data.decode import REMARKS
from striate.data.facts import Facts, blank_rows
from striate.data.images import ArrayImages, EncodedImages, FileImages, Images
from striate.data.kept import MEMORY_LIMIT, LateMemory, Memory
from striate.data.listing import Part
from striate.data.look import Look, look_at
from striate.data.perceptual_hash import perceptual_hash
from striate.data.remembered import Remembered
from striate.data.stored import Stored
from striate.data.targets import as_keys
from striate.data.workers import reading_threads
from striate.errors import StriateError
from striate.units import plural

_CHUNK = 32
_USUAL = (1, 3, 4)  # channels that are made of each other


@dataclass(frozen=True, eq=False)
class CheckedPart:
    """A part without what cannot be read, and the facts of what can."""

    images: Images
    labels: np.ndarray
    facts: Facts
    skipped: tuple[tuple[int | tuple[float, ...], Skipped], ...]  # the label, and what was skipped

    def reason_for(self, label: int) -> Skipped | None:
        """The first image of a class that was skipped."""
        return next((entry for skipped_label, entry in self.skipped if skipped_label == label), None)


@dataclass(frozen=True, eq=False)
class Checked:
    """All parts of a source, checked, with the channels they share."""

    parts: dict[str, CheckedPart]
    channels: int
    notes: tuple[str, ...]


@dataclass(eq=False)
class _Report:
    """Counts for the notes."""

    remarks: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, look: Look) -> None:
        for remark in look.remarks:
            self.remarks[remark] += 1
            self.first.setdefault(remark, name)

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"{plural(self.remarks[key], 'image')} {text} (first: {self.first[key]})"
            for key, text in REMARKS.items()
            if self.remarks[key]
        )


def check_parts(
    parts: Mapping[str, Part],
    channels: int | None = None,
    workers: int | None = None,
    memory_limit: int | None = None,
    remember: bool = False,
) -> Checked:
    """Read every image of every part once.

    Args:
        parts: what a reader listed.
        channels: the channels wanted; None for their own number when all have the same, 3 for grey among colour.
        workers: threads; None for one per processor.
        memory_limit: bytes of decoded pictures that may be kept; a set that needs more stays in its files.
            None for `MEMORY_LIMIT`.
        remember: whether a file is not read that has not changed since an earlier look, of which this one is the next.

    Raises:
        StriateError: no channels can be found that all images share, or the wanted ones cannot be made.
    """
    if all(isinstance(part.items, np.ndarray) for part in parts.values()):
        return _check_arrays(parts, channels)
    items = [item for part in parts.values() for item in part.items]
    remembered = Remembered(files, channels) if remember and (files := _files(items)) else None
    limit = MEMORY_LIMIT if memory_limit is None else memory_limit
    looks, memory = _look_at_all(items, channels, limit, workers, remembered)
    if channels is None:
        channels = _common_channels(Counter(look.shape[2] for look in looks if not look.reason))
        _refuse_others(items, looks, channels, memory)
    memory.give_channels(channels, sum(look.shape[0] * look.shape[1] for look in looks if not look.reason))

    checked, report, start = {}, _Report(), 0
    for name, part in parts.items():
        checked[name] = _readable(part, looks[start : start + len(part.items)], channels, memory, start)
        start += len(part.items)
    for name, look in zip((name for part in parts.values() for name in part.names), looks, strict=True):
        report.add(name, look)
    return Checked(checked, channels, report.notes())


def _look_at_all(
    items: list[Stored | bytes], channels: int | None, limit: int, workers: int | None, remembered: Remembered | None
) -> tuple[list[Look], Memory]:
    """A look at each item, a new one where none is remembered, and their pictures where all of them are new."""
    looks: dict[int, Look] = remembered.looks() if remembered else {}
    memory = LateMemory(len(items), limit) if looks else Memory(len(items), limit)
    new = [row for row in range(len(items)) if row not in looks]
    for row, look in zip(new, _new_looks([items[row] for row in new], channels, memory, workers), strict=True):
        memory.add(look.picture)
        look.picture = None
        looks[row] = look
    found = [looks[row] for row in range(len(items))]
    if remembered and new:
        remembered.keep(found)
    return found, memory


def _new_looks(
    items: list[Stored | bytes], channels: int | None, memory: Memory, workers: int | None
) -> Iterator[Look]:
    """Look at the items in threads, a chunk at a time, and yield in their order."""

    def look(chunk: list[Stored | bytes]) -> list[Look]:
        return [look_at(item, channels, memory) for item in chunk]

    chunks = (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
    with reading_threads(workers) as pool:
        for found in pool.map(look, chunks):  # which calls off the rest where it is left early
            yield from found


def _refuse_others(items: list[Stored | bytes], looks: list[Look], channels: int, memory: Memory) -> None:
    """Replace, in place, the looks at images that cannot be given `channels` by the reason not to read them."""
    fitting = {1, channels} if channels in _USUAL else {channels}
    for row, look in enumerate(looks):
        if not look.reason and look.shape[2] not in fitting:
            looks[row] = look_at(items[row], channels, memory)
            memory.forget(row)


def _readable(part: Part, looks: list[Look], channels: int, memory: Memory, start: int) -> CheckedPart:
    """The part without what cannot be read; its first item is the one at `start` of the memory."""
    rows = np.array([row for row, look in enumerate(looks) if not look.reason], dtype=np.int64)
    skipped = tuple(
        (label, Skipped(name, look.reason))
        for label, name, look in zip(as_keys(part.labels), part.names, looks, strict=True)
        if look.reason
    )
    source: Images
    if (files := _files(part.items)) is not None:
        source = FileImages([files[row] for row in rows], channels)
    else:
        source = EncodedImages([part.items[row] for row in rows], [part.names[row] for row in rows], channels)
    facts = _facts([looks[row] for row in rows], channels)
    return CheckedPart(memory.images(start + rows, source), part.labels[rows], facts, skipped)


def _files(items: Iterable[Stored | bytes]) -> list[Stored] | None:
    """The items where all of them lie somewhere, else None."""
    files: list[Stored] = []
    for item in items:
        if isinstance(item, bytes):
            return None
        files.append(item)
    return files


def _facts(looks: list[Look], channels: int) -> Facts:
    sums = [look.sums if len(look.sums) == channels else np.repeat(look.sums, channels, axis=0) for look in looks]
    return Facts(
        contents=[look.digest for look in looks],
        sizes=np.array([look.shape[:2] for look in looks], dtype=np.int32).reshape(-1, 2),
        formats=[look.format for look in looks],
        channels=np.array([look.channels for look in looks], dtype=np.int16),
        bit_depths=[look.bit_depth for look in looks],
        blank=np.array([look.blank for look in looks], dtype=bool),
        hashes=np.array([look.hash for look in looks], dtype=np.uint64),
        remarks=[look.remarks for look in looks],
        sums=np.array(sums, dtype=np.int64).reshape(-1, channels, 4),
    )


def _common_channels(counts: Counter[int]) -> int:
    if not counts:
        return 3
    if len(counts) == 1:
        return next(iter(counts))
    # A few others among many are skipped by name: those of four bands, none of them alpha, and spectra.
    plain = counts[1] + counts[3]
    if plain > counts.total() - plain or plain == counts[4] == counts.total() - plain:
        return 3 if counts[3] or counts[4] else 1
    number, most = counts.most_common(1)[0]
    if number not in _USUAL and 2 * most > counts.total():
        return number
    listed = ", ".join(f"{number} ({count:,} images)" for number, count in sorted(counts.items()))
    raise StriateError(
        f"the images have different numbers of channels: {listed}; keep those of one number, or ask for one with "
        "open_dataset(channels=)"
    )


def _check_arrays(parts: Mapping[str, Part], channels: int | None) -> Checked:
    """Pixels that are in memory already need no decoding, only hashing."""
    if channels is None:
        channels = _common_channels(Counter(np.asarray(part.items).shape[3] for part in parts.values()))
    checked = {}
    for name, part in parts.items():
        given = np.asarray(part.items)
        array = _array_to_channels(given, channels)
        count, height, width, own = given.shape
        facts = Facts(
            contents=[hashlib.sha256(image.tobytes()).digest() for image in array],
            sizes=np.tile(np.array([height, width], dtype=np.int32), (count, 1)),
            formats=["array"] * count,
            channels=np.full(count, own, dtype=np.int16),
            bit_depths=["8"] * count,
            blank=blank_rows(array),
            hashes=np.array([perceptual_hash(image) for image in array], dtype=np.uint64),
            remarks=[()] * count,
            sums=None,
        )
        checked[name] = CheckedPart(ArrayImages(array, part.names), part.labels, facts, ())
    return Checked(checked, channels, ())


def _array_to_channels(array: np.ndarray, channels: int) -> np.ndarray:
    """`to_channels` for uint8 (N, H, W, C)."""
    count, height, width, present = array.shape
    if present == channels:
        return array
    rows = to_channels(array.reshape(count * height, width, present), channels)  # (N * H, W, channels)
    return rows.reshape(count, height, width, channels)
