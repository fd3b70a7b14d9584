"""Training images that lie on the accelerator: batches are cut, turned and coloured there, and no picture travels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.augment import Augment
from striate.augment.batch import augmented_batch, mixed_batch, takes
from striate.augment.mixing import mixes
from striate.augment.sampling import draws
from striate.data import ArrayImages, Preprocessing, Split
from striate.training.making import Key, Made, shared_labels

#: The share of the accelerator's free memory that images may take.
ROOM = 0.25


def may_lie_there(split: Split, look: Preprocessing, policy: Augment, device: torch.device) -> bool:
    """Whether images can lie on a device: of one size, in memory, augmented by matrices alone, and it has room."""
    images = split.images
    if device.type != "cuda" or not isinstance(images, ArrayImages) or not takes(policy):
        return False
    if not policy.changes_geometry and images.array.shape[1:3] != look.size:
        return False  # resized as evaluation does it, which has no matrix
    free, _ = torch.cuda.mem_get_info(device)
    return images.array.nbytes <= ROOM * free


@dataclass(frozen=True, eq=False)
class OnDevice:
    """Makes the batch of a key, as `making.Maker` does, from images that a device holds.

    Attributes:
        pictures: uint8 (N, C, H, W), there.
        labels: of the split.
        preprocessing: what brings an image to the network's size.
        augment: random transforms, of those that `augment.batch.takes`.
        seed: decides them, with the epoch and the image.
        classes: how many classes single labels name.
        axes: see `making.Maker`.
    """

    pictures: Tensor
    labels: NDArray
    preprocessing: Preprocessing
    augment: Augment
    seed: int
    classes: int = 0
    axes: NDArray[np.float64] | None = None

    @classmethod
    def put(
        cls,
        split: Split,
        look: Preprocessing,
        policy: Augment,
        seed: int,
        device: torch.device,
        classes: int = 0,
        axes: NDArray[np.float64] | None = None,
    ) -> OnDevice:
        """Images of one size, brought there; the arguments are those of `making.Maker`."""
        assert isinstance(split.images, ArrayImages)
        pictures = torch.from_numpy(split.images.array).to(device).permute(0, 3, 1, 2)
        return cls(pictures, split.labels, look, policy, seed, classes, axes)

    def __getitem__(self, key: Key) -> Made:
        """The batch, its images on the device, channels last in memory, its labels not."""
        own_repeats, partners_repeats = key.before
        images = self._augmented(key.epoch, key.indices, own_repeats)
        if key.partners is None:
            return images, torch.from_numpy(self.labels[key.indices])
        partners = self._augmented(key.epoch, key.partners, partners_repeats)
        how = mixes(self.augment, draws(self.augment, self.seed, key.epoch, key.indices, own_repeats))
        mixed, kept = mixed_batch(images, partners, how)
        labels = shared_labels(self.labels[key.indices], self.labels[key.partners], kept, self.classes)
        return mixed.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels)

    def read_alone(self, key: Key) -> None:
        """Nothing has to be read."""

    def _augmented(self, epoch: int, indices: NDArray[np.int64], repeats: NDArray[np.int64]) -> Tensor:
        chosen, look = self.pictures[torch.from_numpy(indices).to(self.pictures.device)], self.preprocessing
        if self.augment.changes_anything:
            drawn = draws(self.augment, self.seed, epoch, indices, repeats)
            chosen = augmented_batch(self.augment, drawn, chosen, look.size, look.resize, look.crop_fraction, self.axes)
        return chosen.contiguous(memory_format=torch.channels_last)
