"""From pretrained weights to a classifier of one's own pictures: striate, fastai, and the loop of PyTorch's tutorial.

    STRIATE_PEERS=PYTHON python bench/transfer_vs_peers.py --time-limit 1800

All begin with the same MobileNet v2 (striate's module, the shared weights, a fresh last layer for five classes) and are
trained on the same pictures, so many of each class of the shared flowers' training images, drawn by the seed, or all.
Only how they train differs; `finetuning.py` has each way, and says what its seconds are: training with all reading of
pictures, without imports and without validating. After each epoch all of the flowers' own 734 validation images are
classified; of every contestant, ours too, the epoch counts that did best on them, so all figures are as much too high.

Against each peer stand its best accuracy, the seconds until it had it, the seconds until a contestant of ours was as
good or better, if ever it was, and our best by the second when the peer had its best. --time-limit is that of each
contestant: an epoch over after it is its last. A peer that is cut off so has a "+" behind its epochs; its schedule of
rates was made for more, and its best may have been to come.

With --rows the results are kept, a line each, and the same command goes on where it was left; the versions and the load
that are told are then those of its end.

fastai needs a Python of its own, which STRIATE_PEERS names and which must see this one's torch; it is left out where
there is none. Each contestant is a process of its own, and they take turns, in reverse order every other seed.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import finetuning
from common import Peers, Report, add_row, arguments, child, cores, data, each, read_rows
from finetuning import OURS, THEIRS
from views import weights

FILE = "mobilenet_v2_imagenet.safetensors"
#: Of fastai, below and from so many images on, where --epochs does not say.
FEW, EPOCHS = 1000, (15, 5)
USUAL = ("features", "auto", "fastai", "fastai_own_head", "tutorial", "tutorial_frozen")
Found = dict[tuple[str, str], list[dict[str, Any]]]


def lay(flowers: Path, folder: Path, per_class: str, seed: int) -> int:
    """A folder with so many training images of each class, and all for validation; how many there are to train on."""
    count = 0
    for source in sorted(flowers.glob("*/*/")):
        pictures = sorted(source.iterdir())
        if source.parent.name == "train" and per_class != "all":
            pictures = random.Random(f"{seed} {source.name}").sample(pictures, min(int(per_class), len(pictures)))
        place = folder / source.relative_to(flowers)
        place.mkdir(parents=True)
        for picture in pictures:
            os.link(picture, place / picture.name)
        count += len(pictures) if source.parent.name == "train" else 0
    return count


def compete(flowers: Path, place: Path, options: argparse.Namespace, peers: Peers) -> None:
    """Every contestant at every size with every seed, as far as its row is not in the file."""
    known = {(row["size"], row["seed"], row["name"]) for row in read_rows(options.rows)}
    for per_class in options.per_class:
        for seed in range(options.seeds):
            folder = place / f"{per_class}-{seed}"
            images = lay(flowers, folder, per_class, seed)
            epochs = options.epochs or EPOCHS[images >= FEW]
            for name in options.contestants[:: 1 if seed % 2 == 0 else -1]:
                if (per_class, seed, name) in known:
                    continue
                run = peers.child if name.startswith("fastai") else child
                words = (name, folder, weights(FILE), seed, epochs, options.time_limit)
                result = run(finetuning.__file__, *words, OMP_NUM_THREADS=str(cores()))
                add_row(options.rows, {"size": per_class, "seed": seed, "name": name, **result})
                accuracy, seconds = best(result["curve"])
                told = f"{per_class} of each class, seed {seed}, {name}: {accuracy:.2%} after {seconds:.0f} s"
                print(told, flush=True)


def asked_for(options: argparse.Namespace) -> Found:
    """By size and name the results, in the order of the seeds."""
    found: Found = {}
    for row in sorted(read_rows(options.rows), key=lambda row: row["seed"]):
        if row["size"] in options.per_class and row["seed"] < options.seeds and row["name"] in options.contestants:
            found.setdefault((row["size"], row["name"]), []).append(row)
    return {
        (size, name): found[size, name]
        for size in options.per_class
        for name in options.contestants
        if (size, name) in found
    }


def best(curve: list[list[float]]) -> tuple[float, float]:
    """The highest accuracy and when it was there first."""
    accuracy = max(value for _, value in curve)
    return accuracy, until(curve, accuracy)


def until(curve: list[list[float]], accuracy: float) -> float:
    """Seconds until a curve is as high, infinity where it never is."""
    return next((seconds for seconds, value in curve if value >= accuracy), float("inf"))


def by_then(curve: list[list[float]], seconds: float) -> float | None:
    """The highest accuracy by a second; None before the first."""
    return max((value for second, value in curve if second <= seconds), default=None)


def standing(found: Found) -> list[list[str]]:
    """A row for each size and contestant."""
    rows = []
    for (per_class, name), runs in found.items():
        accuracies, seconds = zip(*(best(run["curve"]) for run in runs), strict=True)
        percents = [100 * accuracy for accuracy in accuracies]
        epochs = " ".join(f"{len(run['curve'])}{'+' if run['cut'] else ''}" for run in runs)
        total = statistics.median(run["curve"][-1][0] for run in runs)
        row = [per_class, name, f"{statistics.mean(percents):.2f}", each(percents)]
        rows.append([*row, f"{statistics.median(seconds):.0f}", f"{total:.0f}", epochs])
    return rows


def against(found: Found) -> list[list[str]]:
    """A row for each size, peer and contestant of ours."""
    rows = []
    for (per_class, peer), runs in found.items():
        theirs = [best(run["curve"]) for run in runs]
        for ours in (name for where, name in found if where == per_class and name in OURS and peer in THEIRS):
            curves = [run["curve"] for run in found[per_class, ours]]
            pairs = list(zip(curves, theirs, strict=True))
            waits = [until(curve, accuracy) for curve, (accuracy, _) in pairs]
            reached = [wait for wait in waits if wait < float("inf")]
            faster = [seconds / wait for wait, (_, seconds) in zip(waits, theirs, strict=True) if wait in reached]
            then = [by_then(curve, seconds) for curve, (_, seconds) in pairs]
            rows.append(
                [
                    per_class,
                    peer,
                    f"{100 * statistics.mean(accuracy for accuracy, _ in theirs):.2f}",
                    f"{statistics.median(seconds for _, seconds in theirs):.0f}",
                    ours,
                    f"{statistics.median(reached):.0f}" if reached else "never",
                    f"{len(reached)} of {len(runs)}",
                    each(faster, ".1f") or "-",
                    " ".join("-" if value is None else f"{100 * value:.2f}" for value in then),
                ]
            )
    return rows


def size(text: str) -> str:
    """A number of images, or "all"."""
    return text if text == "all" else str(int(text))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--per-class", nargs="+", type=size, default=["10", "50", "200", "all"], help="images, or all")
    parser.add_argument("--contestants", nargs="+", choices=[*OURS, *THEIRS], default=list(USUAL), help="who competes")
    parser.add_argument("--time-limit", type=float, default=600, help="seconds of each contestant (600)")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each (1)")
    parser.add_argument("--epochs", type=int, help="of fastai after the first (15 below 1,000 images, else 5)")
    parser.add_argument("--rows", type=Path, help="file of results: what is in it is not run again")
    options = parser.parse_args()
    report = Report("MobileNet v2 on flowers, against fastai and PyTorch's tutorial", options, "torchvision")
    peers = Peers()
    known = peers.versions("fastai", "fastcore", "torch", "torchvision")
    if "fastai" in known:
        report.line(f"- fastai's: {', '.join(map(' '.join, known.items()))}")
    elif any(name.startswith("fastai") for name in options.contestants):
        print("skipped: fastai (set STRIATE_PEERS to a Python that has fastai)")
        options.contestants = [name for name in options.contestants if not name.startswith("fastai")]
    report.line(
        f"- Runs: {options.seeds} of each, seeds from 0; {options.time_limit:g} s each at most, validating apart"
    )
    with tempfile.TemporaryDirectory() as place, tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
        options.rows = options.rows or Path(place, "rows.jsonl")
        compete(Path(place, "flowers"), Path(place), options, peers)
        found = asked_for(options)
    report.table(
        ["of each class", "contestant", "mean best %", "each", "s to best", "s in all", "epochs"], standing(found)
    )
    report.table(
        [
            "of each class",
            "peer",
            "its best %",
            "its seconds",
            "ours",
            "our seconds",
            "as good in",
            "times as fast",
            "ours by then %",
        ],
        against(found),
    )
    report.close()


if __name__ == "__main__":
    main()
