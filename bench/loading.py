"""How fast photographs come from their files to normalised batches of 224 pixels, against torchvision's loader.

    python bench/loading.py [--rounds 5] [--photographs 300] [--files 100000] [--epochs 20]

A random resized crop and a flip, batches of 32, two workers, whole epochs, contestants in turn: the shared flowers, and
photographs of 12 megapixels made of them, enlarged, with grain, so that there is as much to decode as a camera gives. A
round of a contestant is one epoch; that with the cache is one after the file was filled, whose seconds stand beside it.
Then the memory of the main process and the workers together (proportional set size) over epochs, of many small files.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import tempfile
from pathlib import Path

from common import BENCH, Report, arguments, child, data, each, median, ratios

SIDES = (3000, 4000)
PEER = "torchvision, ImageFolder and v2"
#: What is wanted of each, against the peer.
GOALS = {"flowers": ("striate", 2.0), "12 megapixels": ("striate", 4.0)}
CACHED = "striate, second epoch, --cache disk"
CACHED_GOAL = 6.0


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flowers", type=int, default=0, help="so many of the flowers; 0 for all")
    parser.add_argument("--photographs", type=int, default=300, help="of 12 megapixels")
    parser.add_argument("--files", type=int, default=100_000, help="whose loading is watched for memory")
    parser.add_argument("--epochs", type=int, default=20, help="of that")
    options = parser.parse_args()
    report = Report("Loading photographs", options, "torchvision", "pillow", "opencv-python-headless")
    report.line(f"- Runs: {options.rounds} epochs of each, alternating, after one of each; two workers, batches of 32")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with tarfile.open(data("flowers.tar")) as archive:
            archive.extractall(folder, filter="data")
        flowers = folder / "flowers"
        photographs = folder / "photographs"
        enlarge(flowers, photographs, options.photographs)
        rows = []
        for name, images, count in (
            ("flowers", flowers, options.flowers),
            ("12 megapixels", photographs, 0),
        ):
            rows += contest(name, images, count, folder / f"cache of {name}", options, report)
        report.table(["images", "loader", "images/s", "each", f"{PEER} takes", "goal"], rows)
        watch(options, report, folder)
    report.close()


def contest(
    name: str, images: Path, count: int, cache: Path, options: argparse.Namespace, report: Report
) -> list[list[str]]:
    """Rows of the table, of one kind of images."""
    found = child(
        str(BENCH / "loading_work.py"),
        "speed",
        images,
        options.rounds,
        count,
        OMP_NUM_THREADS="1",
        STRIATE_CACHE=str(cache),
    )
    speeds = found["speeds"]
    report.line(
        f"- {name}: {found['images']:,} images of {found['bytes'] / 1e6:.2f} MB, {found['batches']} batches an epoch; "
        f"the cache took {found['fill_seconds']:.1f} s to fill and {found['cache_bytes'] / 1e6:,.0f} MB; without it "
        f"{found['read_share']:.0%} of striate's work is reading and decoding"
    )
    goals = dict([GOALS[name], (CACHED, CACHED_GOAL)])
    return [
        [
            name,
            loader,
            f"{median(values):,.0f}",
            each(values, ".0f"),
            f"{median(ratios(values, speeds[PEER])):.2f} x as long",
            f"{goals[loader]:g} x" if loader in goals else "",
        ]
        for loader, values in speeds.items()
    ]


def enlarge(flowers: Path, photographs: Path, count: int) -> None:
    """JPEGs of 12 megapixels of the flowers, in folders of the same names."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    files = sorted(flowers.rglob("*.jpg"))
    for number in range(count):
        file = files[number * len(files) // count]
        picture = cv2.resize(cv2.imread(str(file)), SIDES[::-1], interpolation=cv2.INTER_CUBIC)
        grain = cv2.GaussianBlur(rng.normal(0, 21, SIDES).astype(np.float32), (0, 0), 0.8)
        target = photographs / file.parent.name / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        noisy = np.clip(picture + grain[..., None], 0, 255).astype(np.uint8)
        cv2.imwrite(str(target), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])


def watch(options: argparse.Namespace, report: Report, folder: Path) -> None:
    """The memory of all processes, epoch after epoch."""
    if not os.path.exists("/proc/self/smaps_rollup"):
        report.line("- Memory: not measured, for it is Linux that tells it")
        return
    found = child(
        str(BENCH / "loading_work.py"), "memory", folder / "tiny", options.files, options.epochs, OMP_NUM_THREADS="1"
    )
    memory = found["megabytes"]
    growth = memory[-1] / memory[0] - 1
    report.line(f"- Memory over {options.epochs} epochs of {options.files:,} files, MB: {each(memory, '.0f')}")
    report.line(f"- Growth from the end of the first epoch to the end of the last: {growth:+.1%} (goal: at most 2%)")


if __name__ == "__main__":
    main()
