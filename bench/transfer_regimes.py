"""Which regime of transfer wins with how many images a class, on twelve small sets, near to the pretraining and far.

    python bench/transfer_regimes.py --rows regimes.jsonl --set flowers

Each set is cut from the shared flowers, CIFAR-10, MNIST or scikit-learn's digits and given to a network with its shared
weights: MobileNet v1 0.25 of ImageNet at 128 pixels, or ResNet-20 of CIFAR-10 at 32 (which has seen the training images
of CIFAR-10, with their labels). Of each class the same few images are trained on by every regime, without validation
images, so nothing is chosen by looking; what comes out is measured on up to 1,000 test images. From scratch the same
network has the recipe for such images, and --scratch seconds at most. Every regime runs on one thread. Then `advise`
looks at the same images with the same network, and stands for the regime that it advises.

Each result is a line of the file --rows, so what was interrupted goes on; without --set the table of all rows is shown:
means of the draws (--seeds), and where the advice lies within one point of the best regime.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from common import Report, add_row, arguments, median, read_rows
from small_sets import SETS, SMALL_MOBILENET, drawn, opened
from views import weights

#: Images of each class; of the digits there are fewer than 200.
COUNTS = (1, 2, 5, 10, 50, 200)
REGIMES = ("features", "head", "top", "full", "scratch")
ADVISED = "advised"
#: Images that advice takes at least; and points below the best regime that are none.
FEWEST, NEAR = 8, 1.0


def trained(dataset, network: tuple[str, str], regime: str, seed: int, limit: float) -> dict[str, float]:
    """Accuracy on the test images, and seconds."""
    import striate

    from_scratch = regime == "scratch"
    began = time.perf_counter()
    given: dict[str, Any] = {"transfer": regime, "weights": weights(network[1])}
    if from_scratch:
        given = {"transfer": regime, "time_limit": limit, "size": 128 if network is SMALL_MOBILENET else 32}
    with tempfile.TemporaryDirectory() as place:
        found = striate.train(
            dataset, model=network[0], seed=seed, val_fraction=0, workers=0, quiet=True, report=False,
            precision="32", run=Path(place, "run"), **given,
        )  # fmt: skip
    assert found.evaluation is not None
    assert found.evaluation.split == "test"
    return {"accuracy": found.evaluation.top1, "seconds": time.perf_counter() - began}


def advised(dataset, network: tuple[str, str], known: dict[str, float]) -> dict[str, Any]:
    """The accuracy of the regime that is advised for a data set, from those of all, which it is, and seconds."""
    import striate

    os.environ["STRIATE_WEIGHTS"] = str(weights(network[1]).parent)
    began = time.perf_counter()
    choice = striate.advise(dataset, [network[0]]).decision.regime
    return {"accuracy": known[choice], "choice": choice, "seconds": time.perf_counter() - began}


def fill(rows: Path, options: argparse.Namespace) -> None:
    """Run what is not among the rows yet."""
    import torch

    torch.set_num_threads(1)
    known = {(row["set"], row["count"], row["seed"], row["regime"]): row["accuracy"] for row in read_rows(rows)}
    chosen = SETS[options.set]
    with tempfile.TemporaryDirectory() as place:
        dataset = opened(chosen, Path(place))
        for seed in range(options.seeds):
            for count in options.counts:
                part, most = drawn(dataset, count, seed)
                draw = (options.set, count, seed)
                for regime in options.regimes if count <= most else ():
                    if (*draw, regime) in known:
                        continue
                    if regime != ADVISED:
                        found = trained(part, chosen.network, regime, seed, options.scratch)
                    elif len(part.train) >= FEWEST:
                        accuracies = {name: known[*draw, name] for name in REGIMES if (*draw, name) in known}
                        found = advised(part, chosen.network, accuracies)
                    else:
                        continue
                    known[*draw, regime] = found["accuracy"]
                    row = {"set": options.set, "count": count, "regime": regime, "seed": seed, **found}
                    print(row, flush=True)
                    add_row(rows, row)


class Mean(NamedTuple):
    """What a regime came to over its draws: accuracy in per cent, seconds (median), and how many there were."""

    accuracy: float
    seconds: float
    draws: int


#: By set and images of a class, and then by regime.
Means = dict[tuple[str, int], dict[str, Mean]]


def means_of(rows: list[dict[str, Any]]) -> Means:
    """Of every regime that was run."""
    found: Means = {}
    for name in SETS:
        for count in sorted({row["count"] for row in rows if row["set"] == name}):
            for regime in (*REGIMES, ADVISED):
                draws = [row for row in rows if (row["set"], row["count"], row["regime"]) == (name, count, regime)]
                if draws:
                    accuracy = statistics.mean(100 * row["accuracy"] for row in draws)
                    seconds = median([row["seconds"] for row in draws])
                    found.setdefault((name, count), {})[regime] = Mean(accuracy, seconds, len(draws))
    return found


def told_of_advice(means: Means) -> list[str]:
    """For each number of images of a class: in how many sets the advice is as good as the best regime, or nearly."""
    lines = []
    for count in sorted({count for _, count in means}):
        judged = {name: regimes for (name, at), regimes in means.items() if at == count and ADVISED in regimes}
        lost = {
            name: max(one.accuracy for one in regimes.values()) - regimes[ADVISED].accuracy
            for name, regimes in judged.items()
        }
        far = [f"{name} by {points:.1f}" for name, points in lost.items() if points > NEAR]
        if judged:
            below = f"; below it: {', '.join(far)}" if far else ""
            near = f"{len(judged) - len(far)} of {len(judged)}"
            lines.append(f"- {count} of each class: advice within {NEAR:g} point of the best in {near} sets{below}")
    return lines


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--set", choices=SETS, help="run this one")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS), help="images of a class")
    parser.add_argument("--regimes", nargs="+", default=[*REGIMES, ADVISED], choices=[*REGIMES, ADVISED])
    parser.add_argument("--scratch", type=float, default=120, help="seconds from scratch, at most (120)")
    options = parser.parse_args()
    if options.set:
        fill(options.rows, options)
        return
    columns = (*REGIMES, ADVISED)
    report = Report("Regimes of transfer by images of a class", options)
    means, table = means_of(read_rows(options.rows)), []
    for (name, count), regimes in means.items():
        found = [regimes.get(regime) for regime in columns]
        cells = ["" if mean is None else f"{mean.accuracy:.1f} ({mean.seconds:.0f} s)" for mean in found]
        table.append([name, str(count), *cells, str(max(mean.draws for mean in regimes.values()))])
    report.table(["set", "images a class", *columns, "draws"], table)
    for line in told_of_advice(means):
        report.line(line)
    report.close()


if __name__ == "__main__":
    main()
