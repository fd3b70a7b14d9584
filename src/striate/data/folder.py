"""A folder with one folder per class, with or without folders for train, val and test above them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from striate.data.dataset import Skipped
from striate.data.decode import FORMAT_OF
from striate.data.images import printable
from striate.data.listing import SPLIT_WORDS, Listing, Part, index_labels
from striate.errors import StriateError

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"\x93NUMPY")
_NOT_CLASSES = ("__MACOSX",)


@dataclass
class _Walk:
    """What a walk through class folders has met; `visited` are the folders it has been in, links resolved."""

    visited: set[tuple[int, int]] = field(default_factory=set)
    ignored: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)

    def images(self, folder: Path) -> Iterator[Path]:
        """Image files below `folder`, in the order of their names; a folder is entered once."""
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in self.visited:
                return
            self.visited.add((status.st_dev, status.st_ino))
            names = sorted(os.listdir(folder))
        except OSError as error:
            self.skipped.append(Skipped(printable(folder), f"cannot be listed: {error.strerror}".lower()))
            return
        for name in names:
            path = folder / name
            if is_hidden(name):
                continue
            if path.is_dir():
                yield from self.images(path)
            elif _is_candidate(path):
                yield path
            else:
                self.ignored[path.suffix.lower() or "no extension"] += 1

    def note(self) -> tuple[str, ...]:
        """The line about files that are no images, where there are any."""
        if not self.ignored:
            return ()
        total = self.ignored.total()
        kinds = ", ".join(sorted(self.ignored))
        return (f"{total:,} file{'s' * (total > 1)} ignored, not images by their extension ({kinds})",)


def list_folder(root: Path) -> Listing:
    """List the images of a folder.

    Either every folder in `root` is a class, or `root` holds `train` (and `val`, `valid` or `validation`,
    and `test`) with the class folders in them. Images are found at any depth below a class; hidden files
    and what is no image by its extension are passed over; links that lead in circles are followed once.

    Raises:
        StriateError: no class folders, one class only, a class without images, splits whose classes differ.
    """
    splits = _split_folders(root)
    if splits is None:
        walk = _walk_from(root)
        classes, part = _list_classes(root, walk)
        return Listing(classes, {"train": part}, tuple(walk.skipped), walk.note() + _stray_note(root))
    notes: tuple[str, ...] = ()
    parts: dict[str, Part] = {}
    skipped: list[Skipped] = []
    classes = ()
    for name in ("train", "val", "test"):
        if name not in splits:
            continue
        if name != "train" and not subfolders(splits[name]):
            notes += (f"{printable(splits[name])} has no class folders and was left out",)
            continue
        walk = _walk_from(root)
        found, parts[name] = _list_classes(splits[name], walk, allow_empty=name != "train")
        classes = classes or found
        if found != classes:
            raise StriateError(_class_difference(splits["train"], set(classes), splits[name], set(found)))
        notes += walk.note()
        skipped += walk.skipped
    others = [folder.name for folder in subfolders(root) if folder not in splits.values()]
    if others:
        notes += (f"folders beside the splits were ignored: {', '.join(others)}",)
    return Listing(classes, parts, tuple(skipped), notes)


def _walk_from(root: Path) -> _Walk:
    status = os.stat(root)
    return _Walk(visited={(status.st_dev, status.st_ino)})


def is_hidden(name: str) -> bool:
    """Whether a file or folder is the system's, not the user's."""
    return name.startswith(".") or name in _NOT_CLASSES


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in `folder`, in the order of their names. Raises StriateError if unreadable."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise StriateError(f"{printable(folder)} cannot be listed: {error.strerror}") from error
    return [folder / name for name in names if not is_hidden(name) and (folder / name).is_dir()]


def _split_folders(root: Path) -> dict[str, Path] | None:
    """The folders of the splits; None where the folders are classes.

    A folder called `train` is a split when it has folders of its own; else it is a class (of vehicles).
    """
    found: dict[str, Path] = {}
    for folder in subfolders(root):
        split = SPLIT_WORDS.get(folder.name.lower())
        if split is None:
            continue
        if split in found:
            raise StriateError(f"{printable(root)} holds both {found[split].name} and {folder.name}; keep one of them")
        found[split] = folder
    return found if "train" in found and subfolders(found["train"]) else None


def _list_classes(root: Path, walk: _Walk, allow_empty: bool = False) -> tuple[tuple[str, ...], Part]:
    where = printable(root)
    folders = subfolders(root)
    if not folders:
        if any(_is_candidate(path) for path in _files(root)):
            raise StriateError(
                f"the images lie directly in {where}; put them into one folder per class ({where}/cat, {where}/dog)"
            )
        raise StriateError(f"{where} holds no images; it should hold one folder of images per class")
    paths: list[Path] = []
    labels: list[str] = []
    for folder in folders:
        visited = set(walk.visited)  # two classes may link to the same folder, a class not to its parents
        images = list(walk.images(folder))
        walk.visited = visited
        if not images and not allow_empty:
            blocked = next((entry.reason for entry in walk.skipped if entry.path == printable(folder)), "")
            raise StriateError(
                f"class '{printable(folder.name)}' has no images: {printable(folder)} "
                f"{blocked or 'holds no image files'}; add some or remove the folder"
            )
        paths += images
        labels += [printable(folder.name)] * len(images)
    classes = tuple(sorted(printable(folder.name) for folder in folders))
    if len(classes) == 1:
        inner = subfolders(folders[0])
        hint = f" (is it {printable(folders[0])} that you mean?)" if len(inner) > 1 else ""
        raise StriateError(
            f"{where} holds one class only, '{classes[0]}'; a classifier needs two folders at least{hint}"
        )
    return classes, Part(paths, [printable(path) for path in paths], index_labels(labels, classes))


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in sorted(os.listdir(folder)) if not is_hidden(name)]


def _is_candidate(path: Path) -> bool:
    """Whether a file is an image by its extension, or, without one, by its first bytes."""
    extension = path.suffix.lower()
    if extension:
        return extension in FORMAT_OF
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(8).startswith(_MAGIC)
    except OSError:
        return False


def _stray_note(root: Path) -> tuple[str, ...]:
    stray = sum(path.is_file() and path.suffix.lower() in FORMAT_OF for path in _files(root))
    if not stray:
        return ()
    return (f"{stray:,} image{'s' * (stray > 1)} directly in {printable(root)} ignored: in no class folder",)


def _class_difference(first: Path, some: set[str], second: Path, others: set[str]) -> str:
    sides = [
        f"only in {printable(folder)}: {', '.join(map(repr, sorted(names)))}"
        for folder, names in ((first, some - others), (second, others - some))
        if names
    ]
    return f"the classes of {printable(first)} and {printable(second)} differ; {'; '.join(sides)}"
