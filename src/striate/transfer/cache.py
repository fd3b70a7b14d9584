"""Features kept on disk: what a frozen network gave for a picture is reckoned once.

A picture is known by its content and a network by its content, so nothing is ever stale: whatever changes is reckoned
anew, and only that. Runs add files, each written whole or not at all, so they may share the folder and be killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from striate.errors import StriateError
from striate.files import cache_folder
from striate.files.keeping import used_now
from striate.files.kept_arrays import keep_arrays, read_arrays

#: Bytes that the features of all networks may take together; those of networks not used for the longest time go first.
MOST = 8 << 30
#: Bytes of the digest by which a picture is known.
DIGEST = 16


class FeatureCache:
    """The features of one network, by picture.

    Args:
        content: a digest of the network, its weights and how pictures are brought to it.
        width: values of each picture.
        folder: where features are kept; None for the cache folder, where there is one.

    Attributes:
        problem: why features are not kept, in a line; empty while they are.
    """

    def __init__(self, content: str, width: int, folder: Path | None = None) -> None:
        self.width, self.problem = width, ""
        try:
            folder = folder or cache_folder() / "features"
        except StriateError as error:
            self.problem = str(error)
        self.folder = None if folder is None else folder / content[:32]

    def find(self, pictures: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The features (N, D) of pictures, by their digests, and which of them are known; the rest are zeros."""
        found = np.zeros((len(pictures), self.width), np.float32)
        known = np.zeros(len(pictures), bool)
        rows: dict[bytes, list[int]] = {}
        for row, digest in enumerate(pictures):
            rows.setdefault(digest[:DIGEST], []).append(row)
        for path in self._files():
            read = read_arrays(path, ("digests", "features"))
            if read is None or read[0]["features"].shape[1:] != (self.width,):
                continue
            features = read[0]["features"]
            for place, digest in enumerate(map(bytes, read[0]["digests"])):
                for row in rows.get(digest, ()):
                    found[row], known[row] = features[place], True
        return found, known

    def add(self, pictures: Sequence[bytes], features: NDArray[np.float32]) -> None:
        """Keep the features (N, D) of pictures; what cannot be written is reckoned again the next time."""
        if self.folder is None or not len(pictures):
            return
        digests = np.frombuffer(b"".join(digest[:DIGEST] for digest in pictures), np.uint8).reshape(-1, DIGEST)
        path = self.folder / f"{uuid4().hex}.safetensors"
        try:
            keep_arrays(path, {"digests": digests, "features": np.asarray(features, np.float32)}, MOST)
        except (OSError, StriateError) as error:
            self.problem = str(error)

    def _files(self) -> list[Path]:
        if self.folder is None:
            return []
        used_now(self.folder)
        return sorted(self.folder.glob("*.safetensors"))
