"""Where a folder's Parquet files lie, and to which split each belongs.

Known layouts: `train.parquet`; `data/train-00000-of-00002.parquet`, as Hugging Face's hub keeps them; and
`default/train/0000.parquet`, as its converted branch does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from striate.data.decode import is_read
from striate.data.images import printable
from striate.data.split_names import says_nothing, split_and_rest, split_of
from striate.data.tree import Place, relative
from striate.data.walk import Walk, extension_of, is_system
from striate.errors import StriateError

_EXTENSIONS = (".parquet", ".pq")
_SHARD = re.compile(r"(.*?)[-_](\d+)[-_]of[-_](\d+)$", re.IGNORECASE)


@dataclass(frozen=True)
class ParquetFiles:
    """The files of each split, shards in order; `divided` where their names tell the splits apart."""

    splits: dict[str, list[Place]]
    notes: tuple[str, ...] = ()
    divided: bool = True


def parquet_files(folder: Place) -> ParquetFiles | None:
    """The Parquet files in a folder, in its folder `data`, or below, where no images lie; None where there are none.

    A file's split is said by its name, else by the folder it lies in. A file of no split belongs to train when no file
    has one, and is left out with a note otherwise.

    Raises:
        StriateError: the files belong to several data sets.
    """
    beside = _directly_in(folder)
    files = beside or _directly_in(folder / "data") or _below(folder)
    if not files:
        return None
    notes = _images_note(folder) if beside else ()
    found: dict[str, list[Place]] = {}
    unnamed = []
    for file in files:
        split = _split_of(relative(file, folder))
        if split is None:
            unnamed.append(file)
        else:
            found.setdefault(split, []).append(file)
    _demand_one_set(folder, files)
    if not found:
        return ParquetFiles({"train": files}, notes + _missing_shards(files), divided=False)
    return ParquetFiles(found, notes + _missing_shards(files) + _unnamed_note(unnamed))


def _directly_in(folder: Place) -> list[Place]:
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.suffix.lower() in _EXTENSIONS and not is_system(path.name))
    return sorted(path for path in files if path.is_file())


def _below(folder: Place) -> list[Place]:
    """Parquet files at any depth, unless there are images: a folder of images is left at its first one."""
    found = []
    for path in Walk().files(folder):
        if is_read(extension_of(path)):
            return []
        if path.suffix.lower() in _EXTENSIONS:
            found.append(path)
    return found


def _split_of(file: PurePosixPath) -> str | None:
    """The split that a file's name speaks of, else the innermost folder that is called after one."""
    named = split_and_rest(file.stem)[0]
    return named or next((split for part in reversed(file.parts[:-1]) if (split := split_of(part))), None)


def _demand_one_set(folder: Place, files: list[Place]) -> None:
    """Raise StriateError where folders that are called neither after splits nor `data` part the files."""
    sets = set()
    for file in files:
        parts = relative(file, folder).parts[:-1]
        sets.add("/".join(part for part in parts if not split_and_rest(part)[0] and not says_nothing(part)))
    if len(sets) > 1:
        listed = ", ".join(printable(name) or "." for name in sorted(sets))
        where = printable(folder)
        if all("=" in name for name in sets):  # as pandas and Spark part them by the values of a column
            raise StriateError(f"{where} is parted by the values of a column ({listed}); write it into the files")
        raise StriateError(f"{where} holds the Parquet files of several data sets ({listed}); give one of them")


def _images_note(folder: Place) -> tuple[str, ...]:
    """A line on files of images among the Parquet files."""
    first = next((path for path in Walk().files(folder) if is_read(extension_of(path))), None)
    if first is None:
        return ()
    return (f"images beside the Parquet files (the first: {printable(first)}): only those that rows name are used",)


def _missing_shards(files: list[Place]) -> tuple[str, ...]:
    """A line on each set of shards that is not whole."""
    shards: dict[tuple[Place, int], set[int]] = {}
    for file in files:
        if match := _SHARD.fullmatch(file.stem):
            shards.setdefault((file.with_name(match[1]), int(match[3])), set()).add(int(match[2]))
    return tuple(
        f"{printable(stem)}: only {len(present)} of {total} shards are there; the images of the others are missing"
        for (stem, total), present in shards.items()
        if len(present) < total
    )


def _unnamed_note(files: list[Place]) -> tuple[str, ...]:
    if not files:
        return ()
    names = ", ".join(printable(file.name) for file in files[:3]) + ", …" * (len(files) > 3)
    return (f"left out, since the name is of no split: {names}",)
