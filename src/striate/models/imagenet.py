"""ImageNet's 1000 classes in the order in which networks number them (Russakovsky et al., 2015, arXiv:1409.0575).

A class is a set of synonyms of WordNet 3.0 (Miller, 1995). Its short name, by which people call it, is torchvision's:
mostly the first of the words. Words alone do not tell classes apart: "crane" is all that WordNet calls the bird and the
machine, "maillot" begins both kinds. The short names do ("crane bird", "maillot tank suit"), and so do the ids.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from striate.errors import UsageError, unknown

#: A line for each class: id, short name and words, tabulators between them.
CLASSES = Path(__file__).with_name("imagenet_classes.tsv")


@dataclass(frozen=True)
class ImageNetClass:
    """A class of ImageNet.

    Attributes:
        number: 0 to 999: its place among the outputs of a network.
        wordnet_id: "n" for noun and the synset's place in WordNet 3.0, eight digits: the name of its folder of images.
        name: the short name; no two classes share it, but "cardigan" and "Cardigan" differ by a capital.
        words: all that WordNet calls it, the most common first; some call other classes too.
    """

    number: int
    wordnet_id: str
    name: str
    words: tuple[str, ...]


@functools.cache
def imagenet_classes() -> tuple[ImageNetClass, ...]:
    """All classes by their number; read from the package when first asked for."""
    lines = CLASSES.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return tuple(
        ImageNetClass(number, wordnet_id, name, tuple(words.split(", ")))
        for number, (wordnet_id, name, words) in enumerate(rows)
    )


def imagenet_names() -> tuple[str, ...]:
    """The short names by number: what a network's outputs are called."""
    return tuple(each.name for each in imagenet_classes())


def imagenet_ids() -> tuple[str, ...]:
    """The WordNet ids by number, in ascending order."""
    return tuple(each.wordnet_id for each in imagenet_classes())


def find_imagenet_class(text: str) -> ImageNetClass:
    """The class of a WordNet id, a short name, or a word that calls no other class.

    An underscore is a space, as Keras writes names. Capitals matter only where nothing else tells two classes apart:
    "Cardigan" is a dog, "cardigan" a garment. A short name goes before a word: "crane" is the machine.

    Raises:
        UsageError: no class is called so (the nearest are offered), or several are (all are named).
    """
    wanted = _spaced(text)
    for table, key in (
        (_table(_ids), wanted.casefold()),
        (_table(_names), wanted),
        (_table(_names, True), wanted.casefold()),
        (_table(_words, True), wanted.casefold()),
    ):
        found = table.get(key, ())
        if len(found) == 1:
            return found[0]
        if found:
            choices = " or ".join(f"{each.name!r} ({each.wordnet_id})" for each in found)
            raise UsageError(f"{text!r} calls {len(found)} classes of ImageNet; give {choices}")
    known = {word for each in imagenet_classes() for word in (each.name, *each.words)}
    raise unknown("class of ImageNet", text, known, "imagenet_names() has all, imagenet_ids() their WordNet ids.")


def _spaced(text: str) -> str:
    return " ".join(text.replace("_", " ").split())


def _ids(each: ImageNetClass) -> tuple[str, ...]:
    return (each.wordnet_id,)


def _names(each: ImageNetClass) -> tuple[str, ...]:
    return (each.name,)


def _words(each: ImageNetClass) -> tuple[str, ...]:
    return each.words


@functools.cache
def _table(
    called: Callable[[ImageNetClass], tuple[str, ...]], folded: bool = False
) -> dict[str, tuple[ImageNetClass, ...]]:
    """The classes by what they are called, capitals folded or not."""
    table: dict[str, tuple[ImageNetClass, ...]] = {}
    for each in imagenet_classes():
        for text in called(each):
            key = text.casefold() if folded else text
            table[key] = (*table.get(key, ()), each)
    return table
