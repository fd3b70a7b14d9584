"""Fields of units that lie along several dimensions, or along a part of one: after unfolding, cutting and merging.

`x.unfold` puts windows along one dimension and the places within a window along another; a reshape merges dimensions
into one or cuts one into several. In each case the index along a dimension is a number whose digits count steps over
the units that there were before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

from striate.analysis.ramps import Everywhere, Ramp, gathered, merged_ramps
from striate.analysis.taps import resampled, shifted, window


class Place(NamedTuple):
    """A digit of the index along `dim`: index // every % length, each of whose steps is `step` units of the source."""

    dim: int
    every: int
    length: int
    step: int


@dataclass(frozen=True)
class Lattice:
    """A unit sees what unit `start` + sum(digit * step) of `source` sees; the source's own `dim` means nothing."""

    places: tuple[Place, ...]
    start: int
    source: Ramp

    @property
    def dims(self) -> frozenset[int]:
        """The dimensions along which units differ."""
        return frozenset(place.dim for place in self.places)

    def union(self) -> Everywhere:
        """What all units see together."""
        units = [self.start + offset for offset in _sums(self.places)]
        return Everywhere(min(map(self.source.low, units)), max(map(self.source.high, units)))


def _sums(places: Iterable[Place]) -> list[int]:
    """The units that all digits reach from the first."""
    sums = {0}
    for place in places:
        sums = {total + digit * place.step for total in sums for digit in range(place.length)}
    return sorted(sums)


def as_lattice(ramp: Ramp, shape: Sequence[int]) -> Lattice:
    """The same field with the one digit that counts the units of its dimension."""
    return Lattice((Place(ramp.dim, 1, shape[ramp.dim], 1),), 0, replace(ramp, dim=0))


def whole_dims(dims: Iterable[int], shape: Sequence[int]) -> tuple[Place, ...]:
    """One digit for each of these dimensions, whose steps mean nothing."""
    return tuple(Place(dim, 1, shape[dim], 0) for dim in sorted(dims) if shape[dim] > 1)


def settled(places: Iterable[Place], start: int, source: Ramp, shape: Sequence[int]) -> Lattice | Ramp | Everywhere:
    """The simplest form: digits that continue each other joined, a ramp where one counts the units of a dimension."""
    joined: list[Place] = []
    for place in sorted(place for place in places if place.length > 1):
        before = joined[-1] if joined else None
        if (
            before is not None
            and (before.dim, before.every * before.length) == (place.dim, place.every)
            and before.step * before.length == place.step
        ):
            joined[-1] = before._replace(length=before.length * place.length)
        else:
            joined.append(place)
    if not joined:
        return Everywhere(source.low(start), source.high(start))
    lattice = Lattice(tuple(joined), start, replace(source, dim=0))
    return as_ramp(lattice, shape) or lattice if joined[0].every == 1 else lattice


def as_ramp(lattice: Lattice, shape: Sequence[int]) -> Ramp | None:
    """The same field as a ramp, where one digit, of steps that may last, counts the units of a dimension."""
    dim, every, count, step = lattice.places[0]
    if len(lattice.places) > 1 or every * count != shape[dim]:
        return None
    ramp = gathered(lattice.source, window(1, step, -lattice.start), 0, 0)
    if every > 1 and isinstance(ramp, Ramp):
        ramp = gathered(ramp, resampled(1, count, count * every, False), 0, 0)
    assert isinstance(ramp, Ramp)
    return replace(ramp, dim=dim)


@lru_cache(maxsize=4096)
def blended(lattice: Lattice, dims: frozenset[int], shape: tuple[int, ...]) -> Lattice | Ramp | Everywhere:
    """The field after units along `dims` have been put together."""
    gone = [place for place in lattice.places if place.dim in dims]
    left = [place for place in lattice.places if place.dim not in dims]
    if not gone:
        return lattice
    if not left:
        return lattice.union()
    source = gathered(lattice.source, shifted(_sums(gone)), 0, 0)
    assert isinstance(source, Ramp)
    return settled(left, lattice.start, source, shape)


