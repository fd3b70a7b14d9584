"""How the states of one axis change and become one."""

import itertools

import pytest

from striate.analysis.fields import MOST_PARTS, Several, Spread, changed, dims_of, merged, mixed, moved, spread, widened
from striate.analysis.lattice import Lattice, Place, hull, whole_dims
from striate.analysis.ramps import UNKNOWN, WHOLE, Everywhere, Ramp

SHAPE = (1, 2, 6, 5)
ROWS = Ramp(2, (0,), (2,), 1)  # all of them see 0 to 7
TWO = Spread((Place(2, 1, 6, 0), Place(3, 1, 5, 0)), -1, 9)


def test_units_whose_order_is_lost_are_blended_along_all_of_their_dimensions_or_not_at_all() -> None:
    assert mixed(TWO, (2, 3), SHAPE) == mixed(TWO, (1, 2, 3), SHAPE) == Everywhere(-1, 9)
    assert mixed(TWO, (2,), SHAPE) == mixed(TWO, (0, 3), SHAPE) == UNKNOWN
    assert mixed(TWO, (0, 1), SHAPE) == TWO


def test_what_depends_on_nothing_and_what_is_not_known_stay_so() -> None:
    assert mixed(None, (2,), SHAPE) is None
    assert mixed(UNKNOWN, (2,), SHAPE) == UNKNOWN
    assert merged(None, ROWS, SHAPE) == merged(ROWS, None, SHAPE) == ROWS
    assert merged(None, None, SHAPE) is None
    assert merged(UNKNOWN, ROWS, SHAPE) == merged(ROWS, UNKNOWN, SHAPE) == UNKNOWN


@pytest.mark.parametrize(("low", "high"), [(0, 7), (-3, 9), (0, 9), (-1, 7)])
def test_what_all_see_covers_units_within_it(low: int, high: int) -> None:
    whole = Everywhere(low, high)
    assert merged(whole, ROWS, SHAPE) == merged(ROWS, whole, SHAPE) == whole


@pytest.mark.parametrize(("low", "high"), [(1, 7), (0, 6), (1, 6), (-5, 6), (1, 20)])
def test_what_all_see_is_told_beside_units_that_reach_further(low: int, high: int) -> None:
    whole = Everywhere(low, high)
    assert merged(whole, ROWS, SHAPE) == Several(frozenset((whole, ROWS)))


def test_several_are_told_up_to_a_number() -> None:
    state = None
    for dim in range(MOST_PARTS):
        state = merged(state, Ramp(dim, (dim,), (dim,), 2), (8,) * 6)
    assert isinstance(state, Several)
    assert len(state.parts) == MOST_PARTS == 4
    assert merged(state, Ramp(5, (0,), (0,), 2), (8,) * 6) == UNKNOWN
    assert merged(state, Ramp(0, (0,), (0,), 3), (8,) * 6) == UNKNOWN  # one of them moves on at another stride
    assert merged(state, Ramp(0, (7,), (7,), 2), (8,) * 6) == Several(
        frozenset((Ramp(0, (0,), (7,), 2), *(part for part in state.parts if part.dim != 0)))  # type: ignore[union-attr]
    )


def test_two_of_a_kind_become_their_hull() -> None:
    assert merged(Everywhere(0, 3), Everywhere(2, 9), SHAPE) == Everywhere(0, 9)
    assert merged(TWO, Spread(TWO.places, -4, 3), SHAPE) == Spread(TWO.places, -4, 9)
    one = Spread(TWO.places[:1], -4, 3)
    assert merged(TWO, one, SHAPE) == Several(frozenset((TWO, one)))


@pytest.mark.parametrize(("low", "high", "fills"), [(0, 9, True), (-2, 12, True), (1, 9, False), (0, 8, False)])
def test_what_covers_the_input_is_all_of_it(low: int, high: int, fills: bool) -> None:
    state = Everywhere(low, high)
    assert widened((state, ROWS), (10, 10)) == (WHOLE if fills else state, ROWS)
    several = Several(frozenset((state, ROWS)))
    assert widened((several,), (10,)) == (WHOLE if fills else several,)


def test_only_dimensions_of_several_units_have_digits() -> None:
    assert whole_dims({3, 0, 1, 2}, (2, 1, 3, 4)) == (Place(0, 1, 2, 0), Place(2, 1, 3, 0), Place(3, 1, 4, 0))


PLACES = (Place(0, 1, 3, 4), Place(1, 1, 2, 1))


@pytest.mark.parametrize("starts", [(0, 0), (2, 0), (0, 3), (-1, 4)])
def test_the_hull_of_two_lattices_is_that_of_each_unit(starts: tuple[int, int]) -> None:
    one = Lattice(PLACES, starts[0], Ramp(0, (0, 1), (2, 6), 3))
    two = Lattice(PLACES, starts[1], Ramp(0, (-1, 1), (1, 2), 3))
    both = hull(one, two)
    assert both is not None
    assert both.places == PLACES
    for step in range(10):
        ends = [(field.source.low(field.start + step), field.source.high(field.start + step)) for field in (one, two)]
        assert both.source.low(both.start + step) == min(low for low, _ in ends)
        assert both.source.high(both.start + step) == max(high for _, high in ends)


