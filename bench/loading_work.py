"""The work of loading.py: epochs of contestants in turn, or one loader's memory; prints what it measured.

python bench/loading_work.py speed FOLDER ROUNDS COUNT | memory FOLDER FILES EPOCHS
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from common import alternate
from loading import CACHED, PEER

SIDE, BATCH, WORKERS = 224, 32, 2
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    torch.set_num_threads(1)
    what, folder, first, second = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    print(json.dumps(speed(folder, first, second) if what == "speed" else memory(folder, first, second)))


def speed(folder: Path, rounds: int, count: int) -> dict:
    """Images a second of each contestant, and what filling the cache took."""
    from striate import open_dataset
    from striate.augment import Augment
    from striate.data import Preprocessing
    from striate.training.batches import Batches
    from striate.training.caching import Setting, cached
    from striate.training.progress import Quiet

    split = open_dataset(folder, val_fraction=0, memory_limit=0).train
    count = min(count or len(split), len(split))
    split = split.subset(np.random.default_rng(0).permutation(len(split))[:count])
    look, policy = Preprocessing((SIDE, SIDE), 3, MEAN, STD), Augment(flip=0.5, area=0.08)
    began = time.perf_counter()
    kept = cached([split], "disk", Setting(policy, look, 100, str(folder)), Quiet())
    filling = time.perf_counter() - began
    if kept.way != "disk":
        raise SystemExit(kept.words)
    plain = Batches(split, look, BATCH, policy, workers=WORKERS)
    contestants = {
        "striate": ours(plain, look),
        CACHED: ours(Batches(kept.splits[0], look, BATCH, policy, workers=WORKERS), look),
        PEER: torchvision_of([str(path) for path in split.images.paths], split.labels),
    }
    block = kept.splits[0].images.block
    return {
        "speeds": alternate(contestants, rounds),
        "images": count,
        "bytes": float(np.mean([path.stat().st_size for path in split.images.paths])),
        "batches": plain.steps,
        "fill_seconds": filling,
        "cache_bytes": block.path.stat().st_size,
        "read_share": plain.reading_share(0),
    }


def ours(batches, look) -> Callable[[], float]:
    epochs = iter(range(10_000))

    def epoch() -> float:
        began, seen = time.perf_counter(), 0
        for images, _ in batches.epoch(next(epochs)):
            seen += len(look.normalise(images))
        return seen / (time.perf_counter() - began)

    return epoch


class Files(torch.utils.data.Dataset):
    """The same files as `ImageFolder` would list, read by its own loader."""

    def __init__(self, paths, labels, transform) -> None:
        from torchvision.datasets.folder import default_loader

        self.paths, self.labels, self.transform, self.load = paths, labels, transform, default_loader

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int):
        return self.transform(self.load(self.paths[index])), int(self.labels[index])


def torchvision_of(paths, labels) -> Callable[[], float]:
    """Its usual transforms, on its usual loader; on uint8 until the end, which is the quickest of its ways."""
    from torchvision.transforms import v2

    transform = v2.Compose(
        [
            v2.RandomResizedCrop(SIDE, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    loader = torch.utils.data.DataLoader(
        Files(paths, labels, transform),
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=WORKERS,
        persistent_workers=True,
        prefetch_factor=4,
    )

    def epoch() -> float:
        began, seen = time.perf_counter(), 0
        for images, _ in loader:
            seen += len(images)
        return seen / (time.perf_counter() - began)

    return epoch


def memory(folder: Path, files: int, epochs: int) -> dict:
    """Megabytes of all processes together after each epoch over a list of so many files."""
    import cv2

    from striate.augment import Augment
    from striate.data import FileImages, Preprocessing, Split
    from striate.training.batches import Batches

    folder.mkdir(parents=True, exist_ok=True)
    few = [folder / f"{number}.jpg" for number in range(100)]
    for number, path in enumerate(few):
        cv2.imwrite(str(path), np.random.default_rng(number).integers(0, 256, (24, 24, 3), dtype=np.uint8))
    split = Split("train", FileImages([folder / few[n % 100].name for n in range(files)], 3), np.zeros(files, np.int64))
    batches = Batches(split, Preprocessing((16, 16), 3, MEAN, STD), 64, Augment(flip=0.5), workers=WORKERS)
    found = []
    for epoch in range(epochs):
        for _ in batches.epoch(epoch):
            pass
        found.append(used())
    return {"megabytes": found}


def used() -> float:
    """Proportional set size of this process and its children, MB: what several share counts once."""
    total = 0
    for process in (os.getpid(), *(child.pid for child in multiprocessing.active_children())):
        rows = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        total += next(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return total * 1024 / 1e6


if __name__ == "__main__":
    main()
