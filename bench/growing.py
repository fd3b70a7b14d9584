"""VGG D on CIFAR-10 at 32 pixels: from scratch, and grown from a trained A, in the same minutes.

Simonyan and Zisserman (2015, section 3.1) began their deeper columns with layers of a trained A, because from random
weights the deep ones stalled. Here both columns have a small --width and no batch norm, and their weights are drawn
by --init; "xavier" (Glorot and Bengio, 2010) keeps 0.7 of the signal's size behind each ReLU, so that depth starves
it, whatever the width. (The paper's own deviation of 0.01 starves so narrow an A as well.) "he" (He et al., 2015) keeps
the size: it shows what growing gives where D learns by itself.

D from scratch has --seconds of training; every other contestant has A for half of them, and D grown from that very A
for the other half. They see --images of the 50,000 training images, so that an epoch is short beside that. The rate is
constant, so that an end at any second is a fair one; batches are of 64, images are mirrored and shifted, nothing is
validated, and the weights at the end of the time are measured on the 10,000 test images.

Each seed is a process of its own on one thread; reading the images and measuring do not count, steps do.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from common import Report, arguments, child, data, each

SCRATCH, SHALLOW = "D from scratch", "A, half the time"
#: What grows, each in half the time: rule, and what is asked of the first epoch.
GROWN: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "D grown, identity": ("identity", {}, None),
    "D grown, identity, new layers first": ("identity", {"unfreeze": "2:none"}, "copied"),
    "D grown, random": ("random", {}, None),
    "D grown, the paper's rule": ("paper", {}, None),
}
#: Accuracy of ten equally frequent classes below which nothing has been learnt.
STALLED = 0.15


def seed_run(folder: Path, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Every contestant with one seed; accuracies and epochs by name."""
    import numpy as np
    import torch

    import striate
    from striate.training.checkpoints import load_state_alone

    torch.set_num_threads(1)
    dataset = striate.open_dataset(folder, val_fraction=0)
    chosen = np.random.default_rng(seed).permutation(len(dataset.train))[: options.images]
    dataset = dataclasses.replace(dataset, train=dataset.train.subset(np.sort(chosen)))
    settings = {
        "init": options.init, "learning_rate": options.rate, "schedule": "constant", "warmup_epochs": 0,
        "batch_size": 64, "epochs": 1000, "augment.translate": 0.1, "augment.rotate": 0, "augment.scale": 0,
        "augment.flip": 0.5,
    }  # fmt: skip
    found: dict[str, Any] = {}

    def train(name: str, model: str, seconds: float, run: Path, **more: Any) -> Path:
        wanted = {**settings, **more.pop("settings", {})}
        classifier = striate.train(
            dataset, model=model, options={"width": options.width, "dropout": 0.0}, settings=wanted, size=32,
            val_fraction=0, seed=seed, precision="32", workers=0, time_limit=seconds, quiet=True, report=False,
            run=run, **more,
        )  # fmt: skip
        evaluation = classifier.evaluation
        assert evaluation is not None
        assert evaluation.split == "test"
        steps = load_state_alone(run / "last.ckpt")["position"]["step"]
        found[name] = {"accuracy": evaluation.top1, "loss": evaluation.loss, "epochs": 64 * steps / options.images}
        return run

    with tempfile.TemporaryDirectory() as place:
        train(SCRATCH, "vgg_d", options.seconds, Path(place, "scratch"))
        shallow = train(SHALLOW, "vgg_a", options.seconds / 2, Path(place, "a"))
        for number, (name, (rule, further, freeze)) in enumerate(GROWN.items()):
            grown: dict[str, Any] = {"grow_from": shallow, "grow_rule": rule, "settings": further, "freeze": freeze}
            train(name, "vgg_d", options.seconds / 2, Path(place, str(number)), **grown)
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="of training, of each contestant in all (120)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--images", type=int, default=20_000, help="that are trained on (20000)")
    parser.add_argument("--width", type=float, default=0.125, help="of both columns (0.125: 8 to 64 channels)")
    parser.add_argument("--init", default="xavier", help="rule of the first weights (xavier)")
    parser.add_argument("--rate", type=float, default=0.01, help="learning rate (0.01, the paper's)")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = data("cifar10_jpeg")
    if options.seed is not None:
        print(json.dumps(seed_run(folder, options, options.seed)))
        return

    report = Report("VGG D grown from A, on CIFAR-10", options, "lightning-fabric")
    report.line(
        f"- Width {options.width:g}, init {options.init}, SGD at {options.rate:g} throughout, batches of 64; "
        f"{options.images:,} images, {options.seconds:g} s of training each, on one thread"
    )
    report.line(f"- Runs: {options.seeds} of each, seeds from 0")
    words = [f"--{name}={getattr(options, name)}" for name in ("seconds", "images", "width", "init", "rate")]
    runs = []
    for seed in range(options.seeds):
        runs.append(child(__file__, *words, "--seed", seed, OMP_NUM_THREADS="1"))
        told = ", ".join(f"{name} {runs[-1][name]['accuracy']:.1%}" for name in (SCRATCH, SHALLOW, *GROWN))
        print(f"seed {seed}: {told}", flush=True)
    rows = []
    for name in (SCRATCH, SHALLOW, *GROWN):
        accuracies = [run[name]["accuracy"] for run in runs]
        epochs = statistics.mean(run[name]["epochs"] for run in runs)
        stalled = sum(accuracy < STALLED for accuracy in accuracies)
        percents = [100 * accuracy for accuracy in accuracies]
        rows.append([name, f"{statistics.mean(percents):.1f}", each(percents, ".1f"), f"{epochs:.1f}", str(stalled)])
    report.table(["contestant", "mean test accuracy %", "each", "mean epochs", "stalled"], rows)
    report.close()


if __name__ == "__main__":
    main()
