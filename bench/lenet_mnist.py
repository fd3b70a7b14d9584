"""LeNet-5 on MNIST: as published in 1998 (RBF outputs, its own loss) and as taught today (softmax).

Both train with the recipe `lenet_1998` through `striate.train` on all 60,000 training images, 20 passes as in the
paper, with slight distortions, and are measured once, at the end, on the 10,000 test images. Images of 28x28 lie in the
middle of the paper's field of 32x32, since the first convolution pads by 2. The paper reports 0.95 % error without
distortions of the training images and 0.8 % with them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Report, arguments, child, data, each

#: Test errors to stay under, percent.
TARGETS = {"lenet5_1998": 1.0, "lenet5": 0.8}


def train(folder: Path, network: str, recipe: str, epochs: int | None, seed: int) -> None:
    """One training, in a process of its own."""
    import striate

    with tempfile.TemporaryDirectory() as run:
        began = time.perf_counter()
        classifier = striate.train(
            folder, model=network, recipe=recipe, epochs=epochs, size=28, val_fraction=0, seed=seed, precision="32",
            quiet=True, report=False, run=Path(run, "run"),
        )  # fmt: skip
        seconds = time.perf_counter() - began
    evaluation = classifier.evaluation
    assert evaluation is not None
    assert evaluation.split == "test"
    result = {"error": 100 - 100 * evaluation.top1, "seconds": seconds, "wrong": len(evaluation) - evaluation.correct}
    print(json.dumps(result))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each network (1)")
    parser.add_argument("--recipe", default="lenet_1998", help="(lenet_1998)")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--networks", nargs="+", default=list(TARGETS), help=f"({' '.join(TARGETS)})")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = data("mnist", "MNIST", "raw")
    if options.seed is not None:
        train(folder, options.networks[0], options.recipe, options.epochs, options.seed)
        return

    report = Report("LeNet-5 on MNIST, as published and as taught", options, "lightning-fabric")
    report.line(f"- Recipe `{options.recipe}`, {options.seeds} run(s) of each network, seeds from 0; float32")
    rows = []
    for network in options.networks:
        words: list[Any] = ["--networks", network, "--recipe", options.recipe]
        words += ["--epochs", options.epochs] if options.epochs else []
        runs = []
        for seed in range(options.seeds):
            runs.append(child(__file__, *words, "--seed", seed))
            print(
                f"seed {seed} | {network} | error {runs[-1]['error']:.2f} % | {runs[-1]['seconds']:.0f} s", flush=True
            )
        errors = [run["error"] for run in runs]
        seconds = statistics.median(run["seconds"] for run in runs)
        target = f"{TARGETS[network]:g}" if network in TARGETS else ""
        rows.append([network, f"{statistics.mean(errors):.2f}", each(errors), target, f"{seconds:.0f}"])
    report.table(["network", "mean test error %", "each", "target: under", "median s"], rows)
    report.close()


if __name__ == "__main__":
    main()
