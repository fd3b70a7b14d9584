"""Where the images of a run lie: where they were, seen from any folder, or where they have been moved to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from striate.caller import either
from striate.data import Dataset, open_dataset
from striate.data.named import NAMES
from striate.data.readers import is_there
from striate.errors import StriateError, UsageError
from striate.files import as_spelt_here, at_home, is_address


class Place(TypedDict):
    """A source as it was given, and a path that holds from any folder; empty where there is none."""

    source: str
    absolute_source: str


def place_of(source: str) -> Place:
    """What config.json says of a source."""
    if is_address(source):
        return {"source": source, "absolute_source": source}
    absolute = "" if source in NAMES or not source else str(at_home(source).absolute())
    return {"source": source, "absolute_source": absolute}


def open_place(source: str | Path, **options: Any) -> Dataset:
    """`open_dataset`, where a `Path` is a path even when it is spelt like the name of a known data set.

    Files that have not changed since they were looked at are not looked at again.
    """
    if isinstance(source, Path) and str(source) in NAMES:
        source = source.absolute()
    return open_dataset(source, remember=True, **options)


def locate(source: str, absolute: str, instead: str) -> str:
    """Where a data set lies: at its absolute path, else as it was called, for it may have moved along.

    Args:
        source: as it was given.
        absolute: its absolute path then; empty where none is known.
        instead: the command that names another place.

    Raises:
        StriateError: at neither.
    """
    if source in NAMES:
        return source
    for place in (absolute, source):
        if place and is_there(place):
            return as_spelt_here(place)
    if not source:
        raise StriateError("the images were handed over in memory: hand them over again (as `data` of striate.resume).")
    where = absolute or at_home(source).absolute()
    raise StriateError(f"{where}: the images are not there any more. If they lie elsewhere now: {instead}")


def refuse_among_images(run: str | Path, source: str | Path | Dataset) -> None:
    """Raise UsageError where a run folder would lie among the images, and be taken for one of their classes."""
    where = source.source if isinstance(source, Dataset) else source
    if not where or where in NAMES or not at_home(where).is_dir():
        return
    if at_home(run).resolve().is_relative_to(at_home(where).resolve()):
        folder = either("--run FOLDER", "run=FOLDER")
        raise UsageError(f"{run} would lie among the images of {where}; give a folder elsewhere: {folder}.")
