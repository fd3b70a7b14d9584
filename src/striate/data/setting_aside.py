"""Images are set aside, never deleted, and come back: a folder beside theirs, with a journal of where each one was.

The journal is on the disk before the first file moves, so that whoever is killed in the middle can go on or go back.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.data.dataset import Dataset
from striate.data.finding import (
    CONTRADICTION,
    DUPLICATE,
    KINDS,
    LEAK,
    NEAR_CONTRADICTION,
    NEAR_DUPLICATE,
    NEAR_LEAK,
    UNREADABLE,
    Finding,
)
from striate.data.images import printable
from striate.data.survey import Place
from striate.errors import StriateError, UsageError
from striate.files import at_home, make_folder_of, write_atomically
from striate.files.moving import move, remove_empty

#: What is added to a folder's name for that beside it, and the file in which it is written what was where.
SUFFIX, JOURNAL = ".set-aside", "journal.json"
#: What needs no judgement.
SURE = (UNREADABLE, LEAK, DUPLICATE)
#: Of which all but one picture go.
_COPIES = (LEAK, NEAR_LEAK, DUPLICATE, NEAR_DUPLICATE)


@dataclass(frozen=True)
class Moved:
    """What was moved.

    Attributes:
        folder: where what is set aside lies, or lay.
        files: names of the files where they belong, relative to the data set's folder, with the kind of each finding.
        left: what could not be moved and why, one line each.
    """

    folder: Path
    files: Mapping[str, str]
    left: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many files there are for each kind of finding."""
        return dict(Counter(self.files.values()))


def beside(source: str | Path) -> Path:
    """The folder for what is set aside of a data set's. Raises UsageError where that is no folder."""
    root = at_home(source)
    if not root.is_dir():
        raise UsageError(f"{source} is no folder, and only files in one can be set aside; --json lists the rows")
    root = Path(os.path.abspath(root))
    return root.with_name(root.name + SUFFIX)


def to_set_aside(findings: Iterable[Finding], kinds: Iterable[str] = SURE) -> dict[str, str]:
    """The images of findings of some kinds that are to go, by name as the check gives it, with the kind of finding.

    Of a picture that lies in two splits those in train go, of one that occurs again all but the first by name. Where
    its labels differ none goes: which one is right takes a person to say.

    Raises:
        UsageError: findings of a kind are not of images.
    """
    wanted = tuple(kinds)
    for kind in wanted:
        if not KINDS[kind].per_image:
            raise UsageError(f"{kind} is not about images that could be set aside")
        if kind in (CONTRADICTION, NEAR_CONTRADICTION):
            raise UsageError(f"{kind}: which of the labels is right takes a person to say; move the images by hand")
    found: dict[str, str] = {}
    for entry in findings:
        if entry.kind in wanted:
            for name in _names(entry):
                found.setdefault(name, entry.kind)
    return found


def _names(entry: Finding) -> list[str]:
    if entry.kind == UNREADABLE:
        return [entry.figures["path"]]
    if entry.kind not in _COPIES:
        return [place.name for place in entry.places]
    if len({place.label for place in entry.places}) > 1:
        return []
    kept = _kept(entry.places, by_split=entry.kind in (LEAK, NEAR_LEAK))
    return [place.name for place in entry.places if place.name != kept.name]


def _kept(places: Sequence[Place], by_split: bool) -> Place:
    """The image that stays: the first by name, of several splits that of the one which measures."""
    measuring = [place for split in ("test", "val") for place in places if by_split and place.split == split]
    return measuring[0] if measuring else min(places, key=lambda place: place.name)


