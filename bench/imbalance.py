"""Unbalanced classes: what weights and a sampler do to accuracy, balanced accuracy and macro F1, by how unbalanced.

    python bench/imbalance.py

Of the shared flowers so many are taken to train on that the largest class has RATIO times the images of the smallest,
the others between them in equal steps of a factor; which class is large is drawn. Measured is on all other flowers.
First a linear classifier of frozen features, as `striate train --transfer features` fits it, to which a sampler is the
same as weights; with --steps also what `--transfer top` comes to from such images, by weights and by sampler.
"""

from __future__ import annotations

import dataclasses
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from common import Report, arguments, data
from small_sets import SMALL_MOBILENET
from views import weights

RATIOS, LARGEST = (2, 4, 8, 16, 32), 400
BALANCES = ("none", "weights", "sampler")
HEADS = ("accuracy", "of images as those trained on", "balanced accuracy", "macro F1")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--draws", type=int, default=10, help="sets of images drawn for each ratio")
    parser.add_argument("--steps", type=int, default=0, help="sets of 16 to 1 that are also fine-tuned")
    options = parser.parse_args()
    report = Report("Unbalanced classes", options)
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(data("flowers.tar")) as archive:
            archive.extractall(place, filter="data")
        dataset, vectors = taken(Path(place, "flowers"))
        report.line(f"- Network: {SMALL_MOBILENET[0]}; {options.draws} sets of images for each ratio, means")
        report.table(
            ("largest : smallest", "balance", *HEADS, "smallest class' recall"),
            of_features(dataset, vectors, options.draws),
        )
        if options.steps:
            report.line("Fine-tuned (`--transfer top`) with 16 to 1:")
            report.table(("set", "balance", *HEADS), fine_tuned(dataset, options.steps, Path(place)))
    report.close()


def taken(folder: Path):
    """The flowers as one split, and their features."""
    import striate
    from striate.classifier.choices import preprocessing_for
    from striate.engines import evaluating
    from striate.transfer.features import Extractor

    dataset = striate.open_dataset(folder, val_fraction=0)
    name, file = SMALL_MOBILENET
    network = striate.create_model(name, weights=weights(file))
    with evaluating(network):
        extractor = Extractor(network, preprocessing_for(network, dataset, network.weights_source.input_size))
        return dataset, np.concatenate([extractor.take(split).of() for split in dataset.splits])


def drawn(labels, ratio: int, seed: int):
    """Rows to train on, and all others; and the smallest class."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(labels.max() + 1)
    sizes = (LARGEST * ratio ** -np.linspace(0, 1, len(order))).round().astype(int)
    rows = [rng.permutation(np.flatnonzero(labels == label))[:size] for label, size in zip(order, sizes, strict=True)]
    train = np.sort(np.concatenate(rows))
    return train, np.setdiff1d(np.arange(len(labels)), train), int(order[-1])


def figures(outcome, trained_on) -> list[float]:
    """The figures of HEADS; the second is the accuracy where classes are as frequent as among the training images."""
    shares = np.bincount(trained_on, minlength=len(outcome.classes)) / len(trained_on)
    alike = float(shares @ [score.recall for score in outcome.per_class()])
    return [outcome.top1, alike, outcome.balanced_accuracy, outcome.macro_f1]


def of_features(dataset, vectors, draws: int) -> list[list[str]]:
    """What classifiers of features come to."""
    from scipy.special import softmax

    from striate.training.metrics import Evaluation
    from striate.training.tasks import SingleLabel
    from striate.transfer.shallow import fit

    labels, task = np.concatenate([split.labels for split in dataset.splits]), SingleLabel(dataset.classes)
    rows = []
    for ratio in RATIOS:
        for balance in BALANCES[:2]:
            found = []
            for seed in range(draws):
                train, rest, rare = drawn(labels, ratio, seed)
                counts = task.weights(labels[train]).astype(np.float32) if balance != "none" else None
                fitted = fit(vectors[train], labels[train], len(dataset.classes), "svm", weights=counts)
                chances = softmax(fitted(vectors[rest]), axis=1)
                outcome = Evaluation(dataset.classes, labels[rest], chances)
                found.append([*figures(outcome, labels[train]), outcome.per_class()[rare].recall])
            means = [f"{100 * mean:.1f}" for mean in np.mean(found, 0)]
            rows.append([f"{ratio} : 1", balance, *means])
            print(" | ".join(rows[-1]), flush=True)
    return rows


def fine_tuned(dataset, sets: int, place: Path) -> list[list[str]]:
    """What fine-tuning comes to; a tenth of the others is the validation set, the rest measures."""
    import striate

    labels, rows = dataset.train.labels, []
    name, file = SMALL_MOBILENET
    for seed in range(sets):
        train, rest, _ = drawn(labels, 16, seed)
        val, test = np.split(np.random.default_rng(seed).permutation(rest), [len(rest) // 10])
        parts = {"train": train, "val": np.sort(val), "test": np.sort(test)}
        splits = {each: dataclasses.replace(dataset.train.subset(chosen), name=each) for each, chosen in parts.items()}
        some = dataclasses.replace(dataset, **splits)
        for balance in BALANCES:
            run = place / f"{seed}-{balance}"
            found = striate.train(
                some,
                model=name,
                weights=weights(file),
                transfer="top",
                balance=balance,
                seed=seed,
                run=run,
                quiet=True,
                report=False,
            )
            rows.append(
                [str(seed), balance, *(f"{100 * each:.1f}" for each in figures(found.evaluation, labels[train]))]
            )
            print(" | ".join(rows[-1]), flush=True)
    return rows


if __name__ == "__main__":
    main()