def part(lattice: Lattice, dim: int, start: int, step: int, kept: int, shape: Sequence[int]) -> Lattice | None:
    """The field of every `step`-th unit along `dim` from `start` on; None where a digit is cut in two."""
    places, first = [], lattice.start
    for place in lattice.places:
        if place.dim == dim:
            if place.every != 1 or place.length != shape[dim]:
                return None
            first += start * place.step
            place = place._replace(length=kept, step=place.step * step)
        places.append(place)
    return Lattice(tuple(places), first, lattice.source)


@lru_cache(maxsize=4096)
def regrouped(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[tuple[list[int], list[int]], ...]:
    """Which dimensions of `old` become which of `new` in a reshape; those of size 1 are left out."""
    olds = [(dim, size) for dim, size in enumerate(old) if size != 1]
    news = [(dim, size) for dim, size in enumerate(new) if size != 1]
    groups = []
    while olds and news:
        left, right = [olds.pop(0)], [news.pop(0)]
        old_size, new_size = left[0][1], right[0][1]
        while old_size != new_size:
            if old_size < new_size:
                left.append(olds.pop(0))
                old_size *= left[-1][1]
            else:
                right.append(news.pop(0))
                new_size *= right[-1][1]
        groups.append(([dim for dim, _ in left], [dim for dim, _ in right]))
    return tuple(groups)


def reshaped(places: Iterable[Place], old: tuple[int, ...], new: tuple[int, ...]) -> list[Place] | None:
    """The digits in another shape; None where a dimension is cut within one."""
    laid_out: list[Place] = []
    for place in places:
        left, right = next(group for group in regrouped(old, new) if place.dim in group[0])
        every = place.every * prod(old[dim] for dim in left[left.index(place.dim) + 1 :])
        pieces = list(_pieces(place, every, right, new))
        if prod(piece.length for piece in pieces) != place.length:
            return None
        laid_out += pieces
    return laid_out


def _pieces(place: Place, every: int, dims: Sequence[int], shape: Sequence[int]) -> Iterable[Place]:
    """The digit, which changes with each `every`-th unit of a group of dimensions, as digits of those dimensions."""
    inner = 1  # units that one step along `dim` passes over
    for dim in reversed(dims):
        outer, end = inner * shape[dim], every * place.length
        low, high = max(every, inner), min(end, outer)
        begins_anew = dim == dims[0] or end >= outer or outer % end == 0  # the same in each step along the next one
        if low < high and low % every == high % low == low % inner == 0 and begins_anew:
            yield Place(dim, low // inner, high // low, place.step * (low // every))
        inner = outer


#: Combinations of digits that are tried, at most.
MOST_UNITS = 4096


@lru_cache(maxsize=4096)
def covers(large: Lattice, small: Lattice) -> bool:
    """Whether each unit of one field sees at least what the other sees there."""
    keys = [place[:3] for place in small.places]
    if not all(place[:3] in keys for place in large.places) or prod(key[2] for key in keys) > MOST_UNITS:
        return False
    steps = {place[:3]: place.step for place in large.places}
    for digits in product(*(range(key[2]) for key in keys)):
        one = large.start + sum(digit * steps.get(key, 0) for digit, key in zip(digits, keys, strict=True))
        two = small.start + sum(digit * place.step for digit, place in zip(digits, small.places, strict=True))
        if large.source.low(one) > small.source.low(two) or large.source.high(one) < small.source.high(two):
            return False
    return True


def hull(first: Lattice, second: Lattice) -> Lattice | None:
    """The field of units that see what both see, where their digits are the same."""
    if first.places != second.places:
        return None
    low = min(first.start, second.start)
    one, two = (gathered(each.source, window(1, 1, low - each.start), 0, 0) for each in (first, second))
    assert isinstance(one, Ramp)
    assert isinstance(two, Ramp)
    ramp = merged_ramps(one, two)
    return Lattice(first.places, low, ramp) if isinstance(ramp, Ramp) else None
