"""Nearly the same picture more than once: resized, recompressed, recoloured, trimmed a little, or seen in a mirror.

Pictures whose perceptual hashes are nearly equal are candidates. Two candidates are held to be one picture where their
fine detail agrees, which neither size nor colour nor compression changes much, and agrees far better than that of
others that merely look alike: among ten thousand photographs of flowers no two have the same detail by chance, among
ten thousand handwritten ones many have nearly the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from striate.data.dataset import Dataset, Split
from striate.data.decode import UnreadableImage
from striate.data.perceptual_hash import SIDE, mirrored, perceptual_hash, shrunk
from striate.data.survey import Place, SamePicture
from striate.data.whole import Whole
from striate.data.workers import reading_threads

#: Bits of 64 in which the hashes of candidates differ at most, and the most candidates of one image, the nearest first.
MOST_BITS, MOST_CANDIDATES = 10, 64
#: The least correlation of the fine detail of two images that are one picture, and the one that leaves no doubt.
LEAST, SURE = 0.8, 0.985
#: Between the two it may fall short of 1 by so much where whatever else looks alike has other detail; where that has
#: the same detail in part, by this power of how much of it differs less.
SHORT, POWER = 0.25, 2.0
#: What looks alike but is no copy begins behind so many that are the most alike; and so many images are drawn, of
#: whose likenesses the upper quartile counts, too, unless there are fewer than the least.
COPIES, DRAWN, FEWEST_DRAWN, QUARTILE = 3, 256, 20, 0.75
#: The blur that is taken off to leave the fine detail, in pixels of a picture of 32.
BLUR = 1.0
#: Rows and columns of pairs that are compared at a time: what fits into a processor's cache.
_ROWS, _COLUMNS, _PAIRS = 64, 4096, 4096


class NearPair(NamedTuple):
    """Two images that show nearly the same picture.

    Attributes:
        first: where one lies.
        second: where the other does.
        likeness: correlation of their fine detail, at most 1.
        mirrored: whether one is the other seen in a mirror.
    """

    first: Place
    second: Place
    likeness: float
    mirrored: bool


class _Candidates(NamedTuple):
    """Pairs of rows, int64 (P,) each, and which of them are of a picture and a mirrored one, bool (P,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    mirrored: NDArray[np.bool_]


def near_duplicates(
    dataset: Dataset, shown: Callable[[int, int], None] = lambda done, total: None
) -> tuple[NearPair, ...]:
    """Pairs of images of a data set that show nearly the same picture, the most alike first.

    Images that are the same to the pixel or byte (`same_pictures`) stand once, by the first of them.

    Args:
        dataset: the data set.
        shown: told how many images have been compared with all others, and of how many.
    """
    whole = Whole(dataset.splits)
    rows = _worth_comparing(dataset, whole)
    hashes = np.concatenate([_hashes(split) for split in dataset.splits])[rows]
    found = candidates(hashes, shown)
    if not len(found.first):
        return ()
    used, places = np.unique(np.concatenate([found.first, found.second]), return_inverse=True)
    details = _details(whole, rows[used])
    places = places.reshape(2, -1)
    likeness = _likeness(details, places, found.mirrored)
    others = np.maximum(_next_ones(places, likeness, len(used)), _at_large(whole, rows, details))
    short = SHORT * (1 - others[places].max(0)) ** POWER
    kept = np.flatnonzero((likeness >= SURE) | ((likeness >= LEAST) & (1 - likeness <= short)))
    order = kept[np.argsort(-likeness[kept], kind="stable")]
    seen: set[tuple[int, int]] = set()
    pairs = []
    for place in order.tolist():
        first, second = int(rows[found.first[place]]), int(rows[found.second[place]])
        if (first, second) not in seen:  # a picture that is like its own mirror image is a candidate twice
            seen.add((first, second))
            pair = whole.place(first), whole.place(second)
            pairs.append(NearPair(*pair, float(likeness[place]), bool(found.mirrored[place])))
    return tuple(pairs)


def families(pairs: Iterable[NearPair]) -> list[SamePicture]:
    """The images that pairs of near duplicates join, in the order of the first pair of each."""
    family: dict[Place, list[Place]] = {}
    for pair in pairs:
        one, other = family.get(pair.first, [pair.first]), family.get(pair.second, [pair.second])
        if one is not other:
            joined = [*one, *other]
            family.update(dict.fromkeys(joined, joined))
    return [tuple(members) for members in {id(members): members for members in family.values()}.values()]


def candidates(hashes: NDArray[np.uint64], shown: Callable[[int, int], None] = lambda done, total: None) -> _Candidates:
    """Pairs of hashes (N,) that differ in few bits, as they are or with one of them mirrored."""
    turned = mirrored(hashes)
    parts = []
    with reading_threads() as pool:
        starts = range(0, len(hashes), _ROWS)
        for start, part in zip(starts, pool.map(lambda start: _near(hashes, turned, start), starts), strict=True):
            parts.append(part)
            shown(min(start + _ROWS, len(hashes)), len(hashes))
    if not parts:
        return _Candidates(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
    return _Candidates(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _near(hashes: NDArray[np.uint64], turned: NDArray[np.uint64], start: int) -> _Candidates:
    """The candidates of a few rows among those behind each."""
    found = []
    for own, is_mirrored in ((hashes[start : start + _ROWS], False), (turned[start : start + _ROWS], True)):
        for column in range(start, len(hashes), _COLUMNS):
            differing = np.bitwise_count(own[:, None] ^ hashes[None, column : column + _COLUMNS])
            first, second = np.nonzero(differing <= MOST_BITS)
            bits = differing[first, second]
            first, second = first + start, second + column
            later = second > first
            found.append((first[later], second[later], bits[later], np.full(later.sum(), is_mirrored)))
    first, second, bits, of_mirrored = (np.concatenate(columns) for columns in zip(*found, strict=True))
    order = np.lexsort((bits, first))
    starts = np.searchsorted(first[order], first[order])
    nearest = order[np.arange(len(order)) - starts < MOST_CANDIDATES]
    return _Candidates(first[nearest], second[nearest], of_mirrored[nearest])


def _worth_comparing(dataset: Dataset, whole: Whole) -> NDArray[np.int64]:
    """The images but those of one colour, and but the first of those that are the same to the pixel."""
    from striate.data.duplicates import same_pictures

    worth = np.ones(len(whole), bool)
    again = {place[:2] for places in same_pictures(dataset) for place in places[1:]}
    start = 0
    for split in dataset.splits:
        if split.facts is not None:
            worth[start : start + len(split)] = ~split.facts.blank
        if again:
            worth[start : start + len(split)] &= [
                (split.name, split.images.name(row)) not in again for row in range(len(split))
            ]
        start += len(split)
    return np.flatnonzero(worth)


def _hashes(split: Split) -> NDArray[np.uint64]:
    if split.facts is not None:
        return split.facts.hashes

    def hashed(row: int) -> int:
        try:
            return perceptual_hash(split.images.read(row))
        except UnreadableImage:
            return 0

    with reading_threads() as pool:
        return np.fromiter(pool.map(hashed, range(len(split))), np.uint64, len(split))


def _details(whole: Whole, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    """The fine detail of some images, of mean 0 and length 1, (M, S, S); zeros for one that has gone since."""
    found = np.zeros((len(rows), SIDE, SIDE), np.float16)

    def read(place: int) -> None:
        split, row = whole.locate(int(rows[place]))
        with suppress(UnreadableImage):
            found[place] = detail(split.images.read(row, _small_enough))

    with reading_threads() as pool:
        list(pool.map(read, range(len(rows))))
    return found


def detail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The fine detail of uint8 (H, W, C): what a blur takes off its small grey picture, of mean 0 and length 1."""
    small = shrunk(image, SIDE).astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), BLUR)
    fine -= fine.mean()
    return np.asarray(fine / max(float(np.linalg.norm(fine)), 1e-6))


def _small_enough(height: int, width: int) -> int:
    """How many times smaller a picture serves: eight pixels for each that is compared, at least."""
    times = min(height, width) // (4 * SIDE)
    return 1 << min(3, max(0, times.bit_length() - 1))


def _likeness(details: NDArray, places: NDArray[np.int64], is_mirrored: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The correlation of the details of each pair."""
    found = np.empty(len(is_mirrored), np.float32)

    def compare(start: int) -> None:
        first, second = places[:, start : start + _PAIRS]
        turned = is_mirrored[start : start + _PAIRS]
        one = details[first].astype(np.float32)
        one[turned] = one[turned][:, :, ::-1]
        found[start : start + _PAIRS] = np.einsum("nij,nij->n", one, details[second].astype(np.float32))

    with reading_threads() as pool:
        list(pool.map(compare, range(0, len(found), _PAIRS)))
    return found


def _next_ones(places: NDArray[np.int64], likeness: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """How alike each image is to the next candidate behind those that may be its copies, (M,); 0 where none is."""
    images, values = places.reshape(-1), np.concatenate([likeness, likeness])
    order = np.lexsort((-values, images))
    starts = np.searchsorted(images[order], np.arange(count))
    enough = np.bincount(images, minlength=count) > COPIES
    found = np.zeros(count, np.float32)
    found[enough] = values[order][starts[enough] + COPIES].clip(0)
    return found


def _at_large(whole: Whole, rows: NDArray[np.int64], details: NDArray[np.float16]) -> NDArray[np.float32]:
    """How alike each image is to others at large, (M,): high where all are of one shape, as X-rays are."""
    drawn = rows[np.random.default_rng(0).permutation(len(rows))[:DRAWN]]
    if len(drawn) < FEWEST_DRAWN:
        return np.zeros(len(details), np.float32)
    of_drawn = _details(whole, drawn).reshape(len(drawn), -1).astype(np.float32)
    found = np.empty(len(details), np.float32)
    for start in range(0, len(details), _PAIRS):
        some = details[start : start + _PAIRS].reshape(-1, SIDE * SIDE).astype(np.float32)
        found[start : start + _PAIRS] = np.quantile(some @ of_drawn.T, QUARTILE, axis=1)
    return found.clip(0)
