"""The data doctor on real data: what it finds of what is there, and how long it takes.

    python bench/doctor.py              all of it
    python bench/doctor.py flowers      near duplicates among 3,666 photographs, and labels swapped at random
    python bench/doctor.py mnist        near duplicates among 70,000 digits, of which there are none
    python bench/doctor.py cifar        50,000 images of CIFAR-10: seconds for near duplicates, and for all but labels
    python bench/doctor.py faults       a folder of 200 pictures with twelve kinds of fault

Labels are looked at with EfficientNet-Lite0 (or --network NAME), whose weights lie in STRIATE_WEIGHTS.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import BENCH, Report, arguments, data, skip

SHARES, SEEDS, MOST_SUSPICIOUS = (0.02, 0.05), range(3), 50


def flowers(network: str) -> list[str]:
    """Pairs of near duplicates; of the most suspicious labels, how many were swapped."""
    from striate.data import near_duplicates, open_dataset

    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(data("flowers.tar"), folder, filter="data")
        dataset = open_dataset(Path(folder) / "flowers", memory_limit=0)
        began = time.perf_counter()
        pairs = near_duplicates(dataset)
        seconds = time.perf_counter() - began
        lines = [f"flowers: {len(pairs)} pairs of near duplicates in {seconds:.1f} s"]
        lines += [
            f"  {pair.likeness:.3f} {pair.first.name.removeprefix(folder)} {pair.second.name.removeprefix(folder)}"
            for pair in pairs
        ]
        return lines + swapped(dataset, network)


def swapped(dataset: Any, network: str) -> list[str]:
    """Swap labels at random, and count how many of the most suspicious were."""
    import numpy as np

    from striate.classifier.choices import preprocessing_for
    from striate.classifier.network_choice import made
    from striate.models.at_hand import weights_at_hand
    from striate.transfer.features import Extractor
    from striate.transfer.label_errors import label_errors, out_of_fold

    at_hand = next((one for one in weights_at_hand() if one.network == network), None)
    if at_hand is None:
        skip(f"no weights of {network} (set STRIATE_WEIGHTS)")
    built = made(at_hand, dataset)
    extractor = Extractor(built, preprocessing_for(built, dataset, at_hand.source.input_size), cache=False)
    began = time.perf_counter()
    features = np.concatenate([extractor.take(split).of() for split in dataset.splits])
    labels = np.concatenate([split.labels for split in dataset.splits])
    lines = [f"features of {network}: {time.perf_counter() - began:.1f} s"]
    for share in SHARES:
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            chosen = rng.permutation(len(labels))[: round(share * len(labels))]
            given = labels.copy()
            given[chosen] = (given[chosen] + rng.integers(1, len(dataset.classes), len(chosen))) % len(dataset.classes)
            began = time.perf_counter()
            errors = label_errors(out_of_fold(features, given, len(dataset.classes)), given)
            found = {entry.row for entry in errors[:MOST_SUSPICIOUS]} & set(chosen.tolist())
            lines.append(
                f"{share:.0%} of the labels swapped ({len(chosen)}), seed {seed}: {len(found)} of the "
                f"{MOST_SUSPICIOUS} most suspicious are swapped ones ({time.perf_counter() - began:.1f} s)"
            )
    return lines


def mnist(network: str) -> list[str]:
    """Near duplicates among all digits, of which each was written once."""
    from striate.data import near_duplicates, open_dataset

    dataset = open_dataset(data("mnist", "MNIST", "raw"), val_fraction=0)
    images = sum(map(len, dataset.splits))
    began = time.perf_counter()
    pairs = near_duplicates(dataset)
    return [f"MNIST: {len(pairs)} pairs among {images:,} digits in {time.perf_counter() - began:.1f} s"]


def cifar(network: str) -> list[str]:
    """Seconds for 50,000 small images."""
    from striate.data import near_duplicates, open_dataset
    from striate.data.findings import findings

    began = time.perf_counter()
    dataset = open_dataset(data("cifar10_jpeg", "train.parquet"), memory_limit=0, val_fraction=0)
    opened = time.perf_counter() - began
    began = time.perf_counter()
    pairs = near_duplicates(dataset)
    near = time.perf_counter() - began
    began = time.perf_counter()
    found = findings(dataset, near=False)
    rest = time.perf_counter() - began
    return [
        f"CIFAR-10: {len(pairs)} pairs of near duplicates among {len(dataset.train):,} images in {near:.1f} s; "
        f"reading all of them {opened:.1f} s, everything else but labels {rest:.1f} s ({len(found)} findings)"
    ]


def faults(network: str) -> list[str]:
    """Which of the planted kinds are named, with the labels that were planted."""
    import striate

    path = BENCH.parent / "tests" / "ailing.py"
    specification = importlib.util.spec_from_file_location("ailing", path)
    assert specification is not None
    assert specification.loader is not None
    ailing = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(ailing)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ailing"
        planted = ailing.make_ailing(root)
        checkup = striate.check(root)
    lines = [f"twelve kinds of fault in 200 pictures, labels by {checkup.network or 'nobody'}"]
    for kind, names in planted.items():
        found = {place.name.removeprefix(f"{root}/") for entry in checkup.of(kind) for place in entry.places} | {
            entry.figures["path"].removeprefix(f"{root}/") for entry in checkup.of(kind) if "path" in entry.figures
        }
        right = checkup.counts.get(kind, 0) and found == set(names)
        lines.append(f"  {kind}: {'named' if right else f'WRONG: {sorted(found)}'}")
    return lines


PARTS = {"faults": faults, "flowers": flowers, "mnist": mnist, "cifar": cifar}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--network", default="efficientnet_lite0")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        sys.exit(f"there is no part {', '.join(sorted(unknown))}")
    report = Report("The data doctor", options, "numpy", "opencv-python-headless", "scipy")
    report.line()
    for name in options.parts or PARTS:
        for line in PARTS[name](options.network):
            report.line(f"    {line}")
    report.close()


if __name__ == "__main__":
    main()