def set_aside(
    dataset: Dataset, chosen: Mapping[str, str], shown: Callable[[int, int], None] = lambda done, total: None
) -> Moved:
    """Move images out of a data set's folder, each to the same place in the folder beside it.

    Args:
        dataset: of a folder of files.
        chosen: their names, with the kind of finding of each.
        shown: told how many were moved, and of how many.

    Raises:
        UsageError: the data set is no folder of image files.
        StriateError: the folder beside it holds other things, or files cannot be moved there.
    """
    folder = beside(dataset.source)
    root = folder.with_name(folder.name.removesuffix(SUFFIX))
    files, left = {}, []
    for name, kind in chosen.items():
        path = Path(os.path.abspath(name))
        if not path.is_relative_to(root) or not path.is_file():
            left.append(f"{printable(name)}: is no file in {printable(root)}; left where it is")
        else:
            files[path.relative_to(root).as_posix()] = kind
    if not files:
        return Moved(folder, {}, tuple(left))
    known = _journal(folder) if os.path.lexists(folder) else {}
    _demand_room(root, folder, files)
    _write(folder, {**known, **files})
    for done, name in enumerate(files):
        try:
            move(root / name, folder / name)
        except StriateError as error:
            if not done:
                _write_back(folder, known)
                raise
            told = f"{done:,} of {len(files):,} files are set aside: --undo brings them back"
            raise StriateError(f"{error} {told}") from error
        shown(done + 1, len(files))
    return Moved(folder, files, tuple(left))


def _demand_room(root: Path, folder: Path, files: Iterable[str]) -> None:
    """Raise StriateError where files lie on another drive than they are to be moved to, or others lie there."""
    there = (folder if folder.exists() else folder.parent).stat().st_dev
    for name in files:
        path = root / name
        if path.parent.stat().st_dev != there:
            raise StriateError(
                f"{printable(path)} lies on another drive than {printable(folder.parent)}, where it is to be set "
                "aside; nothing was moved"
            )
        if os.path.lexists(folder / name) and not _same(path, folder / name):
            raise StriateError(
                f"{printable(folder / name)} was set aside before and is in the way; nothing was moved. Put it "
                "elsewhere, or bring it back first with --undo"
            )


def bring_back(source: str | Path, shown: Callable[[int, int], None] = lambda done, total: None) -> Moved:
    """Move everything that was set aside back to where it was; nothing is moved where a file is in the way.

    Args:
        source: the data set's folder.
        shown: told how many were moved, and of how many.

    Raises:
        UsageError: it is no folder.
        StriateError: nothing was set aside, a file is in the way, or files cannot be moved there.
    """
    folder = beside(source)
    root = folder.with_name(folder.name.removesuffix(SUFFIX))
    if not os.path.lexists(folder):
        raise StriateError(f"nothing was set aside of {source}: there is no {printable(folder)}")
    files = _journal(folder)
    away = {name: kind for name, kind in files.items() if os.path.lexists(folder / name)}
    for name in away:
        if os.path.lexists(root / name) and not _same(root / name, folder / name):
            raise StriateError(
                f"{printable(root / name)} is in the way of what was set aside; nothing was moved. Move it elsewhere "
                "and try again"
            )
    gone = tuple(
        f"{printable(root / name)}: is neither there nor in {printable(folder)}"
        for name in files
        if name not in away and not os.path.lexists(root / name)
    )
    for done, name in enumerate(away, 1):
        move(folder / name, root / name)
        shown(done, len(away))
    _write_back(folder, {})
    return Moved(folder, away, gone)


def _same(one: Path, other: Path) -> bool:
    return os.path.samestat(os.lstat(one), os.lstat(other))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    make_folder_of(folder / JOURNAL)
    said = [{"file": name, "kind": kind} for name, kind in files.items()]
    write_atomically(folder / JOURNAL, json.dumps({"set aside": said}, indent=1))


def _write_back(folder: Path, known: Mapping[str, str]) -> None:
    """Write down what is still set aside; where nothing is, nothing remains but what others have put there."""
    if known:
        _write(folder, known)
        return
    (folder / JOURNAL).unlink(missing_ok=True)
    remove_empty(folder)


def _journal(folder: Path) -> dict[str, str]:
    """The files that are written down, with the kinds of their findings.

    Raises:
        StriateError: there is no journal, or it is none.
    """
    path = folder / JOURNAL
    try:
        return dict(_entries(json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        raise StriateError(
            f"{printable(folder)} has no {JOURNAL}, so it is not known what belongs where; give the folder another name"
        ) from None
    except OSError as error:
        raise StriateError(f"{printable(path)} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        raise StriateError(f"{printable(path)} is damaged: it does not say what was where; nothing was moved") from None


def _entries(said: Any) -> Iterator[tuple[str, str]]:
    for entry in said["set aside"]:
        name, kind = entry["file"], entry["kind"]
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or not isinstance(kind, str):
            raise ValueError(name)
        yield name, kind
