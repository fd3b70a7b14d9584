"""Twenty fine-tunings over sensible settings: none may diverge, or end below what it began with.

    python bench/fine_tuning_runs.py

Five sets of images and their networks (of `small_sets.py`), --per-class images of each class, and four
settings each: as by default; thrice the rate that is by default (which goes by the size of a batch, and that by the
number of images); a low one with batches of 8; SGD with momentum. Two more runs of each set have a rate of 0.003, which
is much for small batches, and one at which anything explodes: where that destroys what the network knew, it is to be
caught, begun again lower, and said. The accuracies are on the test images: of the classifier of features that a run
begins with, and of what it ends with. No image is set aside to validate on, so that what training came to at its end is
what is judged.
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
DEFAULT, THRICE = "default", "thrice the rate"
SENSIBLE: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    THRICE: {},
    "rate 0.0001, batches of 8": {"learning_rate": 1e-4, "batch_size": 8},
    "SGD, rate 0.01": {"optimizer": "sgd", "learning_rate": 0.01},
}
HIGH: dict[str, dict[str, Any]] = {"rate 0.003": {"learning_rate": 3e-3}}
EXPLOSIVE: dict[str, dict[str, Any]] = {
    "SGD, rate 3, unclipped": {"optimizer": "sgd", "learning_rate": 3.0, "clip_norm": 0.0}
}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--per-class", type=int, default=20, help="training images of each class (20)")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(CHOSEN))
    options = parser.parse_args()
    report = Report("Fine-tuning over sensible settings", options)
    report.line(f"- Runs: 1 of each, {options.per_class} images of each class")
    rows = [row for name in options.sets for row in runs_of(name, options.per_class)]
    report.table(["set", "settings", "rate", "features %", "full %", "began again at"], rows)
    for settings, words in ((SENSIBLE, "sensible settings"), (HIGH, "a high rate"), (EXPLOSIVE, "one that explodes")):
        again = [bool(row[-1]) for row in rows if row[1] in settings]
        report.line(f"- Of {len(again)} runs at {words} {sum(again)} began again")
    report.close()


def runs_of(name: str, count: int) -> list[list[str]]:
    """A row for each setting of one set of images."""
    import striate

    rows = []
    with tempfile.TemporaryDirectory() as place:
        dataset, _ = drawn(opened(SETS[name], Path(place)), count, 0)
        network, file = SETS[name].network

        def trained(transfer: str, settings: dict[str, Any]) -> tuple[float, float, str]:
            """Accuracy on the test images in per cent, the first rate, and those at which it began again."""
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder, "run")
                found = striate.train(
                    dataset, model=network, weights=weights(file), transfer=transfer, settings=settings, workers=0,
                    precision="32", quiet=True, report=False, run=run,
                )  # fmt: skip
                config = json.loads((run / "config.json").read_text())
            assert found.evaluation is not None
            assert found.evaluation.split == "test"
            rates = [note.rpartition(", ")[2] for note in config["notes"] if "began again" in note]
            rates += ["features kept" for note in config["notes"] if note.endswith("that it began with")]
            rate = settings.get("learning_rate", config["recipe"]["learning_rate"])
            return 100 * found.evaluation.top1, rate, " ".join(rates)

        features, _, _ = trained("features", {})
        usual = 0.0
        for words, settings in {**SENSIBLE, **HIGH, **EXPLOSIVE}.items():
            given = {"learning_rate": 3 * usual} if words == THRICE else settings
            accuracy, rate, rates = trained("full", given)
            usual = rate if words == DEFAULT else usual
            rows.append([name, words, f"{rate:.2g}", f"{features:.1f}", f"{accuracy:.1f}", rates])
            print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()
