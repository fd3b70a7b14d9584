"""MNIST from files on disk to test accuracy: striate's recipes against Keras 3's own example network.

Keras trains its textbook network (Chollet, 2017: convolutions of 32, 64 and 64 filters 3x3 with ReLU, a 2x2
max-pool after the first two, dense 64, dense 10; RMSprop as it comes, batches of 64, 5 epochs, pixels / 255)
on the JAX and on the torch backend; striate trains with its recipes for MNIST through `striate.train`, with
its run folder, checkpoints and all. Everyone learns from all 60,000 training images and is measured on the
10,000 test images.

Each run is a process of its own, free to use all cores, and the contestants take turns. `seconds` go from
the IDX files (.gz) on disk to the test accuracy, reading, compiling and evaluating included and imports
excluded for all alike; the whole process with its imports is given beside it, and its peak resident memory.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Report, arguments, child, data, each, median, peak_memory, skip

TARGET_MEMORY = 2.0  # GB


def keras_run(folder: Path, epochs: int, seed: int) -> None:
    """Keras's example, as in the book; the backend comes from the environment."""
    import keras
    import numpy as np

    began = time.perf_counter()
    keras.utils.set_random_seed(seed)

    def images(name: str) -> Any:
        pixels = np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=16)
        return pixels.reshape(-1, 28, 28, 1).astype("float32") / 255

    def labels(name: str) -> Any:
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=8)

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    train = images("train-images-idx3-ubyte.gz"), labels("train-labels-idx1-ubyte.gz")
    model.fit(*train, epochs=epochs, batch_size=64, verbose=0)
    test = images("t10k-images-idx3-ubyte.gz"), labels("t10k-labels-idx1-ubyte.gz")
    _, accuracy = model.evaluate(*test, verbose=0)
    print(json.dumps({"seconds": time.perf_counter() - began, "accuracy": accuracy, "memory": peak_memory()}))


def striate_run(folder: Path, recipe: str, model: str | None, epochs: int | None, seed: int) -> None:
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
    print(json.dumps({"seconds": seconds, "accuracy": evaluation.top1, "memory": peak_memory()}))


def plan(options: argparse.Namespace) -> list[tuple[str, int, list[Any], dict[str, str]]]:
    """Contestants: name, number of runs, words of the child's command, its environment."""
    keras = ["--contestant", "keras", "--keras-epochs", options.keras_epochs]
    plans: list[tuple[str, int, list[Any], dict[str, str]]] = [
        ("Keras on JAX", options.jax_seeds, keras, {"KERAS_BACKEND": "jax"}),
        ("Keras on torch", options.torch_seeds, keras, {"KERAS_BACKEND": "torch"}),
    ]
    for kind in ("fast", "accurate"):
        recipe, model = getattr(options, f"recipe_{kind}"), getattr(options, f"model_{kind}")
        words = ["--contestant", "striate", "--recipe-fast", recipe]
        words += ["--model-fast", model] if model else []
        words += ["--epochs", options.epochs] if options.epochs else []
        name = f"striate, {recipe}" + (f", {model}" if model else "")
        plans.append((name, options.seeds, words, {}))
    return plans


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs of striate (5)")
    parser.add_argument("--jax-seeds", type=int, default=5, help="runs of Keras on JAX (5)")
    parser.add_argument("--torch-seeds", type=int, default=1, help="runs of Keras on torch (1); 0 for none")
    parser.add_argument("--keras-epochs", type=int, default=5, help="Keras's epochs (5)")
    parser.add_argument("--epochs", type=int, help="striate's epochs instead of the recipes'")
    for kind in ("fast", "accurate"):
        parser.add_argument(f"--recipe-{kind}", default=f"mnist_{kind}", help=f"(mnist_{kind})")
        parser.add_argument(f"--model-{kind}", help="a network instead of the recipe's own")
    parser.add_argument("--contestant", choices=("keras", "striate"), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = data("mnist", "MNIST", "raw")
    if options.contestant == "keras":
        keras_run(folder, options.keras_epochs, options.seed)
        return
    if options.contestant == "striate":
        striate_run(folder, options.recipe_fast, options.model_fast, options.epochs, options.seed)
        return
    missing = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
    if missing:
        skip(f"{' and '.join(missing)} not installed; pip install -e '.[bench]'")

    report = Report("MNIST against Keras", options, "keras", "jax", "lightning-fabric")
    plans = plan(options)
    report.line(f"- Runs: {', '.join(f'{name} {count}' for name, count, *_ in plans)}; seeds from 0, in turn")
    results: dict[str, list[dict[str, Any]]] = {name: [] for name, *_ in plans}
    for seed in range(max(options.seeds, options.jax_seeds, options.torch_seeds)):
        for name, count, words, environment in plans[:: 1 if seed % 2 == 0 else -1]:
            if seed < count:
                result = child(__file__, *words, "--seed", seed, **environment)
                results[name].append(result)
                print(f"seed {seed} | {name} | {result['accuracy']:.2%} | {result['seconds']:.1f} s", flush=True)
    summarise(report, {name: runs for name, runs in results.items() if runs})
    report.close()


def summarise(report: Report, results: dict[str, list[dict[str, Any]]]) -> None:
    """The table, and how many times as fast striate is as the faster backend of Keras."""

    def values(name: str, key: str) -> list[float]:
        return [run[key] for run in results[name]]

    rows = []
    for name in results:
        accuracies = [100 * value for value in values(name, "accuracy")]
        seconds = [f"{median(values(name, key)):.1f}" for key in ("seconds", "process_seconds")]
        peak = f"{max(values(name, 'memory')):.2f}"
        rows.append([name, f"{statistics.mean(accuracies):.2f}", each(accuracies), *seconds, peak])
    header = ["contestant", "mean accuracy %", "each", "median s", "whole process, s", "peak memory, GiB"]
    report.table(header, rows)
    for name in results:
        report.line(f"- Seconds of each run, {name}: {each(values(name, 'seconds'), '.1f')}")
    ours = [name for name in results if name.startswith("striate")]
    peers = [name for name in results if name not in ours]
    if peers:
        fastest = min(peers, key=lambda name: median(values(name, "seconds")))
        for name in ours:
            ratio = median(values(fastest, "seconds")) / median(values(name, "seconds"))
            report.line(f"- Ratio, {fastest} / {name}: {ratio:.1f} times as fast")
    largest = max(max(values(name, "memory")) for name in ours) * 2**30 / 1e9
    report.line(f"- Largest peak memory of striate: {largest:.2f} GB (target: under {TARGET_MEMORY:g} GB)")


if __name__ == "__main__":
    main()
