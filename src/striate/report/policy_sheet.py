"""The contact sheet of a policy: each of its transforms at rising strength, then all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from striate.augment import Augment
from striate.augment.colour import principal_axes
from striate.augment.policy import MIXING
from striate.augment.showing import alone, transforms, versions
from striate.report.contact_sheet import Cell

#: Versions under the whole policy, and how many in a row.
VERSIONS, ACROSS = 8, 4

Picture = NDArray[np.uint8]


def transforms_alone(
    policy: Augment, pictures: Sequence[Picture], size: tuple[int, int], seed: int
) -> Iterator[list[Cell]]:
    """The first of `pictures` itself, then a row for each transform of the policy.

    Args:
        policy: the strengths.
        pictures: uint8 (H, W, C) of any size; the second is mixed in, without one no transform that mixes is shown.
        size: (height, width) of each picture of the sheet.
        seed: decides what is drawn.
    """
    axes = own_axes(pictures[0])
    yield [Cell("the picture", versions(Augment(), pictures[:1], size, 1)[0])]
    for name in transforms(policy):
        if name in MIXING and len(pictures) < 2:
            continue
        steps = alone(policy, name)
        yield [
            Cell(words, versions(one, pictures, size, 1, seed + number, axes)[0])
            for number, (words, one) in enumerate(steps)
        ]


def all_together(policy: Augment, pictures: Sequence[Picture], size: tuple[int, int], seed: int) -> list[list[Cell]]:
    """Rows of versions under the whole policy; the arguments are those of `transforms_alone`."""
    return in_rows("all together", versions(policy, pictures, size, VERSIONS, seed, own_axes(pictures[0])))


def own_axes(picture: Picture) -> NDArray[np.float64] | None:
    """The directions in which the colours of one picture vary, in place of a data set's; None of other channels."""
    if picture.shape[2] != 3:
        return None
    return principal_axes(np.cov(picture.reshape(-1, 3) / 255, rowvar=False))


def in_rows(words: str, pictures: Sequence[Picture] | Picture) -> list[list[Cell]]:
    """Numbered pictures, so many across."""
    cells = [Cell(f"{words}, {number}", picture) for number, picture in enumerate(pictures, 1)]
    return [cells[first : first + ACROSS] for first in range(0, len(cells), ACROSS)]
