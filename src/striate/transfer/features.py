"""Features: every picture once through a frozen network, on the fastest engine, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from striate.data import Preprocessing, Split
from striate.data.ahead import read_ahead
from striate.data.views import CENTRE, View
from striate.engines import Chosen, Frozen, Lazy, images_at_once
from striate.models import Network
from striate.models.embedding import Probes
from striate.transfer.cache import FeatureCache
from striate.transfer.copies import Copy

#: Pictures whose features are written together: what a crash loses at most.
KEPT_AT_ONCE = 1024


@dataclass(frozen=True)
class Features:
    """What a frozen network gave for N pictures.

    Attributes:
        values: float32 (N, D).
        columns: which of them belong to what: "features", which the classifier sees, then each stage's mean.
    """

    values: NDArray[np.float32]
    columns: Mapping[str, slice]

    def __len__(self) -> int:
        return len(self.values)

    def of(self, name: str = "features") -> NDArray[np.float32]:
        """Those of one stage, (N, C), or those that the classifier sees."""
        return self.values[:, self.columns[name]]

    def of_rows(self, rows: NDArray[np.int64]) -> Features:
        """Those of some pictures."""
        return Features(self.values[rows], self.columns)

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(name for name in self.columns if name != "features")


class Extractor:
    """Takes features of pictures by one network.

    Args:
        network: in evaluation mode; it must stay as it is.
        look: brings pictures to it.
        cache: whether features are kept, and taken from what is kept.

    Attributes:
        reckoned: how many pictures went through the network; the rest were known.
        unkept: why features are not kept, in a line; empty where they are, or were not to be.
    """

    def __init__(self, network: Network, look: Preprocessing, cache: bool = True) -> None:
        self.network, self.look = network, look
        self._probes = Probes(network).eval()
        self.columns = self._probes.columns(look.size)
        name = network.spec.name
        self._frozen = Frozen(self._probes, look.normalise, look.size, look.channels, name)
        self._cached = cache
        self._lazy: Lazy | None = None
        self.reckoned, self.unkept = 0, ""

    @property
    def chosen(self) -> Chosen | None:
        """The engine; None before anything went through the network."""
        return None if self._lazy is None else self._lazy.chosen

    def take(
        self, split: Split, view: View | Copy = CENTRE, shown: Callable[[int, int], None] = lambda done, total: None
    ) -> Features:
        """The features of a split's images, each cut as `view` says.

        Args:
            split: the images.
            view: how each is cut.
            shown: told how many are done, and of how many that have to be reckoned.

        Raises:
            StriateError: an image cannot be read.
        """
        width = max(columns.stop for columns in self.columns.values())
        digests = self._digests(split)
        cache = FeatureCache(self._content(view), width) if self._cached else None
        values, known = cache.find(digests) if cache else (np.zeros((len(split), width), np.float32), None)
        missing = np.arange(len(split)) if known is None else np.flatnonzero(~known)
        kept = done = 0
        try:
            for found in self._reckon(split, missing, view):
                values[missing[done : done + len(found)]] = found
                done += len(found)
                if done - kept >= KEPT_AT_ONCE:
                    _keep(cache, digests, values, missing[kept:done])
                    kept = done
                shown(done, len(missing))
        finally:  # whatever happened, what is done need not be done again
            _keep(cache, digests, values, missing[kept:done])
            self.unkept = self.unkept or (cache.problem if cache else "")
        return Features(values, self.columns)

    def _reckon(self, split: Split, rows: NDArray[np.int64], view: View | Copy) -> Iterator[NDArray[np.float32]]:
        """The features of some images, a few at a time."""
        if not len(rows):
            return
        serving = view.serving(self.look)

        def read(row: int) -> NDArray[np.uint8]:
            return view.cut(split.images.read(row, serving), self.look)

        together = images_at_once(self.look.size, device=self._frozen.device.type)
        if self._lazy is None or not self._lazy.serves(len(rows)):
            self._lazy = Lazy(self._frozen, len(rows))
        for group in read_ahead(rows.tolist(), read, together):
            yield self._lazy(np.stack([picture for _, picture in group]))
            self.reckoned += len(group)

    def _content(self, view: View | Copy) -> str:
        """A digest of all that the features of a picture depend on."""
        said = f"{self._frozen.content} {self.look.to_dict()} {view}"
        return hashlib.sha256(said.encode(), usedforsecurity=False).hexdigest()

    def _digests(self, split: Split) -> Sequence[bytes]:
        """What each picture is known by."""
        if split.facts is not None:
            return split.facts.contents
        images = split.images
        return [hashlib.sha256(_bytes(images.read(row))).digest() for row in range(len(split))]


def _keep(
    cache: FeatureCache | None, digests: Sequence[bytes], values: NDArray[np.float32], rows: NDArray[np.int64]
) -> None:
    if cache and len(rows):
        cache.add([digests[row] for row in rows.tolist()], values[rows])


def _bytes(picture: NDArray[np.uint8]) -> bytes:
    return str(picture.shape).encode() + picture.tobytes()
