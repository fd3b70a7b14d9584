"""What all rules share: arguments, dimensions, operands broadcast together."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from striate.analysis.fields import Field, Several, Spread
from striate.analysis.lattice import Place
from striate.analysis.operation import (
    Call,
    combined,
    dimensions,
    elementwise,
    independent,
    positive,
    several,
    unknown,
)
from striate.analysis.ramps import UNKNOWN, Everywhere, Ramp

ROWS, COLUMNS = Ramp(2, (0,), (2,), 1), Ramp(3, (-1,), (4,), 2)


def call(*operands: tuple[tuple[int, ...], Field], outputs: int = 1, shape: tuple[int, ...] = (1, 2, 5, 6)) -> Call:
    """An operation whose operands, all of them tracked, have these shapes and fields."""
    tensors = [torch.empty(size, device="meta") for size, _ in operands]
    fields = {id(tensor): field for tensor, (_, field) in zip(tensors, operands, strict=True)}

    def field_of(tensor: Tensor) -> Field | None:
        return fields.get(id(tensor))

    results = [torch.empty(shape, device="meta") for _ in range(outputs)]
    return Call("name", (*tensors, 7), {"named": 3}, results, field_of, tensors)


def test_an_argument_is_found_by_place_then_by_name_then_by_default() -> None:
    one = call(((1, 2, 5, 6), (ROWS, COLUMNS)))
    assert one.argument(1, "named") == one.argument(1, "other", 9) == 7
    assert one.argument(2, "named") == one.argument(5, "named", 9) == 3
    assert one.argument(2, "other", 9) == 9
    assert one.argument(2, "other") is None


def test_the_source_is_the_first_operand_that_depends_on_the_input() -> None:
    one = call(((1, 2, 5, 6), (ROWS, COLUMNS)), ((1,), (None, None)), shape=(4, 3))
    assert (one.source is one.args[0], one.field, one.shape) == (True, (ROWS, COLUMNS), (4, 3))


def test_known_states_are_changed_for_all_outputs_and_others_stay() -> None:
    one = call(((1, 2, 5, 6), (ROWS, UNKNOWN, None)), outputs=2)
    whole = Everywhere(0, 9)
    assert one.each(lambda state: whole) == [(whole, UNKNOWN, None)] * 2


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [(3, 2, (3, 3)), ([3], 3, (3, 3, 3)), ((3, 4), 2, (3, 4)), ([3, 4, 5], 3, (3, 4, 5)), (0, 1, (0,))],
)
def test_one_number_stands_for_every_dimension(value: Any, count: int, expected: tuple[int, ...]) -> None:
    assert several(value, count) == expected


@pytest.mark.parametrize("dim", range(-4, 4))
def test_dimensions_are_counted_from_the_front(dim: int) -> None:
    assert positive(dim, 4) == range(4)[dim]
    assert dimensions(dim, 4) == (range(4)[dim],)
    assert dimensions([1, dim], 4) == (1, range(4)[dim])


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_no_dimension_means_all(nothing: Any) -> None:
    assert dimensions(nothing, 3) == (0, 1, 2)


def at(field: Field, axis: int, index: tuple[int, ...]) -> tuple[int, int]:
    state = field[axis]
    if isinstance(state, Several):
        parts = [at((part,), 0, index) for part in state.parts]
        return min(low for low, _ in parts), max(high for _, high in parts)
    if isinstance(state, Ramp):
        return state.low(index[state.dim]), state.high(index[state.dim])
    assert isinstance(state, Everywhere)
    return state.low, state.high


SHAPES = [(1, 2, 5, 6), (2, 5, 6), (1, 1, 5, 1), (5, 1), (1, 6), (6,), (1, 2, 1, 1), (2, 2, 5, 6)]


@pytest.mark.parametrize(("first", "second"), itertools.product(SHAPES, repeat=2))
def test_a_unit_sees_what_the_units_that_are_broadcast_to_it_see(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    shape = tuple(torch.broadcast_shapes(first, second))
    operands = []
    for size, (low, high) in ((first, (0, 2)), (second, (-1, 1))):
        rows, columns = len(size) - 2, len(size) - 1
        field = (
            Ramp(rows, (low,), (high,), 1) if rows >= 0 else Everywhere(low, high),
            Ramp(columns, (low, low + 1), (high, high + 3), 2),
        )
        operands.append((size, field))
    (found,) = elementwise(call(*operands, shape=shape))
    for axis, index in itertools.product((0, 1), itertools.product(*map(range, shape))):
        seen = []
        for size, field in operands:
            own = [0 if one == 1 else place for one, place in zip(size, index[len(shape) - len(size) :], strict=True)]
            seen.append(at(field, axis, tuple(own)))
        assert at(found, axis, index) == (min(low for low, _ in seen), max(high for _, high in seen))


def test_operands_that_depend_on_nothing_add_nothing() -> None:
    both = combined([((1, 2, 5, 6), (None, COLUMNS)), ((5, 6), (Ramp(0, (0,), (2,), 1), None))], (1, 2, 5, 6))
    assert both == (ROWS, COLUMNS)
    assert combined([((3,), (None,))], (3,)) == (None,)
    assert combined([((3,), (UNKNOWN,)), ((3,), (Everywhere(0, 1),))], (3,)) == (UNKNOWN,)
    spread = Spread((Place(0, 1, 5, 0),), 0, 4)
    assert combined([((5,), (spread,))], (2, 5)) == (Spread((Place(1, 1, 5, 0),), 0, 4),)


def test_an_operation_has_a_field_for_each_axis_and_output() -> None:
    one = call(((1, 2, 5, 6), (ROWS, COLUMNS)), outputs=2)
    assert elementwise(one) == [(ROWS, COLUMNS)] * 2
    assert independent(one) == [(None, None)] * 2
    assert unknown(one) == [(UNKNOWN, UNKNOWN)] * 2
