"""Intervals that repeat, against the same told unit by unit."""

import itertools

import pytest

from striate.analysis.ramps import UNKNOWN, Everywhere, Ramp, gathered, merged_ramps, simplified
from striate.analysis.taps import adaptive, resampled, shifted, transposed_window, window

UNEVEN = Ramp(2, (0, 1, 5), (3, 3, 6), 6)


def intervals(ramp: Ramp, count: int = 24) -> list[tuple[int, int]]:
    return [(ramp.low(unit), ramp.high(unit)) for unit in range(-count, count)]


def shortest(ramp: Ramp) -> int:
    """The smallest number of units after which the same intervals come again, moved on."""
    seen = intervals(ramp, 4 * len(ramp.lows))
    for period in range(1, len(ramp.lows) + 1):
        steps = {
            pair for one, two in zip(seen, seen[period:], strict=False) for pair in [(two[0] - one[0], two[1] - one[1])]
        }
        if len(steps) == 1 and len(set(next(iter(steps)))) == 1:
            return period
    raise AssertionError("its own period is one")


@pytest.mark.parametrize("shift", [1, 2, 4])
@pytest.mark.parametrize("lows", list(itertools.product((0, 1, 2), repeat=2)))
@pytest.mark.parametrize("highs", list(itertools.product((2, 3, 4), repeat=2)))
def test_the_shortest_period_tells_the_same(lows: tuple[int, int], highs: tuple[int, int], shift: int) -> None:
    for number in (1, 2):
        ramp = Ramp(
            3,
            (*lows, *(low + shift for low in lows)) if number == 2 else lows,
            (*highs, *(high + shift for high in highs)) if number == 2 else highs,
            number * shift,
        )
        found = simplified(3, ramp.lows, ramp.highs, ramp.shift)
        assert found.dim == 3
        assert intervals(found) == intervals(ramp)
        assert len(found.lows) == len(found.highs) == shortest(ramp)


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("ramp", [UNEVEN, Ramp(0, (4,), (6,), -2), Ramp(0, (0, 3), (9, 3), 1)])
def test_a_union_is_of_all_units(ramp: Ramp, count: int) -> None:
    seen = [(ramp.low(unit), ramp.high(unit)) for unit in range(count)]
    assert ramp.union(count) == Everywhere(min(low for low, _ in seen), max(high for _, high in seen))


TAPS = [
    window(3, 2, 1, 2),
    window(1, 3, -2),
    transposed_window(4, 2, 1, 1),
    transposed_window(3, 1, 0, 2),
    adaptive(24, 9),
    resampled(1, 24, 16, False),
    resampled(2, 24, 36, True),
    resampled(4, 24, 8, True),
    shifted((0, 5, 2)),
]


@pytest.mark.parametrize("taps", TAPS, ids=str)
@pytest.mark.parametrize("ramp", [UNEVEN, Ramp(1, (0,), (0,), 1)])
def test_what_is_gathered_is_what_the_units_that_are_read_see(taps, ramp: Ramp) -> None:
    found = gathered(ramp, taps, 24, 9)
    assert isinstance(found, Ramp)
    assert found.dim == ramp.dim
    for unit in range(-9, 18):
        read = taps(unit)
        assert found.low(unit) == min(map(ramp.low, read))
        assert found.high(unit) == max(map(ramp.high, read))


def test_a_window_over_all_units_sees_what_they_see_together() -> None:
    assert gathered(UNEVEN, window(5), 5, 1) == UNEVEN.union(5)
    assert isinstance(gathered(UNEVEN, window(5), 6, 1), Ramp)
    assert isinstance(gathered(UNEVEN, window(5), 5, 2), Ramp)
    assert isinstance(gathered(UNEVEN, window(1), 1, 1), Ramp)
    assert gathered(UNEVEN, transposed_window(1, 2, 0, 1), 5, 9) == UNKNOWN


@pytest.mark.parametrize("other", [Ramp(2, (1,), (2,), 2), Ramp(2, (-4, 0), (9, 5), 4), UNEVEN])
def test_the_hull_of_two_is_that_of_each_unit(other: Ramp) -> None:
    both = merged_ramps(UNEVEN, other)
    assert isinstance(both, Ramp)
    assert both.dim == 2
    for unit in range(-9, 9):
        assert both.low(unit) == min(UNEVEN.low(unit), other.low(unit))
        assert both.high(unit) == max(UNEVEN.high(unit), other.high(unit))
    assert merged_ramps(UNEVEN, Ramp(2, (0,), (0,), 1)) == UNKNOWN


def test_size_stride_and_offset() -> None:
    assert (UNEVEN.size, float(UNEVEN.stride), UNEVEN.offset) == (4, 2, 1.5)
