"""A folder of photographs classified: `striate predict`, a plain loop and Ultralytics, each a process of its own.

    STRIATE_PEERS=PYTHON python bench/predict_folder.py

The plain loop is the one that tutorials show: PIL, torchvision's evaluation transform, the network in eager mode, a
batch at a time. Both run MobileNet v2 with the same weights on the shared flowers; their classes are compared.

Ultralytics' command (see `yolo.py`) classifies the same pictures, 32 at a time as well, by its own smallest network and
by MobileNet v2, with random weights; exporting a network is not counted. It is left out where STRIATE_PEERS names no
Python that has ultralytics. All may use every core: Ultralytics takes one thread where OMP_NUM_THREADS is not set, and
here it is.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yolo
from common import Peers, Report, alternate, arguments, child, cores, data, each, median, ratios
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
    os.environ["OMP_NUM_THREADS"] = str(cores())
    report = Report("A folder of photographs to a CSV file", options, "openvino", "torchvision")
    peers = Peers()
    known = peers.versions("ultralytics", "torch", "openvino")
    if "ultralytics" in known:
        report.line(f"- Peers: {', '.join(map(' '.join, known.items()))}")
    else:
        print("skipped: Ultralytics (set STRIATE_PEERS to a Python that has ultralytics)")
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

        contestants: dict[str, Callable[[], float]] = {"plain": plain, "striate": ours}
        costs = dict.fromkeys(contestants, multiply_adds())
        if "ultralytics" in known:
            scratch = Path(place, "yolo")
            scratch.mkdir()
            made = peers.child(yolo.__file__, scratch, **yolo.environment(scratch))
            made.pop("process_seconds")
            for name, network in made.items():
                contestants[name] = theirs(peers.python, network["file"], folder, scratch / "out")
                costs[name] = network["multiply_adds"]
        first = ours()
        seconds = alternate(contestants, options.rounds, warm_up=0)
        classes = {name: read(path) for name, path in found.items()}
        same = sum(classes["plain"][path] == label for path, label in classes["striate"].items())
        count = len(classes["striate"])
    report.line(f"- Runs: {options.rounds} of each, alternating, after a first one of striate's: {first:.1f} s")
    report.table(
        [
            "",
            "multiply-adds",
            "seconds, whole process",
            "each",
            "images/s",
            "striate against it",
            "it against the plain loop",
        ],
        [
            [
                name,
                f"{costs[name] / 1e6:.0f} M",
                f"{median(times):.1f}",
                each(times, ".1f"),
                f"{count / median(times):.0f}",
                f"{median(ratios(times, seconds['striate'])):.2f} x",
                f"{median(ratios(seconds['plain'], times)):.2f} x",
            ]
            for name, times in seconds.items()
        ],
    )
    report.line(f"{same} of {count} images are of the same class in striate and the plain loop.")
    report.close()


def multiply_adds() -> float:
    """Those of MobileNet v2 in striate."""
    import striate

    return striate.summary(striate.create_model("mobilenet_v2"), (3, yolo.SIDE, yolo.SIDE)).multiply_adds


def theirs(python: str, file: str, folder: Path, out: Path) -> Callable[[], float]:
    """A round of Ultralytics' command with one of its networks; its seconds."""

    def contest() -> float:
        began = time.perf_counter()
        written = yolo.predict(python, file, folder, out)
        seconds = time.perf_counter() - began
        names = {path.stem for path in folder.rglob("*.jpg")}
        if written != len(names):
            raise SystemExit(f"yolo wrote of {written} pictures, and there are {len(names)}")
        shutil.rmtree(out)
        return seconds

    return contest


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
