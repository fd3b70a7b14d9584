"""ResNets: torchvision, whose names timm shares, and the source of the CIFAR weights."""

from __future__ import annotations

from striate.weights.keys import LEAF, KeyTable


def renames(stem: str = "") -> tuple[tuple[str, str], ...]:
    """The names of a ResNet's tensors in the author's and torchvision's style, all after the expression `stem`."""
    return (
        (stem + r"conv1" + LEAF, r"stem.conv.\1"),
        (stem + r"bn1" + LEAF, r"stem.norm.\1"),
        (stem + r"layer(\d)\.(\d+)\.conv(\d)" + LEAF, r"stages.stage\1.\2.residual.conv\3.\4"),
        (stem + r"layer(\d)\.(\d+)\.bn(\d)" + LEAF, r"stages.stage\1.\2.residual.norm\3.\4"),
        (
            stem + r"layer(\d)\.(\d+)\.(?:downsample|shortcut)\.0" + LEAF,
            r"stages.stage\1.\2.shortcut.conv.\3",
        ),
        (
            stem + r"layer(\d)\.(\d+)\.(?:downsample|shortcut)\.1" + LEAF,
            r"stages.stage\1.\2.shortcut.norm.\3",
        ),
        (stem + r"(?:fc|linear)" + LEAF, r"head.classifier.\1"),
    )


TORCHVISION = KeyTable(renames(), {"stride_in": "3x3", "stem": "paper"})
TABLES = {"torchvision": TORCHVISION, "timm": TORCHVISION}
