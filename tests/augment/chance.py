"""What a policy draws for images that are numbered from 0."""

import numpy as np

from striate.augment import Augment
from striate.augment.sampling import colours, draws, geometries


def geometry_of(policy: Augment, inputs: np.ndarray, size: tuple[int, int], seed: int = 0, *fit) -> np.ndarray:
    """(N, 2, 3)"""
    return geometries(policy, draws(policy, seed, 0, np.arange(len(inputs))), inputs, size, *fit)


def colours_of(policy: Augment, count: int, seed: int = 0, mean: float = 0.5, axes=None) -> np.ndarray:
    """(N, 3, 4), for pictures of that mean."""
    drawn = draws(policy, seed, 0, np.arange(count))
    return colours(policy, drawn, np.full((count, 3), mean), axes)
