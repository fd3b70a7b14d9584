"""The same picture more than once: in two splits, under two labels, or simply again.

A test on what was trained on proves nothing, and a picture under two labels cannot be learnt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from striate.data.dataset import Dataset, Split
from striate.data.decode import UnreadableImage, read_file
from striate.data.images import EncodedImages, FileImages
from striate.data.survey import SamePicture
from striate.data.whole import Whole
from striate.data.workers import reading_threads


class Duplicates(list[tuple[str, str]]):
    """Pairs of names, as many as were asked for; `total` counts them all."""

    total: int = 0


def same_pictures(dataset: Dataset) -> tuple[SamePicture, ...]:
    """Every picture that occurs more than once in a data set, with all its places, in the order of the first."""
    return find_same_pictures(dataset.splits) if dataset.survey is None else dataset.survey.same_pictures


def contradictions(groups: Iterable[SamePicture]) -> list[SamePicture]:
    """The pictures that lie under more than one label."""
    return [places for places in groups if len({place.label for place in places}) > 1]


def cross_split_duplicates(dataset: Dataset, limit: int = 100) -> Duplicates:
    """Images that occur in more than one split: pairs (name, name in a later split).

    Every image of a later split is paired once with each earlier split that holds it.

    Args:
        dataset: the data set.
        limit: the most pairs that are listed.
    """
    groups = same_pictures(dataset)
    found = Duplicates()
    for first, second in combinations([split.name for split in dataset.splits], 2):
        for places in groups:
            names = [place.name for place in places if place.split == first]
            copies = [place.name for place in places if place.split == second]
            if names and copies:
                found.total += len(copies)
                found += [(names[0], copy) for copy in copies[: max(0, limit - len(found))]]
    return found


def find_same_pictures(splits: Sequence[Split]) -> tuple[SamePicture, ...]:
    """What `same_pictures` gives, of splits that were not searched yet.

    Two pictures are the same when their files are, byte for byte, or when they are decoded to the same pixels: the
    same photograph with other metadata or in another lossless format. Only those that agree in size and in the sums
    of `channel_sums` have to be decoded once more to tell.
    """
    whole = Whole(splits)
    numbers = _first_of_its_kind([digest for split in splits for digest in content_digests(split)])
    numbers = _joined_by_pixels(whole, numbers)
    order = np.argsort(numbers, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)
    return tuple(tuple(map(whole.place, group.tolist())) for group in groups if len(group) > 1)


def content_digests(split: Split) -> Sequence[bytes]:
    """One hash per image: of the file's bytes, or of the pixels in memory; empty for a file that has gone."""
    if split.facts is not None:
        return split.facts.contents
    images = split.images

    def digest(row: int) -> bytes:
        if isinstance(images, FileImages):
            try:
                return hashlib.sha256(read_file(images.paths[row])).digest()
            except UnreadableImage:
                return b""
        content = images.encoded[row] if isinstance(images, EncodedImages) else images.read(row).tobytes()
        return hashlib.sha256(content).digest()

    with reading_threads() as pool:
        return list(pool.map(digest, range(len(images))))


def _first_of_its_kind(values: Iterable[bytes]) -> np.ndarray:
    """For each value the position where it occurs first, int64 (N,); an empty one equals no other."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(v, i) if v else i for i, v in enumerate(values)], dtype=np.int64)


def _joined_by_pixels(whole: Whole, numbers: np.ndarray) -> np.ndarray:
    """`numbers`, equal for images of the same content, made equal for those of the same pixels too."""
    sketches = _first_of_its_kind([sketch for split in whole.splits for sketch in _sketches(split)])
    if len(np.unique(sketches)) == len(sketches):
        return numbers  # no two agree
    pairs, examples = np.unique(np.column_stack([sketches, numbers]), axis=0, return_index=True)
    _, which, times = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    first: dict[tuple[int, bytes], int] = {}
    renamed = {}
    for pair in np.flatnonzero(times[which] > 1):
        sketch, number = pairs[pair].tolist()
        if pixels := _pixel_digest(whole, int(examples[pair])):
            renamed[number] = first.setdefault((sketch, pixels), number)
    return np.array([renamed.get(number, number) for number in numbers.tolist()], dtype=np.int64)


def _sketches(split: Split) -> list[bytes]:
    """What images of the same pixels share, known without reading them; empty where it is not known."""
    facts = split.facts
    if facts is None or facts.sums is None:
        return [b""] * len(split)
    return [size.tobytes() + sums.tobytes() for size, sums in zip(facts.sizes, facts.sums, strict=True)]


def _pixel_digest(whole: Whole, number: int) -> bytes:
    split, row = whole.locate(number)
    try:
        return hashlib.sha256(split.images.read(row).tobytes()).digest()
    except UnreadableImage:
        return b""
