"""Validation in bfloat16 against float32, in turn: images a second of the network, and both figures.

    python bench/validation_precision.py [--rounds 5]

The networks are pretrained ones (`$STRIATE_WEIGHTS`, else ../shared/weights): ResNet-20 on CIFAR-10's test images, and
MobileNet v2 on flowers with a head that is trained here for an epoch. Every pass is what a training's validation does,
in its batches. A processor that does not multiply bfloat16 is left with one line: there nobody is given it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from common import Report, alternate, arguments, data, each, median, ratios, skip
from views import cifar_names, trained_on_flowers, weights

IMAGES = {"flowers, MobileNet v2": 240, "CIFAR-10 (JPEG), ResNet-20": 2_000}


def compare(name: str, classifier: Any, split: Any, rounds: int, report: Report) -> list[str]:
    """One row of the table."""
    import numpy as np
    import torch

    from striate.engines import Eager, images_at_once
    from striate.training.batches import Batches
    from striate.training.evaluation import evaluate, look_at
    from striate.training.validation import agrees

    look = classifier.description.preprocessing
    few = split.subset(np.arange(min(IMAGES[name], len(split))))
    batches = Batches(few, look, images_at_once(look.size, 64))
    exact, reduced = (Eager(classifier.model, look.normalise, dtype) for dtype in (None, torch.bfloat16))
    contests = {
        "float32": lambda: len(few) / look_at(exact, batches).seconds,
        "bfloat16": lambda: len(few) / look_at(reduced, batches).seconds,
    }
    speeds = alternate(contests, rounds)
    gains = ratios(speeds["bfloat16"], speeds["float32"])
    report.line(f"- {name}: ratio of each round {each(gains)}")
    high, low = (evaluate(engine, batches, classifier.task) for engine in (exact, reduced))
    return [
        name,
        f"{len(few):,}",
        f"{median(speeds['float32']):.0f} -> {median(speeds['bfloat16']):.0f}",
        f"{median(gains):.2f}",
        f"{high.top1:.2%} -> {low.top1:.2%}",
        f"{high.loss:.4f} -> {low.loss:.4f}",
        "bfloat16" if agrees(high, low) else "float32",
    ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="passes in each precision (5)")
    options = parser.parse_args()
    import striate
    from striate.cli.app import KEEP_MEMORY
    from striate.training.hardware import cpu_has_bfloat16

    if not cpu_has_bfloat16():
        skip("this processor does not multiply bfloat16")
    report = Report("Validation in bfloat16 against float32", options)
    report.line(f"- Runs: {options.rounds} passes in each precision, in turn, memory kept as `striate train` keeps it")
    striate.keep_memory(KEEP_MEMORY["train"])
    with tempfile.TemporaryDirectory() as place:
        flowers, part = trained_on_flowers(Path(place))
        rows = [compare("flowers, MobileNet v2", flowers, part, options.rounds, report)]
    resnet20 = weights("resnet20_cifar10.safetensors")
    cifar = striate.Classifier.pretrained("resnet20_cifar", resnet20, classes=cifar_names())
    test = striate.open_dataset(data("cifar10_jpeg")).test
    rows.append(compare("CIFAR-10 (JPEG), ResNet-20", cifar, test, options.rounds, report))
    report.table(["data and network", "images", "images/s", "ratio", "top-1", "loss", "a training would take"], rows)
    report.close()


if __name__ == "__main__":
    main()
