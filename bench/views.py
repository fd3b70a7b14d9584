"""What looking at every picture several times gains and costs: flips and ten crops, on photographs and on CIFAR-10.

    python bench/views.py

MobileNet v2 with a head of five classes on features of the shared flowers is trained here (frozen, one epoch); CIFAR-10
is measured with its ResNet-20. Gains have their 95 % interval (Newcombe, 1998, method 10, paired); the cost is the
network's time for all views over that for one.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path

from common import BENCH, Report, arguments, data, skip

VIEWS = ("flip", "five", "ten", "scales")


def weights(name: str) -> Path:
    """A file of pretrained weights."""
    folder = Path(os.environ.get("STRIATE_WEIGHTS", BENCH.parents[1] / "shared" / "weights"))
    if not (folder / name).exists():
        skip(f"there is no {folder / name} (set STRIATE_WEIGHTS)")
    return folder / name


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--images", type=int, default=10_000, help="of CIFAR-10's test set")
    options = parser.parse_args()
    report = Report("Several views of each picture", options)
    import numpy as np

    import striate

    rows = []
    with tempfile.TemporaryDirectory() as place:
        flowers, part = trained_on_flowers(Path(place))
        rows += [measure("flowers, MobileNet v2, frozen", flowers, part, views) for views in VIEWS]
    cifar = striate.Classifier.pretrained(
        "resnet20_cifar", weights("resnet20_cifar10.safetensors"), classes=cifar_names()
    )
    test = striate.open_dataset(data("cifar10_jpeg")).test
    assert test is not None
    few = test.subset(np.arange(min(options.images, len(test))))
    rows += [measure("CIFAR-10 (JPEG), ResNet-20", cifar, few, views) for views in VIEWS]
    report.table(
        ["data and network", "images", "views", "top-1 once", "all views", "gain (95 % interval)", "cost"], rows
    )
    report.close()


def trained_on_flowers(place: Path):
    """MobileNet v2 with a head for flowers, trained for an epoch in a folder, and the images to measure it on."""
    import striate

    with tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
    photos = place / "flowers"
    classifier = striate.train(
        photos,
        model="mobilenet_v2",
        weights=weights("mobilenet_v2_imagenet.safetensors"),
        freeze="all",
        epochs=1,
        run=place / "run",
        report=False,
        quiet=True,
    )
    dataset = striate.open_dataset(photos)
    part = dataset.test or dataset.val
    assert part is not None
    return classifier, part


def cifar_names() -> tuple[str, ...]:
    """The classes of CIFAR-10, as the shared files have them."""
    import striate

    return striate.open_dataset(data("cifar10_jpeg")).classes


def measure(what: str, classifier, part, views: str) -> list[str]:
    """A row of the table."""
    found = classifier.evaluate(part, views=views)
    gain = found.views
    assert gain is not None
    row = [
        what,
        f"{len(found):,}",
        f"{views} ({len(gain.views)})",
        f"{gain.once:.2%}",
        f"{found.top1:.2%}",
        f"{gain.gain:+.2%} ({gain.low:+.2%} to {gain.high:+.2%})",
        f"{gain.seconds / gain.seconds_once:.1f}x",
    ]
    print(" | ".join(row), flush=True)
    return row


if __name__ == "__main__":
    main()
