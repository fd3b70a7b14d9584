"""At which scales the pictures of a training are read, which follows from their sizes, the network's and the policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from striate.augment import Augment
from striate.augment.reducing import are_large, scales
from striate.augment.sampling import draws, geometries
from striate.data import Preprocessing
from striate.data.block import SCALES

#: Draws that tell how often each scale comes, and the share from which on it is worth being kept.
DRAWN, OFTEN = 64, 1 / 16


def scales_trained_at(policy: Augment, look: Preprocessing, sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of `SCALES` training often reads images of these heights and widths (N, 2) at: bool (N, 4)."""
    if not policy.changes_geometry:
        return scales_looked_at(look, sizes)
    kinds, kind_of = np.unique(sizes, axis=0, return_inverse=True)
    wanted = np.zeros((len(kinds), len(SCALES)), bool)
    wanted[:, 0] = True
    drawn = draws(policy, 0, 0, np.arange(DRAWN))
    for kind in np.flatnonzero(are_large(kinds)).tolist():
        alike = np.tile(kinds[kind].astype(np.int64), (DRAWN, 1))
        found = scales(geometries(policy, drawn, alike, look.size, look.resize, look.crop_fraction), alike)
        wanted[kind] = [(found == scale).mean() >= OFTEN for scale in SCALES]
    return wanted[kind_of.reshape(-1)]


def scales_looked_at(look: Preprocessing, sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """The same of images that are shown as they are: one scale each."""
    served = np.array([look.serving(height, width) for height, width in sizes.tolist()], np.int64).reshape(-1)
    return np.asarray(served[:, None] == np.array(SCALES)[None, :])
