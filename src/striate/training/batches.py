"""Batches: which images come when, and what is done to them, decided by the seed alone.

The order of an epoch follows from (seed, epoch), the augmentations of a batch from (seed, epoch, batch). So the
same seed gives the same training whatever the number of workers, no epoch repeats another's augmentations, and a
run can go on from any batch.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from striate.augment import Augment, recolour, warp
from striate.caller import either
from striate.data import ArrayImages, Preprocessing, Split
from striate.data.decode import Serving
from striate.data.views import View, cut_all
from striate.data.workers import opencv_alone
from striate.errors import StriateError, UsageError

#: Bytes of decoded images that are held while a batch is made.
_BATCH_MEMORY = 1 << 29


class Batch(NamedTuple):
    """uint8 images (N, C, H, W), channels last in memory, and their int64 labels (N,); of V views N * V images."""

    images: Tensor
    labels: Tensor


class _Key(NamedTuple):
    """What a worker needs to make one batch; epoch -1 means no augmentation."""

    epoch: int
    number: int
    indices: NDArray[np.int64]


#: Images and labels, or why there are none.
_Made = tuple[Tensor, Tensor] | StriateError


@dataclass(frozen=True)
class _Maker(Dataset):
    """Makes the batch of a key; travels to the workers."""

    split: Split
    preprocessing: Preprocessing
    augment: Augment
    seed: int
    views: tuple[View, ...] = ()

    def __getitem__(self, key: _Key) -> _Made:
        try:
            images = self._training(key) if key.epoch >= 0 else self._plain(key.indices)
        except StriateError as error:  # raised in the main process, without a worker's traceback around it
            return error
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(self.split.labels[key.indices])

    def _read(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.int64], Iterable[NDArray[np.uint8]]]:
        """Heights and widths (n, 2) of some images, and the images.

        Those that do not fit in `_BATCH_MEMORY` together are read again when it is their turn.
        """
        source, free = self.split.images, _BATCH_MEMORY
        if isinstance(source, ArrayImages):
            return np.tile(source.array.shape[1:3], (len(indices), 1)), source.array[indices]
        sizes, kept = [], []
        for index in indices:
            image = source.read(int(index))
            free -= image.nbytes
            sizes.append(image.shape[:2])
            kept.append(image if free >= 0 else None)
        pairs = zip(indices, kept, strict=True)
        images = (source.read(int(index)) if image is None else image for index, image in pairs)
        return np.array(sizes), images

    @property
    def _serving(self) -> Serving | None:
        """How much smaller pictures serve, but for views at larger scales."""
        return None if any(view.scale != 1 for view in self.views) else self.preprocessing.serving

    def _plain(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        source = self.split.images
        if self.views:
            return np.concatenate(
                [cut_all(source.read(int(index), self._serving), self.preprocessing, self.views) for index in indices]
            )
        if isinstance(source, ArrayImages) and source.array.shape[1:3] == self.preprocessing.size:
            return source.array[indices]
        # One at a time: only what the network sees is held, whatever the size of the pictures.
        return np.stack([self.preprocessing(source.read(int(index), self._serving)) for index in indices])

    def _training(self, key: _Key) -> NDArray[np.uint8]:
        if not self.augment.changes_geometry and not self.augment.changes_colour:
            return self._plain(key.indices)
        look, rng = self.preprocessing, generator(self.seed, *key[:2])
        if self.augment.changes_geometry:
            sizes, pictures = self._read(key.indices)
            matrices = self.augment.sample_geometry(rng, sizes, look.size, look.resize, look.crop_fraction)
            images = warp(pictures, matrices, look.size, self.augment.border)
        else:
            images = self._plain(key.indices)
        if self.augment.changes_colour:
            colours = self.augment.sample_colour(rng, len(images))
            images = np.stack([recolour(image, colour) for image, colour in zip(images, colours, strict=True)])
        return images


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
        self.waited = 0.0  # seconds the consumer has waited for batches
        maker = _Maker(split, preprocessing, augment or Augment(), seed, self.views)
        self._keys = _Keys()
        self._loader = DataLoader(
            maker,
            sampler=self._keys,
            batch_size=None,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_start_worker,
            prefetch_factor=4 if workers else None,
            generator=torch.Generator(),  # its draws must not touch training's own random state
        )
        self._maker = maker

    def epoch(self, epoch: int = -1, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from batch `start` on; the images left over by the last full batch sit out."""
        self._keys.plan = list(self._plan(epoch, start))
        source = self._from_workers() if self.workers else map(self._make, self._keys.plan)
        while True:
            began = time.perf_counter()
            made = next(source, None)
            self.waited += time.perf_counter() - began
            if made is None:
                return
            if isinstance(made, StriateError):
                raise made
            yield Batch(*made)

    def _from_workers(self) -> Iterator[_Made]:
        with opencv_alone():  # the workers are forked from here
            return iter(self._loader)

    def _make(self, key: _Key) -> _Made:
        with opencv_alone():
            return self._maker[key]

    def _plan(self, epoch: int, start: int) -> Iterator[_Key]:
        if not self.training:
            for number in range(start, self.steps):
                first = number * self.batch_size
                yield _Key(-1, number, np.arange(first, min(first + self.batch_size, len(self.split))))
            return
        order = generator(self.seed, epoch).permutation(len(self.split))
        for step in range(start, self.steps):
            number = step * self.world_size + self.rank
            yield _Key(epoch, number, order[number * self.batch_size : (number + 1) * self.batch_size])


class _Keys:
    """The sampler: hands the plan of the current epoch to the workers.

    It does not know its `Batches`: in a cycle of references the workers' queues would be closed before the workers
    are told to stop, and taking each one down would take five seconds.
    """

    def __init__(self) -> None:
        self.plan: list[_Key] = []

    def __iter__(self) -> Iterator[_Key]:
        return iter(self.plan)

    def __len__(self) -> int:
        return len(self.plan)
