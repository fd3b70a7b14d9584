"""ShuffleNet v2: torchvision."""

from __future__ import annotations

from striate.weights.keys import LEAF, KeyTable

#: Their layer by its number in a branch, ours by unit and part.
_PASSING = {0: "depthwise.conv", 1: "depthwise.norm", 2: "pointwise.conv", 3: "pointwise.norm"}
_WORKING = {0: "expand.conv", 1: "expand.norm"} | {number + 3: layer for number, layer in _PASSING.items()}


def _torchvision() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv1\.0" + LEAF, r"stem.conv.\1"),
        (r"conv1\.1" + LEAF, r"stem.norm.\1"),
        (r"conv5\.0" + LEAF, r"stages.stage5.conv.\1"),
        (r"conv5\.1" + LEAF, r"stages.stage5.norm.\1"),
        (r"fc" + LEAF, r"head.classifier.\1"),
    ]
    for theirs, ours, layers in (("branch1", "passing", _PASSING), ("branch2", "working", _WORKING)):
        for number, layer in layers.items():
            renames.append((rf"stage(\d)\.(\d+)\.{theirs}\.{number}{LEAF}", rf"stages.stage\1.\2.{ours}.{layer}.\3"))
    return tuple(renames)


TABLES = {"torchvision": KeyTable(_torchvision(), {"stem": "paper"})}
