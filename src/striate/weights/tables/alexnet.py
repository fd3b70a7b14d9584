"""AlexNet in one column: torchvision."""

from __future__ import annotations

from striate.weights.keys import LEAF, KeyTable

TABLES = {
    "torchvision": KeyTable(
        (
            (r"features\.0" + LEAF, r"stem.conv.\1"),
            (r"features\.3" + LEAF, r"stages.stage2.conv.\1"),
            (r"features\.6" + LEAF, r"stages.stage3.conv.\1"),
            (r"features\.8" + LEAF, r"stages.stage4.conv.\1"),
            (r"features\.10" + LEAF, r"stages.stage5.conv.\1"),
            (r"classifier\.1" + LEAF, r"head.dense1.\1"),
            (r"classifier\.4" + LEAF, r"head.dense2.\1"),
            (r"classifier\.6" + LEAF, r"head.classifier.\1"),
        ),
        {"stem": "paper", "pool": 6, "dropout_on": "inputs"},
    ),
}
