"""What a long training must not do: take more memory from epoch to epoch."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.augment import Augment
from striate.data import FileImages, Preprocessing, Split
from striate.training.batches import Batches

EPOCHS = 20


def used(processes: list[int]) -> int:
    """Proportional set size, kB: what several processes share counts once."""
    rows = [row for process in processes for row in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()]
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is told on Linux alone")
def test_memory_stays_the_same_over_epochs_to_two_percent(tmp_path):
    for number in range(40):
        few = np.random.default_rng(number).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        Image.fromarray(few).resize((70, 60)).save(tmp_path / f"{number}.jpg")
    paths = [tmp_path / f"{number % 40}.jpg" for number in range(20_000)]  # as many objects as files
    split = Split("train", FileImages(paths, 3), np.zeros(len(paths), np.int64))
    look, others = Preprocessing((32, 32), 3, (0.5,) * 3, (0.5,) * 3), set(multiprocessing.active_children())
    batches, memory = Batches(split, look, 50, Augment(flip=0.5, area=0.3), workers=2), []
    for epoch in range(EPOCHS):
        for _ in batches.epoch(epoch):
            pass
        workers = set(multiprocessing.active_children()) - others
        memory.append(used([os.getpid(), *(worker.pid for worker in workers)]))
    assert len(workers) == 2
    assert np.mean(memory[-3:]) < 1.02 * np.mean(memory[1:4]), memory
