"""Lists of images as Caffe, Keras and ImageNet's kits write them: a line `path label` for each.

A path may hold spaces; the label is what stands behind the last tab, or else the last white space: a number, a name, or
several of them with commas between. Empty lines, and lines that begin with #, say nothing. Paths are taken from the
list's own folder, or, where none is there, from the folders that such lists usually mean (`bases`); Caffe's tools are
told it (`root_folder` of its ImageData layer), here it is found and said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from striate.data.asked import NOTHING, Asked
from striate.data.class_names import FILES, with_names
from striate.data.csv_file import text_of
from striate.data.dataset import Skipped
from striate.data.few import few
from striate.data.images import printable
from striate.data.listing import Listing, Part, class_name, index_labels, sorted_classes
from striate.data.split_names import split_and_rest
from striate.data.table import is_there
from striate.data.table_columns import Said, Targets, number_in, values_in, words_in
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from striate.data.tree import P, Place, child
from striate.data.walk import files_in
from striate.errors import StriateError
from striate.units import plural

#: So many lines are tried to find the folder that the paths are taken from, or whether a text is a list at all.
TRIED = 50
#: Of a file name that says the split, what else it may say.
_SAYS_NOTHING = ("", "list", "lists", "files", "labels", "label", "annotations", "map")

#: A line's number, the path and the label, which is empty where there is none.
Line = tuple[int, str, str]


def lines_of(text: str) -> list[Line]:
    """The lines of a list that say something."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            path, _, label = line.rpartition("\t") if "\t" in line else _parted(line)
            found.append((number, path.strip() or label.strip(), label.strip() if path else ""))
    return found


def _parted(line: str) -> tuple[str, str, str]:
    words = line.rsplit(None, 1)
    return (words[0], " ", words[1]) if len(words) == 2 else ("", "", line)


def bases(file: Place) -> list[Place]:
    """The folders that a list's paths may be taken from, the likeliest first."""
    folder, split = file.parent, split_and_rest(file.stem)[0]
    inner = [name for name in (file.stem, split, "images", "data") if name]
    return [folder, *(child(folder, name) for name in inner), folder.parent, child(folder.parent, "images")]


def base_of(file: Place, lines: Sequence[Line]) -> Place | None:
    """The first of the `bases` in which one of the first images is there."""
    names = [name.replace("\\", "/") for _, path, label in lines[:TRIED] for name in (path, f"{path} {label}")]
    return next((base for base in bases(file) if any(is_there(child(base, name)) for name in names)), None)


def split_lists(folder: P) -> dict[str, P]:
    """The lists in a folder that are called after splits (`train.txt`), where they name images that are there."""
    found: dict[str, P] = {}
    for file in files_in(folder):
        split, rest = split_and_rest(file.stem)
        if file.suffix.lower() != ".txt" or split is None or rest not in _SAYS_NOTHING or file.name in FILES:
            continue
        if base_of(file, lines_of(text_of(file))) is None:
            continue
        if split in found:
            names = f"{printable(found[split].name)} and {printable(file.name)}"
            raise StriateError(f"{printable(folder)} holds two lists of {split} images, {names}; keep one of them")
        found[split] = file
    return found