def test_lattices_of_other_digits_or_strides_have_no_hull() -> None:
    one = Lattice(PLACES, 0, ROWS)
    assert hull(one, Lattice((PLACES[0]._replace(step=2), PLACES[1]), 0, ROWS)) is None
    assert hull(one, Lattice(PLACES[:1], 0, ROWS)) is None
    assert hull(one, Lattice(PLACES, 0, Ramp(0, (0,), (2,), 2))) is None


STATES = {
    "rows": ROWS,
    "rows further": Ramp(2, (-1, 1), (1, 5), 2),
    "columns": Ramp(3, (0,), (4,), 1),
    "pairs": Lattice((Place(2, 1, 6, 2), Place(3, 1, 5, 1)), 0, Ramp(0, (0,), (2,), 1)),
    "pairs further": Lattice((Place(2, 1, 6, 2), Place(3, 1, 5, 1)), 1, Ramp(0, (-3,), (5,), 1)),
    "other pairs": Lattice((Place(2, 1, 6, 1), Place(3, 1, 5, 3)), 2, Ramp(0, (0,), (1,), 1)),
    "halves": Lattice((Place(2, 1, 2, 1),), 0, Ramp(0, (0,), (1,), 1)),
    "some": Everywhere(2, 4),
    "more": Everywhere(-9, 40),
}


def seen(state: object, index: tuple[int, ...]) -> tuple[int, int]:
    """What a unit sees by each kind of state's own words."""
    if isinstance(state, Several):
        parts = [seen(part, index) for part in state.parts]
        return min(low for low, _ in parts), max(high for _, high in parts)
    if isinstance(state, Everywhere):
        return state.low, state.high
    if isinstance(state, Ramp):
        return state.low(index[state.dim]), state.high(index[state.dim])
    assert isinstance(state, Lattice)
    unit = state.start + sum(place.step * (index[place.dim] // place.every % place.length) for place in state.places)
    return state.source.low(unit), state.source.high(unit)


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(STATES, 2)))
def test_two_states_of_any_kind_become_one_that_tells_of_each_unit_what_both_see(first: str, second: str) -> None:
    one, two = STATES[first], STATES[second]
    for both in (merged(one, two, SHAPE), merged(two, one, SHAPE)):
        assert both != UNKNOWN
        for row, column in itertools.product(range(6), range(5)):
            index = (0, 0, row, column)
            ends = [seen(state, index) for state in (one, two)]
            assert seen(both, index) == (min(low for low, _ in ends), max(high for _, high in ends))


@pytest.mark.parametrize("dims", [(2,), (3,), (2, 3), (0, 1), (1, 2, 3)])
@pytest.mark.parametrize("name", STATES)
def test_a_blend_sees_what_the_units_along_its_dimensions_see(name: str, dims: tuple[int, ...]) -> None:
    state = STATES[name]
    blend = mixed(state, dims, SHAPE)
    for row, column in itertools.product(range(6), range(5)):
        rows, columns = range(6) if 2 in dims else [row], range(5) if 3 in dims else [column]
        ends = [seen(state, (0, 0, *place)) for place in itertools.product(rows, columns)]
        assert seen(blend, (0, 0, row, column)) == (min(low for low, _ in ends), max(high for _, high in ends))


@pytest.mark.parametrize("name", STATES)
def test_what_is_moved_and_spread_tells_of_the_same_units(name: str) -> None:
    state = STATES[name]
    there = moved(state, {2: 3, 3: 1}.__getitem__)
    assert dims_of(there) == {{2: 3, 3: 1}[dim] for dim in dims_of(state)}
    assert moved(there, {3: 2, 1: 3}.__getitem__) == state
    ends = [seen(state, (0, 0, row, column)) for row, column in itertools.product(range(6), range(5))]
    lost = spread(state, SHAPE)  # type: ignore[arg-type]
    assert (lost.low, lost.high) == (min(low for low, _ in ends), max(high for _, high in ends))
    assert dims_of(lost) == dims_of(state)
    assert seen(there, (0, 4, 0, 3)) == seen(state, (0, 0, 3, 4))


def test_several_are_moved_and_changed_part_by_part() -> None:
    several = Several(frozenset((ROWS, Ramp(3, (0,), (4,), 2))))
    assert dims_of(several) == {2, 3}
    assert moved(several, lambda dim: dim - 2) == Several(frozenset((Ramp(0, (0,), (2,), 1), Ramp(1, (0,), (4,), 2))))
    assert changed(several, lambda part: Everywhere(part.low(1), part.high(1)), SHAPE) == Everywhere(1, 6)
    assert changed(several, lambda part: UNKNOWN if part == ROWS else part, SHAPE) == UNKNOWN
    assert changed(several, lambda part: None if part == ROWS else part, SHAPE) == Ramp(3, (0,), (4,), 2)
    assert moved(TWO, lambda dim: 5 - dim) == Spread((Place(2, 1, 5, 0), Place(3, 1, 6, 0)), -1, 9)
    assert (dims_of(UNKNOWN), dims_of(None), moved(UNKNOWN, abs), moved(None, abs)) == (set(), set(), UNKNOWN, None)
