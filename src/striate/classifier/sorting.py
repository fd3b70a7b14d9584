"""Pictures sorted into a folder for each class, by what a classifier says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from striate.caller import either
from striate.classifier.prediction import Prediction
from striate.errors import UsageError
from striate.files import at_home, place, portable_name
from striate.units import plural, whole

#: What the folder of pictures is called of which the classifier is not sure.
UNSURE = "unsure"


class Sorting:
    """Puts each picture into `folder`/CLASS, or `folder`/unsure.

    Args:
        folder: where to.
        classes: of the classifier.
        given: the files and folders whose pictures are sorted: none is put back among them.
        link: put links there instead of copies.

    Raises:
        UsageError: pictures would be put among those they come from.
    """

    def __init__(self, folder: str | Path, classes: Sequence[str], given: Iterable[Path], link: bool = False) -> None:
        self.folder, self.link = at_home(folder), link
        names = folder_names([*classes, UNSURE])
        self._unsure = self.folder / names.pop()
        self._folders = {name: self.folder / own for name, own in zip(classes, names, strict=True)}
        self._refuse_among(given)
        self.placed: Counter[Path] = Counter()

    def _refuse_among(self, given: Iterable[Path]) -> None:
        targets = {target.resolve() for target in (self.folder, *self._folders.values(), self._unsure)}
        instead = f"give a folder elsewhere: {either('--sort-into FOLDER', 'another folder')}"
        for source in given:
            if source.is_dir():
                inside = any(target.is_relative_to(source.resolve()) for target in targets)
            else:  # beside a single picture there may be folders of classes, as long as it lies in none of them
                inside = source.parent.resolve() in targets - {self.folder.resolve()}
            if inside:
                raise UsageError(f"{self.folder}: pictures would be put among those of {source}; {instead}.")

    def put(self, prediction: Prediction, is_sure: bool = True) -> Path | None:
        """Put the picture of a prediction where it belongs; return its new place, None for one that has no file.

        Raises:
            StriateError: it cannot be read any more, or the folder cannot be written to.
        """
        if prediction.path is None or prediction.label is None:
            return None
        folder = self._folders[prediction.label] if is_sure else self._unsure
        target = place(prediction.path, folder, link=self.link)
        self.placed[folder] += 1
        return target

    def __str__(self) -> str:
        """What was done."""
        sure = {folder: count for folder, count in self.placed.items() if folder != self._unsure}
        what = "linked" if self.link else "copied"
        line = f"{plural(sum(sure.values()), 'picture')} {what} into {plural(len(sure), 'folder')} of {self.folder}"
        unsure = self.placed[self._unsure]
        return f"{line}, {whole(unsure)} into {self._unsure}" if unsure else line


def folder_names(classes: Sequence[str]) -> list[str]:
    """A name of a folder for each class that every system takes, no two of which any system takes for one."""
    found: list[str] = []
    taken: set[str] = set()
    for name in classes:
        wanted = portable_name(name) or "_"
        own, number = wanted, 1
        while own.casefold() in taken:
            number += 1
            own = f"{wanted}_{number}"
        taken.add(own.casefold())
        found.append(own)
    return found
