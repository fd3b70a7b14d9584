"""How far augmented pictures lie from what they should show: one warp against a sequence of resamplings.

    python bench/resampling.py [--pictures 100]

A picture that is known at every point (a sum of waves, down to the finest that its pixels hold) is cut, turned and
slanted by the same random amounts: by striate's one matrix, and by torchvision's resized crop, rotation and shear one
after the other. Printed are the root mean square differences, in grey levels, from the known picture at the same
points, over the middle of the output, for waves of several lengths.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torchvision.transforms.v2 import functional

from common import Report, arguments
from striate.augment import geometry, warp

SIDE, OUT, MARGIN = 256, 224, 56
#: Pixels of the shortest waves in the picture.
LENGTHS = (32, 16, 8, 4)
WAVES = 12


class Known:
    """A picture with a value at every point: points (x, y) span 0..SIDE."""

    def __init__(self, seed: int, shortest: float) -> None:
        rng = np.random.default_rng(seed)
        directions, lengths = rng.uniform(0, 2 * np.pi, WAVES), rng.uniform(shortest, 4 * shortest, WAVES)
        self.waves = np.stack([np.cos(directions), np.sin(directions)]) * 2 * np.pi / lengths
        self.phases = rng.uniform(0, 2 * np.pi, WAVES)

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The grey level there."""
        waves = np.cos(x[..., None] * self.waves[0] + y[..., None] * self.waves[1] + self.phases)
        return 127.5 + 100 * waves.sum(-1) / math.sqrt(8 * WAVES)

    def pixels(self) -> np.ndarray:
        """As a camera has it: uint8 (SIDE, SIDE, 3)."""
        y, x = np.mgrid[:SIDE, :SIDE] + 0.5
        grey = np.clip(np.rint(self(x, y)), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    options = parser.parse_args()
    report = Report("One warp and three resamplings", options, "torchvision", "opencv-python-headless")
    report.line(f"- {options.pictures} pictures for each length; differences in grey levels, root mean square")
    rows = []
    for shortest in LENGTHS:
        found = np.array([_differences(seed, shortest) for seed in range(options.pictures)])
        ours, theirs = np.sqrt((found**2).mean(axis=0))
        rows.append([f"{shortest} pixels", f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.2f} x"])
    report.table(["shortest waves", "one warp", "torchvision's three", "as far"], rows)
    report.close()


def _differences(seed: int, shortest: float) -> tuple[float, float]:
    """Of one picture, ours and torchvision's."""
    known, rng = Known(seed, shortest), np.random.default_rng(1000 + seed)
    image, side = known.pixels(), int(rng.integers(160, SIDE + 1))
    left, top = (int(value) for value in rng.integers(0, SIDE - side + 1, 2))
    turn, slant = rng.uniform(-15, 15), rng.uniform(-8, 8)
    one = np.ones(1)
    base = geometry.box(left * one, top * one, side * one, side * one, (OUT, OUT))
    turned = base @ geometry.about(OUT / 2, OUT / 2, geometry.rotation(turn * one))
    matrix = turned @ geometry.about(OUT / 2, OUT / 2, geometry.shearing(slant * one, 0 * one))
    ours = warp([image], matrix[:, :2], (OUT, OUT))[0, :, :, 0]

    tensor = torch.from_numpy(image).permute(2, 0, 1)
    cut = functional.resized_crop(tensor, top, left, side, side, [OUT, OUT], antialias=True)
    rotated = functional.rotate(cut, turn, functional.InterpolationMode.BILINEAR)
    sheared = functional.affine(
        rotated, 0, [0, 0], 1.0, [slant, 0], functional.InterpolationMode.BILINEAR, center=[OUT / 2, OUT / 2]
    )
    theirs = sheared[0].numpy()

    y, x = np.mgrid[:OUT, :OUT] + 0.5
    points = matrix[0, :2] @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    true = known(*points.reshape(2, OUT, OUT))
    middle = slice(MARGIN, OUT - MARGIN), slice(MARGIN, OUT - MARGIN)
    return tuple(float(np.sqrt(((made - true)[middle] ** 2).mean())) for made in (ours, theirs))


if __name__ == "__main__":
    main()
