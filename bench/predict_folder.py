"""A folder of photographs classified into a CSV file: `striate predict` and a plain loop, each a process of its own.

    python bench/predict_folder.py

The plain loop is the one that tutorials show: PIL, torchvision's evaluation transform, the network in eager mode, a
batch at a time. Both run MobileNet v2 with the same weights on the shared flowers; their classes are compared.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from common import Report, alternate, arguments, child, data, each, median, ratios
from views import weights

WEIGHTS = "mobilenet_v2_imagenet.safetensors"
BATCH = 32


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--plain", nargs=3, metavar=("WEIGHTS", "FOLDER", "CSV"), help="the plain loop alone")
    options = parser.parse_args()
    if options.plain:
        print(json.dumps({"images": plain_loop(*map(Path, options.plain))}))
        return
    report = Report("A folder of photographs to a CSV file", options, "openvino", "torchvision")
    with tempfile.TemporaryDirectory() as place, tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
        folder, file = Path(place, "flowers"), weights(WEIGHTS)
        cache, found = Path(place, "cache"), {"striate": Path(place, "ours.csv"), "plain": Path(place, "plain.csv")}
        os.environ["STRIATE_CACHE"] = str(cache)

        def ours() -> float:
            began = time.perf_counter()
            words = ["predict", "mobilenet_v2", folder, "--weights", file, "--csv", found["striate"], "--quiet"]
            command = [sys.executable, "-m", "striate", *map(str, words), "--engine", options.engine]
            subprocess.run(command, check=True, capture_output=True)
            return time.perf_counter() - began

        def plain() -> float:
            return child(__file__, "--plain", file, folder, found["plain"])["process_seconds"]

        first = ours()
        seconds = alternate({"plain": plain, "striate": ours}, options.rounds, warm_up=0)
        classes = {name: read(path) for name, path in found.items()}
        same = sum(classes["plain"][path] == label for path, label in classes["striate"].items())
        count = len(classes["striate"])
    report.line(f"- Runs: {options.rounds} of each, alternating, after a first one of striate's: {first:.1f} s")
    report.table(
        ["", "seconds, whole process", "each", "images/s", "against the plain loop"],
        [
            [
                name,
                f"{median(times):.1f}",
                each(times, ".1f"),
                f"{count / median(times):.0f}",
                f"{median(ratios(seconds['plain'], times)):.2f} x",
            ]
            for name, times in seconds.items()
        ],
    )
    report.line(f"{same} of {count} images are of the same class in both.")
    report.close()


def read(path: Path) -> dict[str, str]:
    """The class of each file."""
    with path.open(newline="", encoding="utf-8") as file:
        return {str(Path(row["file"]).resolve()): row["class"] for row in csv.DictReader(file)}


def plain_loop(weights: Path, folder: Path, out: Path) -> int:
    """Classify every JPEG below a folder; how many there were."""
    import torch
    from PIL import Image
    from torchvision.transforms import v2

    import striate

    classifier = striate.Classifier.pretrained("mobilenet_v2", weights)
    look, network = classifier.description.preprocessing, classifier.model.to(memory_format=torch.contiguous_format)
    transform = v2.Compose(
        [
            v2.Resize(round(look.size[0] / look.crop_fraction), antialias=True),
            v2.CenterCrop(look.size),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(look.mean, look.std),
        ]
    )
    paths = sorted(folder.rglob("*.jpg"))
    with out.open("w", newline="", encoding="utf-8") as file, torch.no_grad():
        writer = csv.writer(file)
        writer.writerow(["file", "class", "probability"])
        for start in range(0, len(paths), BATCH):
            group = paths[start : start + BATCH]
            batch = torch.stack([transform(Image.open(path).convert("RGB")) for path in group])
            chances, labels = network(batch).softmax(1).max(1)
            for path, chance, label in zip(group, chances.tolist(), labels.tolist(), strict=True):
                writer.writerow([path, classifier.classes[label], f"{chance:.6f}"])
    return len(paths)


if __name__ == "__main__":
    main()
