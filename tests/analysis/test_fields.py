"""How the states of one axis change and become one."""

import pytest

from striate.analysis.fields import MOST_PARTS, Several, Spread, merged, mixed, widened
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
