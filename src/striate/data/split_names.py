"""Which part of a data set a name speaks of: `train`, `Training`, `test_set`, `val2017`, `seg_train`, `trainimages`."""

from __future__ import annotations

import re

#: The words for the parts of a data set, in folder names, file names and CSV cells.
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "trn": "train",
    "val": "val",
    "valid": "val",
    "validate": "val",
    "validation": "val",
    "vld": "val",
    "dev": "val",
    "development": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
    "tests": "test",
    "testing": "test",
    "tst": "test",
    "t10k": "test",
}
#: Words that may stand beside them and say nothing of their own.
_FILLERS = (
    *("set", "sets", "data", "dataset", "split", "folder", "dir", "part", "partial", "seg", "my"),
    *("image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "sample", "samples"),
)
_WORD = re.compile(r"t10k|[^\W\d_]+")


def split_and_rest(name: str) -> tuple[str | None, str]:
    """The split that a name speaks of, and what else it says: ("test", "pets") for `pets-test_set2`.

    None where no split, or more than one, is spoken of.
    """
    words = [_plain(word) for word in _WORD.findall(name.casefold())]
    splits = {SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS}
    rest = " ".join(word for word in words if word not in SPLIT_WORDS and word not in _FILLERS)
    return (splits.pop() if len(splits) == 1 else None), rest


def split_of(name: str) -> str | None:
    """The split that a name speaks of, where it speaks of nothing else: `test_set`, not `test-tubes`."""
    split, rest = split_and_rest(name)
    return None if rest else split


def says_nothing(name: str) -> bool:
    """Whether a folder's name is no class: a split, `images` and kin, or both."""
    words = [_plain(word) for word in _WORD.findall(name.casefold())]
    return bool(words) and all(word in SPLIT_WORDS or word in _FILLERS for word in words)


def _plain(word: str) -> str:
    """The split's word in `trainset`, `testimages` and kin; any other word as it is."""
    for filler in _FILLERS:
        stem = word.removesuffix(filler)
        if stem in SPLIT_WORDS:
            return stem
    return word
