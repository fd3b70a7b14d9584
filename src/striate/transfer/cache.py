"""Features kept on disk: what a frozen network gave for a picture is reckoned once.

A picture is known by its content and a network by its content, so nothing is ever stale: whatever changes is reckoned
anew, and only that. Runs add files, each written whole or not at all, so they may share the folder and be killed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from striate.errors import StriateError
from striate.files import cache_folder, make_folder_of, write_atomically
from striate.files.keeping import prune, sweep, used_now

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
            read = _read(path, self.width)
            if read is None:
                continue
            digests, features = read
            for place, digest in enumerate(map(bytes, digests)):
                for row in rows.get(digest, ()):
                    found[row], known[row] = features[place], True
        return found, known

    def add(self, pictures: Sequence[bytes], features: NDArray[np.float32]) -> None:
        """Keep the features (N, D) of pictures; what cannot be written is reckoned again the next time."""
        if self.folder is None or not len(pictures):
            return
        digests = np.frombuffer(b"".join(digest[:DIGEST] for digest in pictures), np.uint8).reshape(-1, DIGEST)
        tensors: dict[str, NDArray] = {
            "digests": digests.copy(),
            "features": np.ascontiguousarray(features, np.float32),
        }
        path = self.folder / f"{uuid4().hex}.safetensors"
        try:
            make_folder_of(path)
            write_atomically(path, save(tensors, {"crc32": str(_checksum(tensors))}))
            sweep(self.folder)
            prune(self.folder.parent, MOST, spared=self.folder)
        except (OSError, StriateError) as error:
            self.problem = str(error)

    def _files(self) -> list[Path]:
        if self.folder is None:
            return []
        used_now(self.folder)
        return sorted(self.folder.glob("*.safetensors"))


def _read(path: Path, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Digests (N, 16) and features (N, D); None where the file is damaged, which is then removed."""
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in ("digests", "features")}
            said = (file.metadata() or {}).get("crc32")
        if said != str(_checksum(tensors)) or tensors["features"].shape[1] != width:
            raise ValueError("damaged")
    except (SafetensorError, OSError, ValueError, IndexError):
        with suppress(OSError):
            path.unlink()
        return None
    return tensors["digests"], tensors["features"]


def _checksum(tensors: dict[str, NDArray]) -> int:
    return zlib.crc32(tensors["features"].data, zlib.crc32(tensors["digests"].data))
