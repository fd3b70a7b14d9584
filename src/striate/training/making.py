"""One batch out of its images: read, moved, recoloured, mixed. It travels to the workers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from striate.augment import Augment
from striate.augment.augmenting import moved, recoloured, spoilt
from striate.augment.draws import Draws
from striate.augment.mixing import mix, mixes
from striate.augment.reducing import are_large, scales
from striate.augment.sampling import draws, geometries
from striate.data import ArrayImages, Images, Preprocessing, Split
from striate.data.decode import Serving
from striate.data.views import View, cut_all
from striate.errors import StriateError

#: Bytes of decoded images that are held while a batch is made.
BATCH_MEMORY = 1 << 29


class Key(NamedTuple):
    """What a worker needs to make one batch.

    Attributes:
        epoch: -1 means no augmentation.
        indices: of the images.
        partners: of those that are mixed into them, where the policy mixes.
        repeats: how often each image, and each partner, has come before in this epoch; None where none comes twice.
    """

    epoch: int
    indices: NDArray[np.int64]
    partners: NDArray[np.int64] | None = None
    repeats: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def before(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`repeats`, zeros where no image comes twice."""
        return self.repeats or (np.zeros_like(self.indices),) * 2

    def first(self, count: int) -> Key:
        """The key of its first images."""
        partners = None if self.partners is None else self.partners[:count]
        repeats = None if self.repeats is None else (self.repeats[0][:count], self.repeats[1][:count])
        return Key(self.epoch, self.indices[:count], partners, repeats)


#: Images and labels, or why there are none.
Made = tuple[Tensor, Tensor] | StriateError


@dataclass(frozen=True)
class Maker(Dataset):
    """Makes the batch of a key.

    Attributes:
        split: the images.
        preprocessing: what brings an image to the network's size.
        augment: random transforms.
        seed: decides them, with the epoch and the image.
        views: ways to cut each picture; none for the one that preprocessing makes.
        classes: how many classes single labels name; mixed images have a share of each.
        axes: directions in which the colours of the data vary (`colour.principal_axes`), for PCA colour.
    """

    split: Split
    preprocessing: Preprocessing
    augment: Augment
    seed: int
    views: tuple[View, ...] = ()
    classes: int = 0
    axes: NDArray[np.float64] | None = None

    def __getitem__(self, key: Key) -> Made:
        """The batch, channels last in memory."""
        try:
            images, labels = self._trained_on(key) if key.epoch >= 0 else self._looked_at(key.indices)
        except StriateError as error:  # raised in the main process, without a worker's traceback around it
            return error
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)

    def read_alone(self, key: Key) -> None:
        """Read the images of a key, and those that are mixed into them, as their batch is made of them."""
        indices = key.indices if key.partners is None else np.unique(np.concatenate([key.indices, key.partners]))
        if key.epoch >= 0 and self.augment.changes_geometry:
            self._read(indices, self._scales(draws(self.augment, self.seed, key.epoch, indices), indices))
            return
        for index in indices.tolist():
            self.split.images.read(index, self._serving)

    def _looked_at(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray]:
        return self._plain(indices), self.split.labels[indices]

    def _trained_on(self, key: Key) -> tuple[NDArray[np.uint8], NDArray]:
        own_repeats, partners_repeats = key.before
        if key.partners is None:
            return self._augmented(key.epoch, key.indices, own_repeats), self.split.labels[key.indices]
        repeats = np.concatenate([own_repeats, partners_repeats])
        numbers = repeats * len(self.split) + np.concatenate([key.indices, key.partners])
        wanted, places = np.unique(numbers, return_inverse=True)
        before, images_wanted = np.divmod(wanted, len(self.split))
        pictures, (own, others) = self._augmented(key.epoch, images_wanted, before), np.split(places, 2)
        how = mixes(self.augment, draws(self.augment, self.seed, key.epoch, key.indices, own_repeats))
        images, kept = mix(pictures[own], pictures[others], how)
        labels = self.split.labels
        return images, shared_labels(labels[key.indices], labels[key.partners], kept, self.classes)

    def _augmented(self, epoch: int, indices: NDArray[np.int64], repeats: NDArray[np.int64]) -> NDArray[np.uint8]:
        policy = self.augment
        if not policy.changes_anything:
            return self._plain(indices)
        drawn = draws(policy, self.seed, epoch, indices, repeats)
        images = self._moved(drawn, indices) if policy.changes_geometry else self._plain(indices)
        recoloured(policy, drawn, images, self.axes)
        spoilt(policy, drawn, images)
        return images

    def _moved(self, drawn: Draws, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        sizes, pictures = self._read(indices, self._scales(drawn, indices))
        return moved(self.augment, drawn, pictures, self._matrices(drawn, sizes), self.preprocessing.size)

    def _matrices(self, drawn: Draws, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
        look = self.preprocessing
        return geometries(self.augment, drawn, sizes, look.size, look.resize, look.crop_fraction)

    def _scales(self, drawn: Draws, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many times smaller each image is read, by its size as the check found it; whole where nobody looked."""
        facts = self.split.facts
        if facts is None or not are_large(facts.sizes[indices]).any():
            return np.ones(len(indices), np.int64)
        sizes = facts.sizes[indices].astype(np.int64)
        return scales(self._matrices(drawn, sizes), sizes)

    def _read(
        self, indices: NDArray[np.int64], smaller: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Iterable[NDArray[np.uint8]]]:
        """Heights and widths (n, 2) of some images as they were read, so many times smaller, and the images.

        Those that do not fit in `BATCH_MEMORY` together are read again when it is their turn.
        """
        source, free = self.split.images, BATCH_MEMORY
        if isinstance(source, ArrayImages) and (smaller == 1).all():
            return np.tile(source.array.shape[1:3], (len(indices), 1)), source.array[indices]
        sizes, kept, wanted = [], [], list(zip(indices.tolist(), smaller.tolist(), strict=True))
        for index, scale in wanted:
            image = _at(source, index, scale)
            free -= image.nbytes
            sizes.append(image.shape[:2])
            kept.append(image if free >= 0 else None)
        pairs = zip(wanted, kept, strict=True)
        images = (_at(source, index, scale) if image is None else image for (index, scale), image in pairs)
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


def shared_labels(own: NDArray, others: NDArray, kept: NDArray[np.float64], classes: int) -> NDArray[np.float32]:
    """The labels of mixed images, float32 (N, classes): a share of each of two, classes or several labels an image."""
    own, others = (np.eye(classes)[labels] if labels.ndim == 1 else labels for labels in (own, others))
    return np.asarray(kept[:, None] * own + (1 - kept[:, None]) * others, np.float32)


def _at(source: Images, index: int, scale: int) -> NDArray[np.uint8]:
    """An image so many times smaller than it is, where its decoder gives it so."""
    return source.read(index) if scale == 1 else source.read(index, lambda height, width: scale)
