"""Finding a published file of weights on this machine, or fetching it, whole and checked."""

from __future__ import annotations

import os
from pathlib import Path

from striate.errors import StriateError
from striate.files import Checksum, at_home, cache_folder
from striate.files.fetching import fetch
from striate.weights.source import WeightSource


def folders() -> list[Path]:
    """Where files are looked for: `STRIATE_WEIGHTS`, a folder that is only read, then the cache folder."""
    given = os.environ.get("STRIATE_WEIGHTS")
    return ([at_home(given)] if given else []) + [cache_folder()]


def locate(source: WeightSource) -> Path:
    """The path of a source's file, fetched first if it is not here yet; its checksum holds.

    Raises:
        StriateError: it can neither be found nor fetched (the line says where to put it),
            or the checksum differs.
    """
    checksum = Checksum("sha256", source.sha256)
    for folder in folders():
        path = folder / source.file
        if path.is_file():
            if not checksum.is_of(path):
                raise StriateError(
                    f"{path}: damaged or another file (its sha256 does not begin {source.sha256[:8]}); "
                    "delete it and try again"
                )
            return path
    folder = cache_folder()
    by_hand = f"put the file {source.file} ({checksum}) into {folder}"
    return fetch(source.url, folder / source.file, checksum, by_hand)
