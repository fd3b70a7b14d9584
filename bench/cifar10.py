"""CIFAR-10 on a CPU against the clock: striate's recipe in a third of the time of a plain torchvision loop.

The plain loop is what people write: ResNet-20 (He et al., 2015, 4.2, shortcuts of option A) with the paper's
recipe (SGD 0.1, momentum 0.9, weight decay 1e-4, batches of 128, padding by 4 with a random crop, random
mirroring), the augmentations by torchvision on PIL images in a DataLoader, float32, channels first. It gets
--minutes in all: its rate falls tenfold at 50 % and 75 % of its training time, it ends so that the test
accuracy is known when the time is up, and it uses 0 or 2 loading workers, whichever a trial off the clock
finds faster. striate trains with one call of `striate.train`, in a third of the minutes (--epochs-third)
and, with --epochs-full, in as many.

Both start from the same Parquet files of JPEG images and end with the accuracy on the 10,000 test images;
reading and decoding count, imports do not, for either. Each run is a process of its own, free to use all
cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Report, arguments, child, data, each, median, peak_memory


def striate_run(folder: Path, recipe: str, model: str | None, epochs: int | None, seed: int) -> dict[str, Any]:
    """One call of `striate.train`."""
    import striate

    train = striate.train  # imported here, before the clock starts
    with tempfile.TemporaryDirectory() as run:
        began = time.perf_counter()
        classifier = train(
            folder, recipe=recipe, model=model, epochs=epochs, val_fraction=0, seed=seed, quiet=True,
            report=False, run=Path(run, "run"),
        )  # fmt: skip
        seconds = time.perf_counter() - began
    evaluation = classifier.evaluation
    assert evaluation is not None
    assert evaluation.split == "test"
    return {
        "seconds": seconds,
        "accuracy": evaluation.top1,
        "epochs": classifier.description.recipe["epochs"],
        "memory": peak_memory(),
        "note": classifier.description.network["name"],
    }


def plan(options: argparse.Namespace) -> dict[str, list[Any]]:
    """Contestants: name, words of the child's command."""
    plain = ["--contestant", "plain", "--minutes", options.minutes, "--trial", options.trial]
    plain += ["--limit", options.limit] if options.limit else []
    ours = ["--contestant", "striate", "--recipe", options.recipe]
    ours += ["--model", options.model] if options.model else []
    plans = {"plain ResNet-20": plain}
    third = ["--epochs-third", options.epochs_third] if options.epochs_third else []
    plans["striate, a third of the time"] = [*ours, *third]
    if options.epochs_full:
        plans["striate, the same time"] = [*ours, "--epochs-third", options.epochs_full]
    return plans


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=15, help="of the plain loop (15)")
    parser.add_argument("--recipe", default="cifar10_fast", help="striate's (cifar10_fast)")
    parser.add_argument("--model", help="a network instead of the recipe's own")
    parser.add_argument("--epochs-third", type=int, help="striate's epochs in a third of the minutes")
    parser.add_argument("--epochs-full", type=int, help="striate's epochs in all of the minutes; left out without")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each (1)")
    parser.add_argument("--trial", type=float, default=30, help="seconds for each number of workers (30)")
    parser.add_argument("--limit", type=int, help="the plain loop's images, to try the script out")
    parser.add_argument("--contestant", choices=("plain", "striate"), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = data("cifar10_jpeg")
    if options.contestant == "plain":
        from plain_cifar import run

        print(json.dumps(run(folder, options.minutes * 60, options.trial, options.seed, options.limit)))
        return
    if options.contestant == "striate":
        result = striate_run(folder, options.recipe, options.model, options.epochs_third, options.seed)
        print(json.dumps(result))
        return

    report = Report("CIFAR-10 against a plain loop", options, "torchvision", "lightning-fabric")
    report.line(f"- Runs: {options.seeds} of each, seeds from 0, in turn")
    plans = plan(options)
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in plans}
    for seed in range(options.seeds):
        for name in list(plans)[:: 1 if seed % 2 == 0 else -1]:
            result = child(__file__, *plans[name], "--seed", seed)
            results[name].append(result)
            report.line(
                f"- Seed {seed}, {name}: {result['accuracy']:.2%} in {result['seconds']:.0f} s, "
                f"{result['epochs']} epochs ({result['note']})"
            )
    rows = []
    for name, runs in results.items():
        accuracies = [100 * run["accuracy"] for run in runs]
        seconds = [f"{median([run[key] for run in runs]):.0f}" for key in ("seconds", "process_seconds")]
        peak = f"{max(run['memory'] for run in runs):.2f}"
        rows.append([name, f"{statistics.mean(accuracies):.2f}", each(accuracies), *seconds, peak])
    header = ["contestant", "mean accuracy %", "each", "median s", "whole process, s", "peak memory, GiB"]
    report.table(header, rows)
    peer, *ours = results
    for name in ours:
        pairs = list(zip(results[name], results[peer], strict=True))
        share = median([our["seconds"] / their["seconds"] for our, their in pairs])
        points = statistics.mean(100 * (our["accuracy"] - their["accuracy"]) for our, their in pairs)
        report.line(f"- Ratio, {name}: {share:.2f} of the plain loop's seconds, {points:+.2f} points of accuracy")
    report.close()


if __name__ == "__main__":
    main()
