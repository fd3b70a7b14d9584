"""What the folders in a folder are: parts of a data set, or classes; what could be either is asked about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from striate.data.images import printable
from striate.data.listing import SPLITS, class_name
from striate.data.split_names import says_nothing, split_and_rest, split_of
from striate.data.tree import Place, scan
from striate.data.walk import is_image, is_system, subfolders
from striate.errors import StriateError

#: A year, a decade, a month or a day.
_YEAR = re.compile(r"(19|20)\d\d(s|([-_. ]?\d\d){0,2})")
#: Names of folders that only sort the images of a class: `017`, `batch_2`, `patient3`.
_SORTING = re.compile(
    r"((part|batch|fold|session|seq|sequence|series|subject|patient|person|user|cam|camera|video|clip|run|take|day|"
    r"chunk|dir|folder|set|p|s)[-_ ]?)?\d+",
    re.IGNORECASE,
)


def split_folders(root: Place) -> dict[str, Place] | None:
    """The folders of the splits; None where the folders are classes.

    Folders called after two splits (`train` and `test`, `Training` and `Testing`, `pets_train` and `pets_val`), or
    after splits only, are splits. A single `train` among other names is one when it has folders of its own; else it
    is a class (of vehicles).

    Raises StriateError where two folders stand for one split.
    """
    folders = subfolders(root)
    by_rest: dict[str, list[tuple[str, Place]]] = {}
    for folder in folders:
        split, rest = split_and_rest(folder.name)
        if split is not None:
            by_rest.setdefault(rest, []).append((split, folder))
    sets = {rest: named for rest, named in by_rest.items() if len({split for split, _ in named}) > 1}
    if len(sets) > 1:
        listed = " and ".join(f"'{rest}'" if rest else "the whole" for rest in sorted(sets))
        raise StriateError(
            f"{printable(root)} holds parts for {listed} side by side: put them into one folder per part, with the "
            f"classes in it ({printable(root)}/train/{max(sets)})"
        )
    if sets:
        return _one_each(root, *sets.values())
    alone = by_rest.get("", [])  # of one split
    inner = any(subfolders(folder) for _, folder in alone)
    if inner and (len(alone) == len(folders) or alone[0][0] == "train"):
        return _one_each(root, alone)
    return None


def _one_each(root: Place, named: Sequence[tuple[str, Place]]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for split, folder in named:
        if split in found:
            raise StriateError(
                f"{printable(root)} holds both {printable(found[split].name)} and {printable(folder.name)}; "
                "keep one of them"
            )
        found[split] = folder
    return {split: _unwrapped(found[split]) for split in SPLITS if split in found}


def _unwrapped(folder: Place) -> Place:
    """The folder that holds the classes: `seg_train/seg_train` and `train/images` are wrapped once more."""
    inner = subfolders(folder)
    return _unwrapped(inner[0]) if len(inner) == 1 and says_nothing(inner[0].name) else folder


def demand_classes(root: Place, folders: Sequence[Place]) -> None:
    """Raise StriateError where the folders may be years, places or splits rather than classes."""
    _demand_images_in(root, [folder for folder in folders if _YEAR.fullmatch(folder.name)], always=True)
    _demand_images_in(root, folders, always=False)


def _demand_images_in(root: Place, folders: Sequence[Place], always: bool) -> None:
    """Raise StriateError where folders hold no images but in folders of the same names; with `always`, of any names."""
    below = _below_each(folders)
    if len(below) < 2:
        return
    counts = Counter(name for names in below for name in names)
    shared = sorted(name for name, count in counts.items() if count > 1)
    seen = _seen(root, folders, shared or sorted(counts))
    if len({split_of(name) for name in shared} - {None}) > 1:
        raise StriateError(
            f"{seen}: are these the parts of a data set? Put the parts above the classes "
            f"({printable(root)}/train/{printable(folders[0].name)})"
        )
    sorting = all(_SORTING.fullmatch(name) or says_nothing(name) for name in counts)
    if always or (not sorting and len(counts) > 1 and 2 * len(shared) >= len(counts)):
        one, other, inner = printable(folders[0].name), printable(folders[1].name), min(shared or counts)
        raise StriateError(
            f"{seen}: which are the classes? If '{inner}' is one, put {one}/{inner} and {other}/{inner} into one "
            f"folder {inner}, or list the images in a CSV with columns path and label; if '{one}' is one, put its "
            "images directly into it; if they are the parts of a data set, call them train, val and test"
        )


def _below_each(folders: Sequence[Place]) -> list[set[str]]:
    """The names of the folders in each folder; nothing where images lie directly in one of them."""
    below = []
    for folder in folders:
        names = _only_folders(folder)
        if not names:
            return []
        below.append(names)
    return below


def _only_folders(folder: Place) -> set[str]:
    """The names of the folders in a folder; none where images lie directly in it. Most often the first entry tells."""
    names = set()
    try:
        with scan(folder) as entries:
            for entry in entries:
                if is_system(entry.name):
                    continue
                if entry.is_dir():
                    names.add(class_name(entry.name))
                elif is_image(folder / entry.name):
                    return set()
    except OSError:  # the walk through the folder says why
        return set()
    return names


def _seen(root: Place, folders: Sequence[Place], inner: Sequence[str]) -> str:
    def few(names: Sequence[str]) -> str:
        return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")

    tops = few([printable(folder.name) for folder in folders])
    return f"the folders of {printable(root)} ({tops}) hold no images themselves but each the folders {few(inner)}"
