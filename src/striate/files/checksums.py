"""Checksums as publishers state them: whole, or only their first digits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checksum:
    """What a file's content must hash to.

    Attributes:
        algorithm: "sha256", or "md5" where a publisher states nothing better.
        digits: in hexadecimal; the first of them are enough.
    """

    algorithm: str
    digits: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digits[:8]}..."

    def fits(self, digest: str) -> bool:
        """Whether a digest in hexadecimal, all of it, is the one that is stated."""
        return digest.startswith(self.digits)

    def is_of(self, path: Path) -> bool:
        """Whether the file has this checksum."""
        return self.fits(digest_of(path, self.algorithm))


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The file's digest in hexadecimal, all of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
