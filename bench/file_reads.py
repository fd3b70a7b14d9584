"""How often a one-epoch run opens and decodes each of its pictures.

A folder of photos of mixed sizes is made (or given), a small network is trained on it for one epoch in this
process, and the interpreter's own audit counts every opening of a picture, a profile every decoding.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from common import Report, arguments

CLASSES = ("beech", "larch", "rowan")


def make_photos(folder: Path, count: int) -> None:
    """`count` smooth noisy JPEGs a class, each of its own size."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            height, width = rng.integers(120, 320, 2).tolist()
            rough = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / name / f"{number}.jpg"), cv2.resize(rough, (width, height)))


class Counts:
    """Openings and decodings while it is switched on."""

    def __init__(self, folder: Path) -> None:
        from striate.data.decode import decode_content

        self.prefix, self.code = str(folder.resolve()), decode_content.__code__
        self.opened: Counter[str] = Counter()
        self.decoded = 0
        self.on = False
        sys.addaudithook(self._audit)

    def _audit(self, event: str, details: tuple[Any, ...]) -> None:
        if not self.on or event != "open" or isinstance(details[0], int):
            return
        path = os.fsdecode(details[0])
        if path.startswith(self.prefix) and not os.path.isdir(path):
            self.opened[path] += 1

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is self.code:
            self.decoded += 1

    def __enter__(self) -> Counts:
        self.on = True
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        self.on = False
        sys.setprofile(None)
        threading.setprofile(None)


def measure(folder: Path, run: Path, limit: int | None) -> tuple[float, int, float]:
    """Mean and largest number of openings of a file, and mean number of decodings."""
    import striate

    with Counts(folder) as counts:
        data = striate.open_dataset(str(folder), memory_limit=limit)
        striate.train(data, model="lenet5", size=32, epochs=1, batch_size=8, run=run, workers=0, quiet=True)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    return counts.opened.total() / files, max(counts.opened.values()), counts.decoded / files


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="photos, one folder per class; by default some are made")
    parser.add_argument("--count", type=int, default=40, help="photos per class that are made (40)")
    options = parser.parse_args()
    report = Report("Reads and decodings of a file in a one-epoch run", options)
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "photos"
        if options.folder is None:
            make_photos(folder, options.count)
        rows = []
        for name, limit in [("kept in memory", None), ("not kept", 0)]:
            reads, most, decodings = measure(folder, Path(place) / name.replace(" ", "_"), limit)
            rows.append([name, f"{reads:.2f}", str(most), f"{decodings:.2f}"])
    report.table(["pictures", "reads per file", "most of one file", "decodings per file"], rows)
    report.close()


if __name__ == "__main__":
    main()
