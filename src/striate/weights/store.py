"""Finding a published file of weights on this machine, or fetching it, whole and checked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from striate.errors import StriateError
from striate.files import cache_folder
from striate.files.fetching import Shown, fetch
from striate.weights.hub import hub_file
from striate.weights.places import folders
from striate.weights.source import WeightSource


def locate(source: WeightSource, shown: Shown | None = None) -> Path:
    """The path of a source's file, fetched first if it is not here yet; its checksum holds.

    Args:
        source: the record of the file.
        shown: told of every block that is fetched.

    Raises:
        StriateError: it can neither be found nor fetched (the line says where to put it),
            or the checksum differs.
    """
    if source.repository:
        return hub_file(source.repository, source.file)
    found = at_hand(source, folders())
    if found is not None:
        return found
    checksum, folder = source.checksum, cache_folder()
    stated = f" ({checksum})" if checksum.digits else ""
    by_hand = f"put the file {source.file}{stated} into {folder}"
    return fetch(source.url, folder / source.file, checksum, by_hand, shown=shown)


def at_hand(source: WeightSource, places: Iterable[Path]) -> Path | None:
    """The file of a source in the first of these folders that has one of its name, where its checksum holds.

    Raises:
        StriateError: that file has another checksum.
    """
    checksum = source.checksum
    for folder in places:
        path = folder / source.file
        if path.is_file():
            if not checksum.is_of(path):
                raise StriateError(
                    f"{path}: damaged or another file (its {checksum.algorithm} does not begin {checksum.digits[:8]}); "
                    "delete it and try again"
                )
            return path
    return None
