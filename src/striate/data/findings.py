"""From a checked data set to what is amiss with it: all that follows from the files, their names and their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from striate.data import finding as kinds
from striate.data.dataset import Dataset
from striate.data.decode import INKS, REMARKS, ROTATED, WRONG_EXTENSION
from striate.data.facts import Facts
from striate.data.few import few
from striate.data.finding import KINDS, Finding
from striate.data.near_duplicates import NearPair, families, near_duplicates
from striate.data.notes import IMBALANCE, UNBALANCED, absent_notes, class_notes
from striate.data.picture_notes import oddity_notes
from striate.data.survey import SamePicture, size_text
from striate.data.surveying import tiny_rows
from striate.data.targets import SINGLE_LABEL, spelt
from striate.data.whole import Whole

#: A side so many times as long as the other, and so many times as much as in the middle image, is far longer.
THIN, THIN_BESIDE = 6.0, 3.0
#: The share of images that would have to change class for two splits to agree, above which they differ, and the chance
#: below which that is none.
DIFFERING, CHANCE = 0.1, 1e-3
#: Classes that are named in one finding.
_NAMED = 5


def findings(
    dataset: Dataset, near: bool = True, shown: Callable[[int, int], None] = lambda done, total: None
) -> list[Finding]:
    """What is amiss with a data set, what matters most first; see `finding.KINDS`.

    Args:
        dataset: which nobody has changed since it was opened.
        near: whether near duplicates are looked for.
        shown: told how many images have been compared with all others, and of how many.
    """
    pairs = near_duplicates(dataset, shown) if near else ()
    found = [
        *_again(dataset),
        *_nearly_again(dataset, pairs),
        *_unreadable(dataset),
        *_classes(dataset),
        *_of_images(dataset),
    ]
    return in_order(found)


def notes_beside(dataset: Dataset) -> list[str]:
    """The notes of a data set but those which `findings` tells in full."""
    assert dataset.survey is not None
    told = set(oddity_notes(dataset.survey, dataset.classes))
    if dataset.task == SINGLE_LABEL:
        told |= {note for note in class_notes(dataset.train, dataset.classes) if note.startswith(UNBALANCED)}
        told |= set(absent_notes(dataset.splits, dataset.classes)) if dataset.divided else set()
    remarks = [REMARKS[remark] for remark in (WRONG_EXTENSION, ROTATED, INKS)]
    return [note for note in dataset.notes if note not in told and not any(remark in note for remark in remarks)]


def in_order(found: Sequence[Finding]) -> list[Finding]:
    """Findings by kind, what matters most first; those of one kind in the order they are in."""
    ranks = {kind: rank for rank, kind in enumerate(KINDS)}
    return sorted(found, key=lambda entry: ranks[entry.kind])


def _again(dataset: Dataset) -> Iterator[Finding]:
    """Pictures that are the same to the pixel or byte."""
    from striate.data.duplicates import same_pictures

    for places in same_pictures(dataset):
        for kind in _kinds(dataset, places, kinds.LEAK, kinds.CONTRADICTION, kinds.DUPLICATE):
            yield Finding(kind, _places_text(dataset, places), places)


def _nearly_again(dataset: Dataset, pairs: Sequence[NearPair]) -> Iterator[Finding]:
    for places in families(pairs):
        inside = [pair for pair in pairs if pair.first in places]
        likeness, is_mirrored = min(pair.likeness for pair in inside), any(pair.mirrored for pair in inside)
        text = _places_text(dataset, places) + " (mirrored)" * is_mirrored
        figures = {"likeness": round(likeness, 4), "mirrored": is_mirrored}
        of_classes = kinds.NEAR_CONTRADICTION if dataset.task == SINGLE_LABEL else kinds.NEAR_DUPLICATE
        for kind in _kinds(dataset, places, kinds.NEAR_LEAK, of_classes, kinds.NEAR_DUPLICATE):
            yield Finding(kind, text, places, figures)


def _kinds(dataset: Dataset, places: SamePicture, leak: str, contradiction: str, again: str) -> list[str]:
    """In which ways it matters that a picture occurs again; splits that the source does not make can be made anew."""
    found = []
    if dataset.divided and len({place.split for place in places}) > 1:
        found.append(leak)
    if len({place.label for place in places}) > 1:
        found.append(contradiction)
    return found or [again]


def _places_text(dataset: Dataset, places: SamePicture) -> str:
    """The places of a picture, with split and class where they differ."""
    splits = dataset.divided and len({place.split for place in places}) > 1
    labels = len({place.label for place in places}) > 1
    words = []
    for place in places:
        details = [place.split] * splits + [spelt(place.label, dataset.classes)] * labels
        words.append(f"{place.name} ({', '.join(details)})" if details else place.name)
    return few(words, separator=" = ")


def _unreadable(dataset: Dataset) -> Iterator[Finding]:
    for entry in dataset.skipped:
        figures = {"path": entry.path, "reason": entry.reason}
        yield Finding(kinds.UNREADABLE, f"{entry.path} ({entry.reason})", figures=figures)


def _classes(dataset: Dataset) -> Iterator[Finding]:
    """Classes that are empty, differ between splits or are far from equally large."""
    if dataset.task != SINGLE_LABEL:
        return
    counts = {split.name: split.counts(len(dataset.classes)) for split in dataset.splits if len(split)}
    train = dataset.train.counts(len(dataset.classes))
    total = np.sum(list(counts.values()), axis=0)
    for label in np.flatnonzero(train == 0).tolist():
        name = dataset.classes[label]
        if not total[label]:
            yield Finding(kinds.EMPTY_CLASS, f"'{name}' has no image that can be read", figures={"class": name})
        else:
            where = " and ".join(f"{split} ({count[label]:,})" for split, count in counts.items() if count[label])
            text = f"'{name}' has no training images, only images in {where}"
            yield Finding(kinds.EMPTY_CLASS, text, figures={"class": name})
    if dataset.divided:
        for split, count in counts.items():
            if split != "train":
                yield from _against_train(split, count, train, dataset.classes)
    present = np.flatnonzero(train)
    if len(present):
        large, small = int(present[train[present].argmax()]), int(present[train[present].argmin()])
        if train[large] > IMBALANCE * train[small]:
            text = (
                f"'{dataset.classes[large]}' has {train[large]:,} training images, '{dataset.classes[small]}' "
                f"{train[small]:,} ({train[large] / train[small]:.1f} times fewer)"
            )
            yield Finding(kinds.IMBALANCE, text, figures={"ratio": float(train[large] / train[small])})


def _against_train(split: str, count: np.ndarray, train: np.ndarray, classes: Sequence[str]) -> Iterator[Finding]:
    """Classes that a split lacks, and a mixture that chance would hardly make of that of the training images."""
    lacking = np.flatnonzero((count == 0) & (train > 0))
    if len(lacking):
        names = few([f"'{classes[label]}'" for label in lacking.tolist()], total=len(lacking))
        yield Finding(kinds.SPLITS_DIFFER, f"{split} has no images of {names}", figures={"split": split})
    known = (count + train) > 0
    shares, of_train = count / count.sum(), train / max(1, train.sum())
    differing = float(np.abs(shares - of_train).sum() / 2)
    if differing > DIFFERING and known.sum() > 1 and train.sum():
        from scipy.stats import chi2_contingency

        chance = float(chi2_contingency(np.stack([count, train])[:, known]).pvalue)
        if chance < CHANCE:
            order = np.argsort(-np.abs(shares - of_train), kind="stable")[:_NAMED].tolist()
            said = ", ".join(f"'{classes[c]}' {100 * of_train[c]:.1f} % and {100 * shares[c]:.1f} %" for c in order)
            text = f"the classes' shares of train and {split} are not those of one mixture: {said}"
            yield Finding(kinds.SPLITS_DIFFER, text, figures={"split": split, "differing": round(differing, 4)})


def _of_images(dataset: Dataset) -> Iterator[Finding]:
    """What the facts of single images tell."""
    whole = Whole(dataset.splits)
    parts = [split.facts for split in dataset.splits if split.facts is not None]
    if len(parts) < len(dataset.splits) or not len(whole) or dataset.survey is None:
        return
    facts, usual = Facts.joined(parts), next(iter(dataset.survey.bit_depths))
    sides = facts.sizes.max(1) / facts.sizes.min(1)
    flags = {
        kinds.BLANK: facts.blank,
        kinds.TINY: tiny_rows(facts.sizes),
        kinds.THIN: sides > max(THIN, THIN_BESIDE * float(np.median(sides))),
        kinds.MISNAMED: _remarked(facts, WRONG_EXTENSION),
        kinds.TURNED: _remarked(facts, ROTATED),
        kinds.INKS: _remarked(facts, INKS),
        kinds.DEEP: np.array([depth != usual for depth in facts.bit_depths], bool),
    }
    for kind, holds in flags.items():
        for number in np.flatnonzero(holds).tolist():
            size = size_text(tuple(facts.sizes[number].tolist()))
            said = {
                kinds.TINY: f" ({size})",
                kinds.THIN: f" ({size})",
                kinds.MISNAMED: f" ({facts.formats[number]})",
                kinds.DEEP: f" ({facts.bit_depths[number]} bits)",
            }
            place = whole.place(number)
            yield Finding(kind, place.name + said.get(kind, ""), (place,))


def _remarked(facts: Facts, remark: str) -> np.ndarray:
    return np.fromiter((remark in remarks for remarks in facts.remarks), bool, len(facts))
