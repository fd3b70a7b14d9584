"""What --transfer auto comes to on all 3,666 flowers, mean of several splits of our own, and in how many minutes.

    python bench/transfer_auto.py --splits 3 --write

Training and validation images of the shared flowers are put together, and a fifth is set aside anew for each split. The
network is EfficientNet-Lite0 unless --model says another; features are not kept from split to split, so each run does
all of its work. With --rows the results are kept, a line each, and the same command goes on where it was left.
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
import time
from pathlib import Path

from common import Report, add_row, arguments, data, median, read_rows
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
    parser.add_argument(
        "--time-limit", type=float, default=0, help="seconds of each run; by itself auto trains for 20 minutes at most"
    )
    parser.add_argument("--rows", type=Path, help="file of results: what is in it is not run again")
    options = parser.parse_args()
    report = Report("Transfer auto on the flowers", options)
    with tempfile.TemporaryDirectory() as place:
        folder = together(Path(place))
        file = weights(WEIGHTS.format(options.model))
        rows = options.rows or Path(place, "rows.jsonl")
        for seed in range(options.splits):
            if (options.model, seed) in {(row["model"], row["seed"]) for row in read_rows(rows)}:
                continue
            os.environ["STRIATE_CACHE"] = str(Path(place, f"cache{seed}"))
            began = time.perf_counter()
            trained = striate.train(
                folder, model=options.model, weights=file, transfer="auto", val_fraction=0.2, seed=seed, quiet=True,
                time_limit=options.time_limit, run=Path(place, f"run{seed}"),
            )  # fmt: skip
            assert trained.evaluation is not None
            row = {"model": options.model, "seed": seed, "accuracy": 100 * trained.evaluation.top1}
            row |= {"minutes": (time.perf_counter() - began) / 60, "regime": regime_of(Path(place, f"run{seed}"))}
            print(row, flush=True)
            add_row(rows, row)
        found = [row for row in read_rows(rows) if row["model"] == options.model and row["seed"] < options.splits]
    cells = [[str(row["seed"]), f"{row['accuracy']:.2f} %", f"{row['minutes']:.1f}", row["regime"]] for row in found]
    mean = sum(row["accuracy"] for row in found) / len(found)
    cells.append(["mean", f"{mean:.2f} %", f"{median([row['minutes'] for row in found]):.1f} (median)", ""])
    report.table(["split", "validation accuracy", "minutes", "what it did"], cells)
    report.close()


def regime_of(run: Path) -> str:
    """What was decided."""
    return json.loads((run / "advice.json").read_text(encoding="utf-8"))["choice"]["regime"]


if __name__ == "__main__":
    main()
