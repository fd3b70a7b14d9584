"""The numbers of a unit's spread against trying out every pixel."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from striate.analysis.spread import Spread
from striate.errors import UsageError


def some_spread(seed: int, *sides: int) -> Spread:
    generator = torch.Generator().manual_seed(seed)
    shares = torch.rand(sides, generator=generator, dtype=torch.float64) ** 3
    centre = tuple(side // 2 - (seed % 2) / 2 for side in sides)
    theoretical = tuple(2 * number + 3 + seed % 2 for number, _ in enumerate(sides, seed))
    return Spread("layer", tuple(2 for _ in sides), shares / shares.sum(), theoretical, centre, 3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sides", [(17,), (9, 12), (5, 6, 7)])
def test_figures_are_those_of_trying_out(seed: int, sides: tuple[int, ...]) -> None:
    field = some_spread(seed, *sides)
    places = list(itertools.product(*map(range, sides)))
    shares = {place: float(field.map[place]) for place in places}
    for share in (0.1, 0.68, 0.95, 0.999):
        far = {place: max(abs(p - c) for p, c in zip(place, field.centre, strict=True)) for place in places}
        reach = next(r for r in sorted(set(far.values())) if sum(shares[p] for p in places if far[p] <= r) >= share)
        assert field.side(share) == 2 * reach + 1
        largest = sorted(shares.values(), reverse=True)
        assert field.area(share) == next(n for n in range(1, len(places) + 1) if sum(largest[:n]) >= share)
    inside = [
        place
        for place in places
        if all(
            abs(p - c) <= (extent - 1) / 2
            for p, c, extent in zip(place, field.centre, field.theoretical or (), strict=True)
        )
    ]
    assert field.fraction == pytest.approx(field.area(0.95) / len(inside))
    above = sum(value > 0.0455 * max(shares.values()) for value in shares.values())
    assert field.luo_side == pytest.approx(above ** (1 / len(sides)))
    for axis, sigma in enumerate(field.sigma):
        mean = sum(place[axis] * value for place, value in shares.items())
        variance = sum((place[axis] - mean) ** 2 * value for place, value in shares.items())
        assert sigma == pytest.approx(math.sqrt(variance))


@pytest.mark.parametrize("share", [0, 1, -0.5, 1.5, 95])
def test_a_share_lies_between_none_and_all(share: float) -> None:
    for figure in (some_spread(0, 5, 6).side, some_spread(0, 5, 6).area):
        with pytest.raises(UsageError, match=f"share is {share}; it must lie between 0 and 1"):
            figure(share)


def test_one_without_a_theoretical_field_has_no_fraction() -> None:
    assert replace(some_spread(0, 5, 6), theoretical=None).fraction is None
