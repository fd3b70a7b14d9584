"""What one tensor knows of the input: for each of its axes a state, how states change and how two become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from striate.analysis.lattice import Lattice, Place, as_lattice, blended, covers, hull, whole_dims
from striate.analysis.ramps import UNKNOWN, WHOLE, Everywhere, Ramp, Unknown, merged_ramps


@dataclass(frozen=True)
class Spread:
    """The units differ by the digits `places`, how is not known; all of them see [low, high] together."""

    places: tuple[Place, ...]
    low: int
    high: int

    @property
    def dims(self) -> frozenset[int]:
        """The dimensions along which units differ."""
        return frozenset(place.dim for place in self.places)


@dataclass(frozen=True)
class Several:
    """A unit sees all that each of these tells of it, as the score of a query and a key does."""

    parts: frozenset[Ramp | Lattice | Spread | Everywhere]


#: What one tensor knows of one input axis. None: its values do not depend on the input.
State = Ramp | Lattice | Everywhere | Spread | Several | Unknown | None
#: One state per spatial axis of the input.
Field = tuple[State, ...]

#: More than so many that no rule makes one are not followed further.
MOST_PARTS = 4


def parts_of(state: State) -> tuple[State, ...]:
    """The state itself, or those it is made of."""
    return tuple(state.parts) if isinstance(state, Several) else (state,)


def dims_of(state: State) -> frozenset[int]:
    """The dimensions along which units differ."""
    if isinstance(state, Ramp):
        return frozenset((state.dim,))
    if isinstance(state, Lattice | Spread):
        return state.dims
    if isinstance(state, Several):
        return frozenset().union(*map(dims_of, state.parts))
    return frozenset()


def changed(state: State, change: Callable[[State], State], shape: Sequence[int]) -> State:
    """`change` applied where something is known, to each part of it; `shape` is that of the result."""
    if state is None or isinstance(state, Unknown):
        return state
    if not isinstance(state, Several):
        return change(state)
    result: State = None
    for part in state.parts:
        result = merged(result, change(part), tuple(shape))
    return result


def spread(state: Ramp | Lattice | Spread | Everywhere, shape: Sequence[int]) -> Spread:
    """What is left of a part of a field when the order of its units is lost; `shape` is that of the tensor."""
    seen = state
    if isinstance(state, Ramp):
        seen = state.union(shape[state.dim])
    elif isinstance(state, Lattice):
        seen = state.union()
    assert isinstance(seen, Everywhere | Spread)
    return Spread(whole_dims(dims_of(state), shape), seen.low, seen.high)


def mixed(state: State, dims: Iterable[int], shape: Sequence[int]) -> State:
    """The field after units along `dims` have been blended: a sum, a softmax, the inner side of a product."""
    gone = frozenset(dims)
    return changed(state, lambda part: _mixed(part, gone, shape), shape)


def _mixed(state: State, dims: frozenset[int], shape: Sequence[int]) -> State:
    if isinstance(state, Ramp) and state.dim in dims:
        return state.union(shape[state.dim])
    if isinstance(state, Lattice):
        return blended(state, dims, tuple(shape))
    if isinstance(state, Spread) and state.dims & dims:
        return Everywhere(state.low, state.high) if state.dims <= dims else UNKNOWN
    return state


def widened(field: Field, extents: Sequence[int]) -> Field:
    """`WHOLE` in place of each interval that covers the input's axis, of size `extents`."""
    return tuple(
        WHOLE if any(_fills(part, extent) for part in parts_of(state)) else state
        for state, extent in zip(field, extents, strict=True)
    )


def _fills(state: State, extent: int) -> bool:
    return isinstance(state, Everywhere) and state.low <= 0 and state.high >= extent - 1


def moved(state: State, target: Callable[[int], int]) -> State:
    """The field after dimensions have been renumbered by `target`."""
    if isinstance(state, Ramp):
        return Ramp(target(state.dim), state.lows, state.highs, state.shift)
    if isinstance(state, Lattice | Spread):
        places = sorted(place._replace(dim=target(place.dim)) for place in state.places)
        return replace(state, places=tuple(places))
    if isinstance(state, Several):
        return Several(frozenset(moved(part, target) for part in state.parts))  # type: ignore[misc]
    return state


@lru_cache(maxsize=4096)
def merged(first: State, second: State, shape: tuple[int, ...]) -> State:
    """The field of a unit that depends on a unit of both operands: the hull of the two intervals.

    `shape` is the shape that both operands are broadcast to.
    """
    if first is None or first == second:
        return second
    if second is None:
        return first
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return UNKNOWN
    parts: list[State] = list(parts_of(first))
    for part in parts_of(second):
        parts = _with_another(parts, part, shape)
    if UNKNOWN in parts or len(parts) > MOST_PARTS:
        return UNKNOWN
    return parts[0] if len(parts) == 1 else Several(frozenset(parts))  # type: ignore[arg-type]


def _with_another(parts: list[State], new: State, shape: tuple[int, ...]) -> list[State]:
    """The parts and another one, which may become one with some of them."""
    left = []
    for part in parts:
        both = _one_of_two(part, new, shape)
        if both is None:
            left.append(part)
        else:
            new = both
    return [*left, new]


def _one_of_two(first: State, second: State, shape: tuple[int, ...]) -> State:
    """The hull of two fields as one; None where no single one tells it."""
    if isinstance(first, Ramp) and isinstance(second, Ramp) and first.dim == second.dim:
        return merged_ramps(first, second)
    if isinstance(first, Everywhere) and isinstance(second, Everywhere):
        return Everywhere(min(first.low, second.low), max(first.high, second.high))
    if isinstance(first, Spread) and isinstance(second, Spread) and first.places == second.places:
        return Spread(first.places, min(first.low, second.low), max(first.high, second.high))
    if isinstance(first, Lattice) and isinstance(second, Lattice):
        both = hull(first, second)
        if both is not None:
            return both
    for large, small in ((first, second), (second, first)):
        if _covers(large, small, shape):
            return large
    return None


def _covers(large: State, small: State, shape: tuple[int, ...]) -> bool:
    """Whether each unit of one field sees at least what the other sees there."""
    if isinstance(large, Everywhere) and isinstance(small, Ramp | Lattice | Spread):
        seen = spread(small, shape)
        return large.low <= seen.low and seen.high <= large.high
    if isinstance(large, Ramp | Lattice) and isinstance(small, Ramp | Lattice):
        one, two = (as_lattice(each, shape) if isinstance(each, Ramp) else each for each in (large, small))
        return covers(one, two)
    return False
