"""Train LeNet on scikit-learn's embedded digits and write the report: what `make demo` runs.

The digits are first written out as a folder of pictures, one folder per class, as a user's own images would be.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2

import striate

DEMO = Path("demo")


def write_digits(folder: Path) -> None:
    """Write the 1,797 digits as PNG files: train/<class>/ and test/<class>/."""
    digits = striate.open_dataset("digits", val_fraction=0)
    for split in digits.splits:
        for index, label in enumerate(split.labels):
            target = folder / split.name / digits.classes[label]
            target.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target / f"{index:04}.png"), split.images.read(index))


def main() -> None:
    """Write the pictures, train, and say where to look."""
    shutil.rmtree(DEMO, ignore_errors=True)
    write_digits(DEMO / "digits")
    classifier = striate.train(
        DEMO / "digits",
        model="lenet5",
        epochs=60,
        run=DEMO / "run",
        command="striate train demo/digits --model lenet5 --epochs 60 --run demo/run",
    )
    picture = next((DEMO / "digits" / "test").rglob("*.png"))
    prediction = classifier.predict(picture)
    assert classifier.evaluation is not None
    low, high = classifier.evaluation.top1_interval
    print(f"{picture} is a {prediction.label} ({prediction.probability:.1%})")
    print(f"test accuracy {classifier.evaluation.top1:.2%} ({low:.1%} to {high:.1%}, 95 % interval)")
    print("look at the report:")
    print((DEMO / "run" / "report.html").resolve())


if __name__ == "__main__":
    main()
