"""Twenty fine-tunings over sensible settings: none may diverge, or end below what it began with.

    python bench/fine_tuning_runs.py

Five sets of images and their networks (of `small_sets.py`), --per-class images of each class, and four
settings each: as by default; thrice the rate; a tenth of it with batches of 8; SGD with momentum. A last run of each
set has a rate at which anything explodes, which is to be caught, begun again lower, and said. The accuracies are on
the test images: of the classifier of features that a run begins with, and of what it ends with. No image is set aside
to validate on, so that what training came to at its end is what is judged.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from common import Report, arguments
from small_sets import SETS, drawn, opened
from views import weights

CHOSEN = ("roses and tulips", "CIFAR vehicles", "MNIST", "digits, ResNet-20", "flowers, ResNet-20")
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "rate 0.003": {"learning_rate": 3e-3},
    "rate 0.0001, batches of 8": {"learning_rate": 1e-4, "batch_size": 8},
    "SGD, rate 0.01": {"optimizer": "sgd", "learning_rate": 0.01},
}
EXPLOSIVE = {"SGD, rate 3, unclipped": {"optimizer": "sgd", "learning_rate": 3.0, "clip_norm": 0.0}}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--per-class", type=int, default=20, help="training images of each class (20)")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(CHOSEN))
    options = parser.parse_args()
    report = Report("Fine-tuning over sensible settings", options)
    report.line(f"- Runs: 1 of each, {options.per_class} images of each class")
    rows = [row for name in options.sets for row in runs_of(name, options.per_class)]
    report.table(["set", "settings", "features %", "full %", "began again at"], rows)
    sensible = [row for row in rows if row[1] in SETTINGS]
    lowered = sum(bool(row[4]) for row in sensible)
    report.line(f"- Of {len(sensible)} runs at sensible settings {lowered} diverged")
    caught = [row for row in rows if row[1] in EXPLOSIVE]
    report.line(f"- Of {len(caught)} runs at a rate that explodes {sum(bool(row[4]) for row in caught)} began again")
    report.close()


def runs_of(name: str, count: int) -> list[list[str]]:
    """A row for each setting of one set of images."""
    import striate

    rows = []
    with tempfile.TemporaryDirectory() as place:
        dataset, _ = drawn(opened(SETS[name], Path(place)), count, 0)
        network, file = SETS[name].network

        def trained(transfer: str, settings: dict[str, Any]) -> tuple[float, str]:
            """Accuracy on the test images in per cent, and the rates at which it began again."""
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder, "run")
                found = striate.train(
                    dataset, model=network, weights=weights(file), transfer=transfer, settings=settings, workers=0,
                    precision="32", quiet=True, report=False, run=run,
                )  # fmt: skip
                notes = json.loads((run / "config.json").read_text())["notes"]
            assert found.evaluation is not None
            assert found.evaluation.split == "test"
            rates = [note.rpartition(", ")[2] for note in notes if "began again" in note]
            rates += ["features kept" for note in notes if note.endswith("that it began with")]
            return 100 * found.evaluation.top1, " ".join(rates)

        features, _ = trained("features", {})
        for words, settings in {**SETTINGS, **EXPLOSIVE}.items():
            accuracy, rates = trained("full", settings)
            rows.append([name, words, f"{features:.1f}", f"{accuracy:.1f}", rates])
            print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()
