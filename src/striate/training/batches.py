"""Batches: which images come when, and what is done to them, decided by the seed alone.

The order of an epoch follows from (seed, epoch), what becomes of an image from (seed, epoch, image) and, where it comes
several times in an epoch, from how often it came before. So the same seed gives the same training whatever the number
of workers and processes, no epoch repeats another's augmentations, and a run can go on from any batch.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from striate.augment import Augment
from striate.augment.policy import MIXING
from striate.caller import either
from striate.data import Preprocessing, Split
from striate.data.views import View
from striate.data.workers import opencv_alone
from striate.errors import StriateError, UsageError
from striate.training.balance import drawn, earlier
from striate.training.lost_workers import SIGNS, LostWorker, Workers, may_be_sign
from striate.training.making import Key, Made, Maker
from striate.training.on_device import OnDevice, may_lie_there

#: Images on which the cost of reading is tried.
TRIED = 16


class Batch(NamedTuple):
    """uint8 images (N, C, H, W), channels last in memory, and their labels; of V views N * V images.

    Labels are those of the split; of mixed images each label's share, float32 (N, K).
    """

    images: Tensor
    labels: Tensor


def generator(*key: int) -> np.random.Generator:
    """A source of chance of its own for each key of numbers."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)  # workers are the parallelism
    # Ctrl-C, and termination of the whole process group, are the main process's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)


class Batches:
    """The batches of one split.

    Args:
        split: the images.
        preprocessing: what brings an image to the network's size.
        batch_size: images per batch on this process.
        augment: random transformations; None for the plain images in their own order (evaluation).
        seed: see the module.
        workers: processes that decode and warp beside training; 0 makes batches in this one.
        part: which of how many processes that train together this one is; each takes its own part of every batch.
        views: ways to cut each picture, whose cuts follow one another; none for the one that preprocessing makes.
        classes: how many classes the labels name, which mixed images have to know.
        axes: directions in which the colours of the data vary (`augment.colour.principal_axes`), for PCA colour.
        times: how often each image is to come in an epoch, (N,), as `balance.drawn` takes it; None for once.
        device: where training images may lie whole and be augmented (`on_device`); batches are there then.

    Raises:
        UsageError: a training batch larger than the split.
    """

    def __init__(
        self,
        split: Split,
        preprocessing: Preprocessing,
        batch_size: int,
        augment: Augment | None = None,
        seed: int = 0,
        workers: int = 0,
        part: tuple[int, int] = (0, 1),
        views: Sequence[View] = (),
        classes: int = 0,
        axes: NDArray[np.float64] | None = None,
        times: NDArray[np.float64] | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.split, self.batch_size, self.seed, self.views = split, batch_size, seed, tuple(views)
        self.training = augment is not None
        (self.rank, self.world_size), self.workers = part, workers
        together = batch_size * self.world_size
        if self.training and together > len(split):
            raise UsageError(
                f"a batch of {together} is larger than the {len(split)} images to train on. "
                f"Give {either('--batch-size', 'a batch_size of')} {max(1, len(split) // 4)} or less."
            )
        self.steps = len(split) // together if self.training else -(-len(split) // batch_size)
        self._times = times
        self.waited = 0.0  # seconds the consumer has waited for batches
        self.mixes = augment is not None and augment.has(*MIXING)
        policy = (augment or Augment()).under(preprocessing.resize)
        maker = Maker(split, preprocessing, policy, seed, self.views, classes, axes)
        self._maker: Maker | OnDevice = maker
        if device is not None and may_lie_there(split, preprocessing, policy, device):
            self._maker, self.workers = OnDevice.put(split, preprocessing, policy, seed, device, classes, axes), 0
        self._keys = _Keys()
        self._loader = DataLoader(
            maker,
            sampler=self._keys,
            batch_size=None,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            worker_init_fn=_start_worker,
            prefetch_factor=4 if self.workers else None,
            generator=torch.Generator(),  # its draws must not touch training's own random state
        )
        self._processes = Workers()

    def epoch(self, epoch: int = -1, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from batch `start` on; the images left over by the last full batch sit out."""
        self._keys.plan = list(self._plan(epoch, start))
        source = self._from_workers() if self.workers else map(self._make, self._keys.plan)
        while True:
            began = time.perf_counter()
            try:
                made = next(source, None)
            except SIGNS as error:
                raise (self.lost_worker() if may_be_sign(error) else None) or error from None
            self.waited += time.perf_counter() - began
            if made is None:
                return
            if isinstance(made, StriateError):
                raise made
            yield Batch(*made)

    def reading_share(self, epoch: int) -> float:
        """Which share of making a batch goes into reading and decoding its images: tried on a few of an epoch."""
        key = next(self._plan(epoch, 0)).first(TRIED)
        began = time.perf_counter()
        with opencv_alone():
            self._maker.read_alone(key)
        read = time.perf_counter()
        self._make(key)
        return min(1.0, (read - began) / (time.perf_counter() - read))

    def lost_worker(self) -> LostWorker | None:
        """What to tell of a worker that is gone, after which no more batches come; None where there is none such."""
        if (lost := self._processes.lost()) is not None:
            del self._loader  # and with it the other workers
        return lost

    def _from_workers(self) -> Iterator[Made]:
        with opencv_alone(), self._processes.starting():  # the workers are forked from here
            return iter(self._loader)

    def _make(self, key: Key) -> Made:
        with opencv_alone():
            return self._maker[key]

    def _plan(self, epoch: int, start: int) -> Iterator[Key]:
        if not self.training:
            for number in range(start, self.steps):
                first = number * self.batch_size
                yield Key(-1, np.arange(first, min(first + self.batch_size, len(self.split))))
            return
        rng = generator(self.seed, epoch)
        order = rng.permutation(len(self.split)) if self._times is None else drawn(self._times, rng)
        repeats = None if self._times is None else earlier(order)
        neighbours = _neighbours(len(order))
        for step in range(start, self.steps):
            first = (step * self.world_size + self.rank) * self.batch_size
            part = slice(first, first + self.batch_size)
            partners = order[neighbours[part]] if self.mixes else None
            before = None if repeats is None else (repeats[part], repeats[neighbours[part]])
            yield Key(epoch, order[part], partners, before)


def _neighbours(count: int) -> NDArray[np.int64]:
    """Places in pairs, each with the other's in its place: whoever takes which part of them, pairs stay the same."""
    places = np.arange(count)
    return np.minimum(places ^ 1, count - 1)


class _Keys:
    """The sampler: hands the plan of the current epoch to the workers.

    It does not know its `Batches`: in a cycle of references the workers' queues would be closed before the workers
    are told to stop, and taking each one down would take five seconds.
    """

    def __init__(self) -> None:
        self.plan: list[Key] = []

    def __iter__(self) -> Iterator[Key]:
        return iter(self.plan)

    def __len__(self) -> int:
        return len(self.plan)
