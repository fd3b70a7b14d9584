"""VGG: torchvision, timm, which keeps the dense layers as convolutions, and Keras."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from striate.weights.images import CAFFE
from striate.weights.keys import LEAF, KeyTable, Renames


def _group(number: int) -> str:
    return "stem" if number == 1 else f"stages.stage{number}"


def _counted(dense: tuple[str, str, str]) -> Callable[[Collection[str]], Renames]:
    """The renames of a network whose layers, pools and activations included, are numbered through as "features.7".

    The same number is another layer in another column. Where a convolution comes later than its forerunner's batch
    norm and activation explain, a pool was between them and a new group begins.
    """

    def renames(keys: Collection[str]) -> Renames:
        weights = sorted(int(m[1]) for m in (re.fullmatch(r"features\.(\d+)\.weight", key) for key in keys) if m)
        norms = {number for number in weights if f"features.{number}.running_mean" in keys}
        found, group, position, expected = [], 1, 0, 0
        for number in weights:
            if number in norms:
                found.append((rf"features\.{number}{LEAF}", rf"{_group(group)}.norm{position}.\1"))
                continue
            group, position = (group + 1, 1) if number > expected else (group, position + 1)
            found.append((rf"features\.{number}{LEAF}", rf"{_group(group)}.conv{position}.\1"))
            expected = number + (3 if number + 1 in norms else 2)
        for theirs, ours in zip(dense, ("dense1", "dense2", "classifier"), strict=True):
            found.append((theirs + LEAF, rf"head.{ours}.\1"))
        return tuple(found)

    return renames


KERAS = (
    (r"block1_conv(\d)" + LEAF, r"stem.conv\1.\2"),
    (r"block(\d)_conv(\d)" + LEAF, r"stages.stage\1.conv\2.\3"),
    (r"fc([12])" + LEAF, r"head.dense\1.\2"),
    (r"predictions" + LEAF, r"head.classifier.\1"),
)
#: All three were trained at 224 pixels, where averaging to 7x7 changes nothing; with it other sizes go.
ANY_SIZE = {"pool": 7}
TABLES = {
    "torchvision": KeyTable(_counted((r"classifier\.0", r"classifier\.3", r"classifier\.6")), neutral=ANY_SIZE),
    "timm": KeyTable(_counted((r"pre_logits\.fc1", r"pre_logits\.fc2", r"head\.fc")), neutral=ANY_SIZE),
    "keras": KeyTable(KERAS, neutral=ANY_SIZE, images=CAFFE),
}
