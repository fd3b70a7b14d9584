"""The one folder in which fetched files are kept: data sets and weights.

Weights lie in it under the names their records give them, data sets in folders of their own: as torchvision lays them
out (`MNIST/raw`) or under the set's name (`mnist`, `cifar10`). What is fetched from a user's address lies in `fetched`,
compressed tar files lie in `unpacked` as plain ones.
"""

from __future__ import annotations

import os
from pathlib import Path

from striate.errors import StriateError
from striate.files.paths import at_home


def cache_folder(chosen: str | Path | None = None) -> Path:
    """Where fetched files lie: `chosen`, else STRIATE_CACHE, else ~/.cache/striate.

    Raises:
        StriateError: none was chosen and this user has no home folder.
    """
    if folder := chosen or os.environ.get("STRIATE_CACHE"):
        return at_home(folder)
    try:
        return Path.home() / ".cache" / "striate"
    except RuntimeError as error:
        raise StriateError("no home folder to keep fetched files in; name one by STRIATE_CACHE.") from error
