"""Whether a network learns as much from one warp as from torchvision's sequence of transforms: CIFAR-10, test accuracy.

    python bench/augment_quality.py [--seeds 3] [--epochs 10] [--images 50000]

The same network and recipe (`cifar10_fast`) are trained twice by striate's own loop, with the same seeds: once on the
batches of a policy, once on batches that torchvision's v2 transforms of the same ranges make of the same images (pad
and crop, mirror, rotate, colour jitter), one after the other. Accuracy is that on the 10,000 test images.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import Report, arguments, child, data, each

#: What both draw from: pixels of padding, degrees either way, factors about 1, degrees of hue.
PADDING, TURN, COLOUR, HUE = 4, 10.0, 0.2, 10.0
OURS, THEIRS = "striate's policy", "torchvision's transforms"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--epochs", type=int, default=10, help="of each run (10)")
    parser.add_argument("--images", type=int, default=50_000, help="training images (50,000)")
    parser.add_argument("--contestant", choices=(OURS, THEIRS), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(json.dumps(trained(options)))
        return
    report = Report("Policies against torchvision's, CIFAR-10", options, "torchvision", "opencv-python-headless")
    report.line(f"- {options.images:,} training images, {options.epochs} epochs, seeds from 0, in turn")
    words = ("--epochs", options.epochs, "--images", options.images)
    runs: dict[str, list[dict[str, Any]]] = {OURS: [], THEIRS: []}
    for seed in range(options.seeds):
        for name in list(runs)[:: 1 if seed % 2 == 0 else -1]:
            runs[name].append(child(__file__, "--contestant", name, "--seed", seed, *words))
    rows = []
    for name, found in runs.items():
        accuracies = [100 * run["accuracy"] for run in found]
        seconds = statistics.median(run["seconds"] for run in found)
        rows.append([name, f"{statistics.mean(accuracies):.2f}", each(accuracies), f"{seconds:.0f}"])
    report.table(["trained on", "mean accuracy %", "each", "median s"], rows)
    apart = [100 * (our["accuracy"] - their["accuracy"]) for our, their in zip(runs[OURS], runs[THEIRS], strict=True)]
    report.line(f"- {statistics.mean(apart):+.2f} points apart in the mean ({each(apart)})")
    report.close()


def trained(options: argparse.Namespace) -> dict[str, Any]:
    """One run of a contestant."""
    import numpy as np

    import striate
    from striate.training.making import Maker

    policy = striate.Augment(
        flip=0.5,
        crop_padding=PADDING,
        rotate=TURN,
        brightness=COLOUR,
        contrast=COLOUR,
        saturation=COLOUR,
        hue=HUE,
    )
    dataset = striate.open_dataset(data("cifar10_jpeg"), val_fraction=0)
    rows = np.random.default_rng(0).permutation(len(dataset.train))[: options.images]
    dataset = replace(dataset, train=dataset.train.subset(rows))
    if options.contestant == THEIRS:
        Maker._augmented = _by_torchvision  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as run:
        began = time.perf_counter()
        classifier = striate.train(
            dataset,
            recipe="cifar10_fast",
            policy=policy,
            epochs=options.epochs,
            val_fraction=0,
            seed=options.seed,
            quiet=True,
            report=False,
            run=Path(run, "run"),
        )
    evaluation = classifier.evaluation
    assert evaluation is not None
    return {"accuracy": evaluation.top1, "seconds": time.perf_counter() - began}


def _by_torchvision(maker: Any, epoch: int, indices: Any, repeats: Any) -> Any:
    """In place of `Maker._augmented`: (n, H, W, C)."""
    import torch
    from torchvision.transforms import v2

    bilinear = v2.InterpolationMode.BILINEAR
    transform = v2.Compose(
        [
            v2.RandomCrop(32, padding=PADDING),
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(TURN, interpolation=bilinear),
            v2.ColorJitter(COLOUR, COLOUR, COLOUR, HUE / 360),
        ]
    )
    plain = torch.from_numpy(maker._plain(indices)).permute(0, 3, 1, 2)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(hash((maker.seed, epoch, int(indices[0]))) % 2**32)
        return torch.stack([transform(picture) for picture in plain]).permute(0, 2, 3, 1).contiguous().numpy()


if __name__ == "__main__":
    main()
