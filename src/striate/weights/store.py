"""The folder of weights on this machine: finding a published file, or fetching it, whole and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.request
from pathlib import Path

from striate.errors import StriateError
from striate.files import replacing
from striate.weights.source import WeightSource


def cache_folder() -> Path:
    """Where fetched files are kept: `STRIATE_CACHE`, else ~/.cache/striate."""
    return Path(os.environ.get("STRIATE_CACHE") or Path.home() / ".cache" / "striate")


def folders() -> list[Path]:
    """Where files are looked for: `STRIATE_WEIGHTS`, a folder that is only read, then the cache folder."""
    given = os.environ.get("STRIATE_WEIGHTS")
    return ([Path(given)] if given else []) + [cache_folder()]


def sha256_of(path: Path) -> str:
    """The file's checksum in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locate(source: WeightSource) -> Path:
    """The path of a source's file, fetched first if it is not here yet; its checksum holds.

    Raises:
        StriateError: it can neither be found nor fetched (the line says where to put it),
            or the checksum differs.
    """
    for folder in folders():
        path = folder / source.file
        if path.is_file():
            if not sha256_of(path).startswith(source.sha256):
                raise StriateError(
                    f"{path}: damaged or another file (its sha256 does not begin {source.sha256[:8]}); "
                    "delete it and try again"
                )
            return path
    return fetch(source, cache_folder())


def fetch(source: WeightSource, folder: Path) -> Path:
    """Download a source's file into `folder` under a temporary name, check it, then give it its own name.

    Raises:
        StriateError: no connection, no room, or another checksum; nothing is left behind.
    """
    by_hand = f"put the file {source.file} (sha256 {source.sha256[:8]}...) into {folder}"
    path = folder / source.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            with urllib.request.urlopen(source.url, timeout=30) as response, open(partial, "xb") as file:
                shutil.copyfileobj(response, file, 1 << 20)
            if not sha256_of(partial).startswith(source.sha256):
                raise StriateError(f"{source.url}: what arrived has another checksum; try again, or {by_hand}")
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise StriateError(f"cannot fetch {source.url} ({reason}); {by_hand}") from error
    return path