def list_text(lists: Mapping[str, Place], asked: Asked = NOTHING, divided: bool = False) -> Listing:
    """List the images of text lists, by split.

    Args:
        lists: the list of each split.
        asked: the task, where the caller says it: labels with commas are several, unless it is single-label.
        divided: whether the lists tell the splits apart.

    Raises:
        StriateError: no text, no lines, none of the images is there, a number without a name.
    """
    read = {split: _List(file) for split, file in lists.items()}
    cells = [label for part in read.values() for _, _, label in part.lines if label]
    kind = asked.task or (MULTI_LABEL if any("," in label for label in cells) else SINGLE_LABEL)
    first = next(iter(lists.values()))
    targets = _targets(kind, cells, printable(first))
    notes, skipped = [*(targets.notes if targets else ())], []
    found = {}
    for split, part in read.items():
        entries = part.entries(targets)
        notes += part.notes()
        skipped += part.skipped
        if entries:
            found[split] = entries
        elif len(read) > 1:
            notes.append(f"{printable(part.file)} names no labels and was left out")
    if not found:
        why = f" (the first: {skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise StriateError(f"{printable(first)} has no lines of a path and a label{why}")
    said = [label for entries in found.values() for _, label in entries]
    classes = targets.named(said) if targets else sorted_classes(map(str, said))
    parts = {}
    for split, entries in found.items():
        values = [label for _, label in entries]
        labels = targets.labels(values, classes) if targets else index_labels([*map(str, values)], classes)
        parts[split] = Part([file for file, _ in entries], [printable(file) for file, _ in entries], labels)
    listing = Listing(classes, parts, tuple(skipped), tuple(notes), divided=divided, task=kind)
    listing = replace(listing, notes=listing.notes + (() if asked.task else _fractions_note(listing)))
    return with_names(listing, first.parent)


def _targets(kind: str, cells: Sequence[str], where: str) -> Targets | None:
    if kind == SINGLE_LABEL:
        return None
    if kind == REGRESSION:
        return values_in(["label"], {"label": list(cells)}, where)
    targets = words_in("label", [","])
    return Targets(kind, (), ("label",), targets.read, ("several labels for each image, ',' between",))


class _List:
    """The lines of one list, and the folder that its paths are taken from."""

    def __init__(self, file: Place) -> None:
        self.file, self.where = file, printable(file)
        self.lines = lines_of(text_of(file))
        if not self.lines:
            raise StriateError(f"{self.where} holds no lines of a path and a label")
        self.base = base_of(file, self.lines) or file.parent
        self.skipped: list[Skipped] = []
        self.gone: list[str] = []
        self.repeated = 0

    def entries(self, targets: Targets | None) -> list[tuple[Place, Said | str]]:
        """The images with what is said of them. Raises StriateError where none of the images is there."""
        found: dict[tuple[Place, Said | str], None] = {}
        for number, path, label in self.lines:
            file = child(self.base, path.replace("\\", "/"))
            if label and not is_there(file) and is_there(whole := child(self.base, f"{path} {label}")):
                file, label = whole, ""  # a name with spaces, and no label
            try:
                said = _said(label, targets)
            except ValueError as error:
                self.skipped.append(Skipped(f"{self.where}:{number}", str(error)))
                continue
            if not is_there(file):
                self.gone.append(f"{self.where}:{number}: {printable(file)}")
            self.repeated += (file, said) in found
            found[file, said] = None
        if found and len(self.gone) >= len(found):
            raise StriateError(
                f"{self.where}: no such file as {printable(next(iter(found))[0])}, nor any other of the "
                f"{len(found):,} lines; paths are taken from {printable(self.base)}"
            )
        return list(found)

    def notes(self) -> list[str]:
        """What is to be said of the lines."""
        notes = []
        if self.base != self.file.parent:
            notes.append(f"{self.where}: paths are taken from {printable(self.base)}")
        if self.gone:
            notes.append(f"{plural(len(self.gone), 'file')} of the list not there (first: {self.gone[0]})")
        if self.repeated:
            notes.append(f"{plural(self.repeated, 'line')} left out: the same path and label as a line before")
        return notes


def _said(label: str, targets: Targets | None) -> Said | str:
    """What a line says. Raises ValueError with the reason where it says nothing that can be used."""
    if not label:
        raise ValueError("the line has no label")
    return targets.read({"label": label}) if targets else class_name(label)


def _fractions_note(listing: Listing) -> tuple[str, ...]:
    """A line where classes are fractions, which may be values."""
    values = [number_in(name) for name in listing.classes]
    known = [value for value in values if value is not None]
    if listing.task != SINGLE_LABEL or len(known) < len(values) or all(value == int(value) for value in known):
        return ()
    return (f"labels are fractions ({few(list(listing.classes), 3)}) and read as classes; as values: task regression",)
