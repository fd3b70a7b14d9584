"""How a unit's gradient is spread over the image, and how far: the numbers of an effective receptive field."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from striate.errors import UsageError

#: Share of the middle pixel's gradient from which Luo et al. count a pixel in: 1 - 95.45 %.
LUO_THRESHOLD = 1 - 0.9545


@dataclass(frozen=True)
class Spread:
    """How strongly each pixel moves one unit.

    Attributes:
        layer: whose output the unit is in.
        unit: its place there along each axis: row and column in a map of an image, one place in that of a signal.
        map: (H, W), of a signal (L,), in float64: each pixel's share of the gradient; they sum to 1.
        theoretical: extent of the closed receptive field per axis, not clipped at the image; None where it is unknown.
        centre: where in the image the closed field lies around, per axis, or the middle of the image.
        samples: images that the gradient was averaged over.
        network: what the network is called.
        weights: which ones it had, where that is known.
        noise: whether the images were noise.
    """

    layer: str
    unit: tuple[int, ...]
    map: Tensor
    theoretical: tuple[int, ...] | None
    centre: tuple[float, ...]
    samples: int
    network: str = ""
    weights: str = ""
    noise: bool = False

    @property
    def sigma(self) -> tuple[float, ...]:
        """Standard deviation of the gradient's size along each axis (rows, columns), pixels."""
        spreads = []
        for axis, size in enumerate(self.map.shape):
            profile = self.map.movedim(axis, 0).reshape(size, -1).sum(1)
            places = torch.arange(len(profile), dtype=torch.float64)
            mean = (profile * places).sum()
            spreads.append(float((profile * (places - mean) ** 2).sum().sqrt()))
        return tuple(spreads)

    def side(self, share: float) -> int:
        """Side in pixels of the smallest square (stretch, cube) around the centre that holds `share` of the gradient.

        Where it reaches beyond the image only what lies within counts.
        """
        _check_share(share)
        sides = [(torch.arange(size) - middle).abs() for size, middle in zip(self.map.shape, self.centre, strict=True)]
        distance, order = torch.stack(torch.meshgrid(sides, indexing="ij")).amax(0).flatten().sort(stable=True)
        return round(2 * float(distance[_places_for(share, self.map.flatten()[order]) - 1])) + 1

    def area(self, share: float) -> int:
        """Fewest pixels that hold `share` of the gradient."""
        _check_share(share)
        return _places_for(share, self.map.flatten().sort(descending=True).values)

    @property
    def theoretical_area(self) -> float | None:
        """Area of the theoretical field within the image; None where that is unknown."""
        if self.theoretical is None:
            return None
        seen = 1.0
        for extent, centre, size in zip(self.theoretical, self.centre, self.map.shape, strict=True):
            low, high = max(centre - (extent - 1) / 2, 0), min(centre + (extent - 1) / 2, size - 1)
            seen *= high - low + 1
        return seen

    @property
    def fraction(self) -> float | None:
        """`area(0.95)` over the area of the theoretical field within the image; None where that is unknown."""
        return None if self.theoretical_area is None else self.area(0.95) / self.theoretical_area

    @property
    def luo_side(self) -> float:
        """Root of the number of pixels whose gradient is above 4.55 % of the largest, as in the paper.

        Of a signal the number itself, of a volume its third root.
        """
        count = int((self.map > LUO_THRESHOLD * self.map.max()).sum())
        return math.sqrt(count) if self.map.dim() == 2 else count ** (1 / self.map.dim())


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise UsageError(f"share is {share}; it must lie between 0 and 1, such as 0.95")


def _places_for(share: float, shares: Tensor) -> int:
    """How many of the values, from the first, sum up to `share`."""
    reached = int(torch.searchsorted(shares.cumsum(0), share))
    return min(reached + 1, len(shares))
