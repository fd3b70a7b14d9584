"""A folder with one folder per class, with or without folders for train, val and test above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from striate.data.images import printable
from striate.data.layout import demand_classes, split_folders
from striate.data.listing import Listing, Part, class_name, index_labels
from striate.data.not_read import advice_for
from striate.data.tree import Place, identity, is_in
from striate.data.walk import Walk, extension_of, files_in, holdings, is_image, subfolders
from striate.errors import StriateError
from striate.units import plural


@dataclass
class _Found:
    """The images of a part with the names of their classes, in the order of the folders."""

    paths: list[Place] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def part(self, classes: Sequence[str]) -> Part:
        return Part(self.paths, [printable(path) for path in self.paths], index_labels(self.labels, classes))


def list_folder(root: Place, empty_classes: bool = False) -> Listing:
    """List the images of a folder.

    Either every folder in `root` is a class, or `root` holds the folders of the splits (`train` and `val`, `Training`
    and `Testing`, `training_set` and `test_set`, …) with the class folders in them. Images are found at any depth below
    a class, as `Walk` finds them. Spellings of a name that differ in Unicode only are one class.

    Args:
        root: the folder.
        empty_classes: list a class without images, too, in place of refusing it.

    Raises:
        StriateError: no class folders, a class without images, folders that may be classes or not.
    """
    walk = _walk_from(root)
    splits = split_folders(root)
    notes: tuple[str, ...] = ()
    if splits is None:
        found = {"train": _list_classes(root, walk, empty_classes)}
    else:
        found, notes = _list_splits(root, splits, walk, empty_classes)
    empty = [name for entries in found.values() for name in entries.empty] if empty_classes else []
    classes = tuple(sorted({*empty, *(label for entries in found.values() for label in entries.labels)}))
    parts = {split: entries.part(classes) for split, entries in found.items()}
    hint = "" if len(classes) > 1 else _hint(root)
    notes = walk.notes() + notes + tuple(note for entries in found.values() for note in entries.notes)
    return Listing(classes, parts, tuple(walk.skipped), notes, divided=splits is not None, hint=hint)


def _list_splits(
    root: Place, splits: Mapping[str, Place], walk: Walk, empty_classes: bool
) -> tuple[dict[str, _Found], tuple[str, ...]]:
    found: dict[str, _Found] = {}
    notes: tuple[str, ...] = ()
    for split, folder in splits.items():
        if split != "train" and not subfolders(folder):
            notes += (f"{printable(folder)} has no class folders and was left out",)
            continue
        found[split] = _list_classes(folder, walk, allow_empty=empty_classes or split != "train")
        if not found[split].paths:
            del found[split]
            notes += (f"{printable(folder)} holds no images and was left out",)
    if not found:
        names = " and ".join(printable(folder.name) for folder in splits.values())
        raise StriateError(
            f"{printable(root)} holds the parts {names} without class folders of images in them; put the images into "
            f"one folder per class ({printable(root)}/train/cat)"
        )
    inside = {path for folder in splits.values() for path in (folder, *folder.parents)}
    around = sorted({path for folder in splits.values() for path in folder.parents if is_in(path, root)})
    notes += tuple(note for folder in around for note in _stray_note(folder, walk))
    others = [printable(folder.name) for folder in subfolders(root) if folder not in inside]
    if others:
        notes += (f"folders beside the splits were ignored: {', '.join(others)}",)
    return found, notes


def _walk_from(root: Place) -> Walk:
    return Walk(visited={identity(root)})


def _list_classes(root: Place, walk: Walk, allow_empty: bool = False) -> _Found:
    where = printable(root)
    folders = subfolders(root)
    if not folders:
        _demand_none_directly_in(root)
        raise StriateError(f"{where} holds no images{_instead(root)}; it should hold one folder of images per class")
    demand_classes(root, folders)
    names = _class_names(root, folders)
    found = _Found(notes=_merged_note(root, names) + _stray_note(root, walk))
    held: dict[Place, Counter[str]] = {}
    for folder, name in zip(folders, names, strict=True):
        visited, before = set(walk.visited), Counter(walk.left_out)
        images = list(walk.images(folder))
        walk.visited = visited  # two classes may link to the same folder, a class not to its parents
        held[folder] = walk.left_out - before
        found.paths += images
        found.labels += [name] * len(images)
    if not found.paths and not allow_empty:
        _demand_none_directly_in(root)
    present = set(found.labels)
    found.empty += [name for name in names if name not in present]
    for folder, name in zip(folders, names, strict=True):
        if name not in present and not allow_empty:
            blocked = next((entry.reason for entry in walk.skipped if entry.path == printable(folder)), "")
            raise StriateError(
                f"class '{name}' has no images: {printable(folder)} "
                f"{blocked or 'holds ' + (holdings(held[folder]) or 'no image files')}; add some or remove the folder"
            )
    return found


def _demand_none_directly_in(root: Place) -> None:
    """Raise StriateError where there are no images in class folders, but some beside them."""
    if any(map(is_image, files_in(root))):
        where = printable(root)
        raise StriateError(
            f"the images lie directly in {where}; put them into one folder per class ({where}/cat, {where}/dog)"
            f"{_table_hint(root)}"
        )


def _class_names(root: Place, folders: Iterable[Place]) -> list[str]:
    """The class of each folder. Raises StriateError where two different names cannot be told apart in print."""
    names = [class_name(folder.name) for folder in folders]
    for name in names:
        if "\ufffd" in name and names.count(name) > 1:
            raise StriateError(f"{printable(root)} holds two folders '{name}' whose names are no UTF-8; rename them")
    return names


def _merged_note(root: Place, names: Sequence[str]) -> tuple[str, ...]:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if not twice:
        return ()
    return (f"{printable(root)} holds two spellings of {', '.join(map(repr, twice))}: each is one class",)


def _hint(root: Place) -> str:
    """What may have been meant by a folder of one class only."""
    folders = subfolders(root)
    inner = subfolders(folders[0]) if len(folders) == 1 else []
    return f" (is it {printable(folders[0])} that you mean?)" if len(inner) > 1 else _table_hint(root)


def _table_hint(root: Place) -> str:
    """A table that lies among the images may say their classes."""
    tables = [path for path in files_in(root) if extension_of(path) in (".csv", ".tsv")]
    return f", or give the table that names their classes ({printable(tables[0])})" if tables else ""


def _instead(root: Place) -> str:
    walk = Walk()
    for path in files_in(root):
        walk.leave_out(path)
    return f", {holdings(walk.left_out)}" if walk.left_out else ""


def _stray_note(root: Place, walk: Walk) -> tuple[str, ...]:
    """A line on images that lie beside the folders; pictures in forms that are not read are left out by the walk."""
    stray = 0
    for path in files_in(root):
        if is_image(path):
            stray += 1
        elif advice_for(extension_of(path)):
            walk.leave_out(path)
    if not stray:
        return ()
    return (f"{plural(stray, 'image')} directly in {printable(root)} ignored: in no class folder",)
