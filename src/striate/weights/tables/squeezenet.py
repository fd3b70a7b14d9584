"""SqueezeNet: torchvision."""

from __future__ import annotations

from collections.abc import Collection

from striate.weights.keys import LEAF, KeyTable, Renames

#: Where torchvision's sequence has the fire modules, by their number, and the stage we have each of them in.
FIRES_1_0 = {3: (1, 2), 4: (1, 3), 5: (1, 4), 7: (2, 5), 8: (2, 6), 9: (2, 7), 10: (2, 8), 12: (3, 9)}
FIRES_1_1 = {3: (1, 2), 4: (1, 3), 6: (2, 4), 7: (2, 5), 9: (3, 6), 10: (3, 7), 11: (3, 8), 12: (3, 9)}


def _torchvision(keys: Collection[str]) -> Renames:
    fires = FIRES_1_0 if "features.5.squeeze.weight" in keys else FIRES_1_1
    return (
        (r"features\.0" + LEAF, r"stem.conv.\1"),
        *((rf"features\.{at}\.(.+)", rf"stages.stage{stage}.fire{fire}.\1") for at, (stage, fire) in fires.items()),
        (r"classifier\.1" + LEAF, r"head.classifier.\1"),
    )


TABLES = {"torchvision": KeyTable(_torchvision, {"stem": "paper"})}
