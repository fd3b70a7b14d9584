"""What --transfer auto comes to on all 3,666 flowers, mean of several splits of our own, and in how many minutes.

    python bench/transfer_auto.py --splits 3 --write

Training and validation images of the shared flowers are put together, and a fifth is set aside anew for each split. The
network is EfficientNet-Lite0 unless --model says another; features are not kept from split to split, so each run does
all of its work.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import time
from pathlib import Path

from common import Report, arguments, data, median
from views import weights

WEIGHTS = "{}_imagenet.safetensors"


def together(place: Path) -> Path:
    """A folder with all flowers, one folder a class."""
    with tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
    whole = place / "whole"
    for path in sorted((place / "flowers").glob("*/*/*")):
        target = whole / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    return whole


def main() -> None:
    import striate

    parser = arguments(__doc__)
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--splits", type=int, default=3)
    options = parser.parse_args()
    report = Report("Transfer auto on the flowers", options)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = together(Path(place))
        file = weights(WEIGHTS.format(options.model))
        for seed in range(options.splits):
            os.environ["STRIATE_CACHE"] = str(Path(place, f"cache{seed}"))
            began = time.perf_counter()
            found = striate.train(
                folder, model=options.model, weights=file, transfer="auto", val_fraction=0.2, seed=seed, quiet=True,
                run=Path(place, f"run{seed}"),
            )  # fmt: skip
            assert found.evaluation is not None
            minutes = (time.perf_counter() - began) / 60
            rows.append((100 * found.evaluation.top1, minutes))
            print(seed, rows[-1], flush=True)
    cells = [[str(seed), f"{accuracy:.2f} %", f"{minutes:.1f}"] for seed, (accuracy, minutes) in enumerate(rows)]
    mean = sum(accuracy for accuracy, _ in rows) / len(rows)
    cells.append(["mean", f"{mean:.2f} %", f"{median([minutes for _, minutes in rows]):.1f} (median)"])
    report.table(["split", "validation accuracy", "minutes"], cells)
    report.close()


if __name__ == "__main__":
    main()
