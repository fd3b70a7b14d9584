"""Training speed at 224 pixels on a CPU: what striate chooses itself, against the loop people write.

Compared are striate's Training class on striate's network, with the precision that `--precision auto`
chooses, channels-last memory and the fused SGD, starting each step from uint8 pixels, and torchvision's
network of the same name in the loop of the tutorials: float32, channels first, SGD as it comes, starting
from float32 tensors that lie ready in memory (which spares it the conversion). They take turns; the figure
is the median over rounds of striate's images per second over the plain loop's. Imports and first weights are
outside the timed span.

With --accuracy instead: striate trains ResNet-18 from nothing on the flowers, same seed, recipe and size,
once with --precision 32 and once with auto, and prints both accuracies on the validation images, to show
that the speed costs none.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import Report, alternate, arguments, data, each, median, ratios

TARGET = 2.0


def compare_speed(options: argparse.Namespace) -> None:
    import torch
    import torchvision

    from loops import Pixels, PlainLoop, StriateLoop, automatic_precision, steps_in
    from striate.models import create_model

    report = Report("Training speed at 224 pixels", options, "torchvision")
    report.line(f"- Runs: {options.rounds} alternating rounds of each, striate's of about {options.seconds:g} s")
    rows = []
    for name in options.networks:
        torch.manual_seed(0)
        model = create_model(name, num_classes=options.classes)
        precision = automatic_precision(model, options.size, options.batch)
        probe = create_model(name, num_classes=options.classes)
        steps = steps_in(options.seconds, probe, options.size, options.batch, precision)
        pixels = Pixels.random(steps * options.batch, options.size, 3, options.classes)
        with tempfile.TemporaryDirectory() as folder:
            plain = torchvision.models.get_model(name, weights=None, num_classes=options.classes)
            loops: dict[str, Callable[[], float]] = {
                "striate": StriateLoop(model, pixels, options.batch, precision, Path(folder, "run")),
                "plain": PlainLoop(plain, pixels, options.batch),
            }
            speeds = alternate(loops, options.rounds)
        gains = ratios(speeds["striate"], speeds["plain"])
        setup = f"{name}, {options.size} px, batch {options.batch}"
        report.line(f"- {setup}: {steps} steps a round, striate in {precision}")
        for loop, values in speeds.items():
            report.line(f"  - {loop}, images/s of each round: {each(values, '.1f')}")
        speed = [f"{median(speeds[loop]):.1f}" for loop in ("striate", "plain")]
        rows.append([setup, precision, *speed, f"{median(gains):.2f}", f"{TARGET:g}"])
    header = [
        "setup",
        "striate's precision",
        "striate, images/s",
        "plain float32, images/s",
        "ratio",
        "target",
    ]
    report.table(header, rows)
    report.close()


def compare_accuracy(options: argparse.Namespace) -> None:
    archive = data("flowers.tar")

    import striate

    train = striate.train  # imported here, before the clock starts
    report = Report("Accuracy in float32 and in the automatic precision", options)
    report.line(
        f"- Runs: {options.seeds} seed(s) each, {options.epochs} epochs at {options.accuracy_size} px, "
        f"recipe '{options.recipe}', ResNet-18 from nothing"
    )
    rows: dict[str, list[tuple[float, float]]] = {"32": [], "auto": []}
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        for seed in range(options.seeds):
            for precision, results in rows.items():
                began = time.perf_counter()
                classifier = train(
                    Path(folder, "flowers"), model="resnet18", recipe=options.recipe, epochs=options.epochs,
                    size=options.accuracy_size, precision=precision, seed=seed, quiet=True, report=False,
                    run=Path(folder, f"run-{precision}-{seed}"),
                )  # fmt: skip
                assert classifier.evaluation is not None
                results.append((classifier.evaluation.top1, time.perf_counter() - began))
                accuracy, seconds = results[-1]
                report.line(f"- precision {precision}, seed {seed}: {accuracy:.2%} in {seconds:.0f} s")
    means = {name: sum(accuracy for accuracy, _ in results) / len(results) for name, results in rows.items()}
    times = {name: median([seconds for _, seconds in results]) for name, results in rows.items()}
    report.table(
        ["precision", "validation accuracy (mean)", "median seconds"],
        [[name, f"{means[name]:.2%}", f"{times[name]:.0f}"] for name in rows],
    )
    report.line(f"Accuracy auto - 32: {(means['auto'] - means['32']) * 100:+.2f} points")
    report.line(f"Seconds 32 / auto: {times['32'] / times['auto']:.2f}")
    report.close()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--networks", nargs="+", default=["resnet18", "mobilenet_v2"], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each (7)")
    parser.add_argument("--seconds", type=float, default=8, help="roughly, of one round (8)")
    parser.add_argument("--size", type=int, default=224, help="side of the images (224)")
    parser.add_argument("--batch", type=int, default=32, help="images per step (32)")
    parser.add_argument("--classes", type=int, default=1000, help="outputs (1000)")
    parser.add_argument("--accuracy", action="store_true", help="compare accuracies instead, on the flowers")
    parser.add_argument("--accuracy-size", type=int, default=112, help="side of the flowers (112)")
    parser.add_argument("--epochs", type=int, default=8, help="with --accuracy (8)")
    parser.add_argument("--seeds", type=int, default=1, help="with --accuracy (1)")
    parser.add_argument("--recipe", default="photos", help="with --accuracy ('photos')")
    options = parser.parse_args()
    (compare_accuracy if options.accuracy else compare_speed)(options)


if __name__ == "__main__":
    main()
