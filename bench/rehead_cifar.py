"""A network trained on CIFAR-10, re-headed for a few of its classes, against the same network from random weights.

    python bench/rehead_cifar.py

The network is CIFAR's ResNet-20 with the shared weights. **They were trained on all of CIFAR-10's training images, the
ones used here and their labels among them**, on the lossless pictures; what is here are JPEG copies. So this does not
show how well features carry over to what a network has never seen, but what re-heading gives where the weights know the
domain: fewer outputs, other pictures of the same kind. Nobody has trained on a test image.

Each seed draws its own --classes of the ten, and from their training images so many of each class, the same for all
contestants; the accuracy is that on all test images of those classes, 1,000 a class. Transfer is `striate.train` with
`transfer=`; regimes that train by steps set a tenth of their images aside to choose the best epoch by, their beginning
among them, as by default. Scratch is `striate.train` with `transfer="scratch"` and a recipe for pictures of this size,
"cifar10_fast", which mirrors and crops, or "tiny", which is taken where none is named. It trains on all the images for
--epochs, and more of them where that is fewer than --steps, to the end of its schedule. No test image decides anything.
Seconds are of the whole of `striate.train` on one thread, measuring the test images included, their first reading not;
no features were kept before.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from common import Report, arguments, child, data, each
from views import weights

NETWORK, FILE = "resnet20_cifar", "resnet20_cifar10.safetensors"
TRANSFERS = ("features", "auto", "head", "top", "full")
RECIPES = ("cifar10_fast", "tiny")


def few_classes(dataset, classes: int, images: int, seed: int):
    """A data set of `classes` of the ten, drawn by the seed, with so many training images of each."""
    import numpy as np

    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.permutation(len(dataset.classes))[:classes])

    def part(split, most: int | None):
        rows = [generator.permutation(np.flatnonzero(split.labels == label))[:most] for label in chosen]
        cut = split.subset(np.sort(np.concatenate(rows)))
        return dataclasses.replace(cut, labels=np.searchsorted(chosen, cut.labels))

    names = tuple(dataset.classes[label] for label in chosen)
    train, test = part(dataset.train, images), part(dataset.test, None)
    return dataclasses.replace(dataset, classes=names, train=train, test=test, notes=(), survey=None)


def with_validation(dataset, seed: int):
    """The same with a tenth of the training images set aside."""
    from striate.data.split import stratified_split

    kept, held = stratified_split(dataset.train.labels, 0.1, seed)
    val = dataclasses.replace(dataset.train.subset(held), name="val")
    return dataclasses.replace(dataset, train=dataset.train.subset(kept), val=val)


def one_run(folder: Path, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Every contestant with one seed, number of classes and number of images: accuracies and seconds by name."""
    import torch

    import striate

    torch.set_num_threads(1)
    whole = striate.open_dataset(folder, val_fraction=0)
    dataset = few_classes(whole, options.classes[0], options.per_class[0], seed)
    found: dict[str, Any] = {"classes": dataset.classes}
    for name in contestants(options):
        with tempfile.TemporaryDirectory() as place:
            os.environ["STRIATE_CACHE"] = str(Path(place, "cache"))
            wanted = way(name, len(dataset.train), options)
            given = dataset if name in (*RECIPES, "features") else with_validation(dataset, seed)
            began = time.perf_counter()
            classifier = striate.train(
                given, model=NETWORK, val_fraction=0, seed=seed, workers=0, quiet=True, report=False,
                run=Path(place, "run"), **wanted,
            )  # fmt: skip
            seconds = time.perf_counter() - began
        evaluation = classifier.evaluation
        assert evaluation is not None
        assert evaluation.split == "test"
        found[name] = {"accuracy": evaluation.top1, "seconds": seconds}
    return found


def contestants(options: argparse.Namespace) -> tuple[str, ...]:
    """Regimes, and recipes from scratch."""
    return (*options.transfers, *options.recipes)


def way(name: str, images: int, options: argparse.Namespace) -> dict[str, Any]:
    """What a contestant asks of `striate.train`."""
    import striate
    from striate.classifier.choices import fitting_batch

    if name in TRANSFERS:
        return {"transfer": name, "weights": weights(FILE)}
    batch = min(striate.get_recipe(name).batch_size, fitting_batch(images))  # as it chooses by itself
    epochs = max(options.epochs, math.ceil(options.steps / (images // batch)))
    return {"transfer": "scratch", "recipe": name, "epochs": epochs}


def main() -> None:
    parser = arguments(__doc__)
    numbers = {"type": int, "nargs": "+"}
    parser.add_argument("--classes", **numbers, default=[2, 5], help="how many of the ten (2 5)")
    parser.add_argument("--per-class", **numbers, default=[20, 50, 200, 1000, 2000], help="training images of a class")
    parser.add_argument("--transfers", nargs="+", choices=TRANSFERS, default=["features"], help="regimes (features)")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=["cifar10_fast"], help="of scratch")
    parser.add_argument("--epochs", type=int, default=20, help="of scratch, at least (20)")
    parser.add_argument("--steps", type=int, default=500, help="of scratch, at least (500)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time (1); seconds suffer")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = data("cifar10_jpeg")
    weights(FILE)
    if options.seed is not None:
        print(json.dumps(one_run(folder, options, options.seed)))
        return

    report = Report("ResNet-20 of CIFAR-10 re-headed for a few of its classes", options)
    report.line(
        f"- Runs: {options.seeds} of each, seeds from 0, {options.jobs} at a time; scratch has {options.epochs} epochs "
        f"and {options.steps} steps at least"
    )
    words = [f"--epochs={options.epochs}", f"--steps={options.steps}"]
    words += ["--transfers", *options.transfers, "--recipes", *options.recipes]

    def run(case: tuple[int, int, int]) -> dict[str, Any]:
        classes, images, seed = case
        sizes = ["--classes", classes, "--per-class", images, "--seed", seed]
        found = child(__file__, *words, *sizes, OMP_NUM_THREADS="1")
        told = ", ".join(f"{name} {found[name]['accuracy']:.1%}" for name in contestants(options))
        print(f"{classes} classes, {images} images of each, seed {seed}: {told}", flush=True)
        return found

    cases = list(itertools.product(options.classes, options.per_class, range(options.seeds)))
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = dict(zip(cases, pool.map(run, cases), strict=True))
    for seed in range(options.seeds):
        drawn = [", ".join(runs[classes, options.per_class[0], seed]["classes"]) for classes in options.classes]
        report.line(f"- Seed {seed} drew {'; '.join(drawn)}")
    rows = []
    for classes, images in itertools.product(options.classes, options.per_class):
        for name in contestants(options):
            found = [runs[classes, images, seed][name] for seed in range(options.seeds)]
            percents = [100 * run["accuracy"] for run in found]
            seconds = statistics.median(run["seconds"] for run in found)
            title = name if name in TRANSFERS else f"scratch, {name}"
            row = [str(classes), str(images), title, f"{statistics.mean(percents):.1f}", each(percents, ".1f")]
            rows.append([*row, f"{seconds:.0f}"])
    report.table(["classes", "images of each", "contestant", "mean test accuracy %", "each", "seconds"], rows)
    report.close()


if __name__ == "__main__":
    main()
