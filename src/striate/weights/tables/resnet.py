"""ResNets: torchvision, whose names timm shares, Keras Applications, and the source of the CIFAR weights."""

from __future__ import annotations

from striate.weights.images import CAFFE
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


def _keras() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv1_conv" + LEAF, r"stem.conv.\1"),
        (r"conv1_bn" + LEAF, r"stem.norm.\1"),
        (r"(?:predictions|probs|fc1000)" + LEAF, r"head.classifier.\1"),
    ]
    for stage in range(1, 5):
        for block in range(36):  # ResNet-152 has the most
            theirs, ours = rf"conv{stage + 1}_block{block + 1}_", f"stages.stage{stage}.{block}."
            renames.append((theirs + "0_conv" + LEAF, ours + r"shortcut.conv.\1"))
            renames.append((theirs + "0_bn" + LEAF, ours + r"shortcut.norm.\1"))
            renames.append((theirs + r"(\d)_conv" + LEAF, ours + r"residual.conv\1.\2"))
            renames.append((theirs + r"(\d)_bn" + LEAF, ours + r"residual.norm\1.\2"))
    return tuple(renames)


KERAS = KeyTable(_keras(), {"stride_in": "1x1", "conv_bias": True, "norm_eps": 1.001e-5, "stem": "paper"}, images=CAFFE)
TABLES = {"torchvision": TORCHVISION, "timm": TORCHVISION, "keras": KERAS}
