"""Images that lie in two splits: a test on what was trained on proves nothing."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

from striate.data.dataset import Dataset, Split
from striate.data.decode import UnreadableImage, read_file
from striate.data.images import EncodedImages, FileImages
from striate.data.workers import worker_count


class Duplicates(list[tuple[str, str]]):
    """Pairs of names, as many as were asked for; `total` counts them all."""

    total: int = 0


def cross_split_duplicates(dataset: Dataset, limit: int = 100) -> Duplicates:
    """Images that occur in more than one split: pairs (name, name in a later split).

    Files and encoded rows are compared by their bytes, images in memory by their pixels. Every image of a
    later split is paired once with each earlier split that holds it.

    Args:
        dataset: the data set.
        limit: the most pairs that are listed.
    """
    found = Duplicates()
    digests = [(split, _digests(split)) for split in dataset.splits]
    for (first, first_digests), (second, second_digests) in combinations(digests, 2):
        rows: dict[bytes, int] = {}
        for row, digest in enumerate(first_digests):
            rows.setdefault(digest, row)
        rows.pop(b"", None)
        for row, digest in enumerate(second_digests):
            if digest in rows:
                found.total += 1
                if len(found) < limit:
                    found.append((first.images.name(rows[digest]), second.images.name(row)))
    return found


def _digests(split: Split) -> list[bytes]:
    """One hash per image; empty for a file that has gone."""
    images = split.images

    def digest(row: int) -> bytes:
        if isinstance(images, FileImages):
            try:
                return hashlib.sha256(read_file(images.paths[row])).digest()
            except UnreadableImage:
                return b""
        content = images.encoded[row] if isinstance(images, EncodedImages) else images.read(row).tobytes()
        return hashlib.sha256(content).digest()

    if isinstance(images, FileImages):
        with ThreadPoolExecutor(worker_count()) as pool:
            return list(pool.map(digest, range(len(images))))
    return [digest(row) for row in range(len(images))]
