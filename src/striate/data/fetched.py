"""Data sets at an address of the web: fetched once into the cache, whole or not at all, and used from there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from striate.errors import UsageError
from striate.files import Checksum, cache_folder, portable_name
from striate.files.fetching import fetch

#: The folder of the cache.
FOLDER = "fetched"


def fetched(url: str, cache: str | Path | None = None) -> Path:
    """The file of an address, fetched where it is not here yet.

    A connection that breaks is gone on with at the next try where the server says that the file is still the same
    (its ETag, or when it was changed last). What is here is used as it is: removed, it is fetched again.

    Raises:
        UsageError: the address names no file.
        StriateError: it cannot be fetched, or not be written.
    """
    parts = urlsplit(url)
    name = portable_name(unquote(parts.path.rstrip("/").rpartition("/")[2]))
    if not name or not parts.hostname:
        raise UsageError(f"{url} names no file; give the address of an archive, a Parquet or a CSV file")
    path = cache_folder(cache) / FOLDER / hashlib.sha256(url.encode()).hexdigest()[:16] / name
    if not path.is_file():
        fetch(url, path, Checksum("sha256", ""), f"put the file {name} into {path.parent}")
    return path
