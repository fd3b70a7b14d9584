"""DenseNet: torchvision, whose names timm shares, and Keras Applications."""

from __future__ import annotations

from striate.weights.keys import LEAF, KeyTable


def _torchvision() -> tuple[tuple[str, str], ...]:
    """With the spelling of the published files, "norm.1" for "norm1"."""
    renames = [
        (r"features\.(conv|norm)0" + LEAF, r"stem.\1.\2"),
        (r"features\.norm5" + LEAF, r"stages.stage4.norm.\1"),
        (r"classifier" + LEAF, r"head.classifier.\1"),
    ]
    renames += [
        (rf"features\.transition{n}\.(conv|norm){LEAF}", rf"stages.stage{n + 1}.transition.\1.\2") for n in (1, 2, 3)
    ]
    renames += [
        (
            rf"features\.denseblock(\d)\.denselayer{number}\.(conv|norm)\.?(\d){LEAF}",
            rf"stages.stage\1.block.{number - 1}.\2\3.\4",
        )
        for number in range(1, 65)  # DenseNet-264 has the most
    ]
    return tuple(renames)


def _keras() -> tuple[tuple[str, str], ...]:
    """Blocks are conv2 to conv5, transitions pool2 to pool4; a layer's norms are counted from 0, its others from 1."""
    renames = [
        (r"conv1_conv" + LEAF, r"stem.conv.\1"),
        (r"conv1_bn" + LEAF, r"stem.norm.\1"),
        (r"bn" + LEAF, r"stages.stage4.norm.\1"),
        (r"(?:predictions|fc1000)" + LEAF, r"head.classifier.\1"),
    ]
    for stage in range(1, 5):
        if stage > 1:
            renames.append((rf"pool{stage}_conv{LEAF}", rf"stages.stage{stage}.transition.conv.\1"))
            renames.append((rf"pool{stage}_bn{LEAF}", rf"stages.stage{stage}.transition.norm.\1"))
        for number in range(48):  # DenseNet-201 has the most
            theirs, ours = f"conv{stage + 1}_block{number + 1}_", f"stages.stage{stage}.block.{number}."
            renames += [(f"{theirs}{n}_bn{LEAF}", rf"{ours}norm{n + 1}.\1") for n in (0, 1)]
            renames.append((theirs + r"(\d)_conv" + LEAF, ours + r"conv\1.\2"))
    return tuple(renames)


TORCHVISION = KeyTable(_torchvision(), {"stem": "paper"})
TABLES = {
    "torchvision": TORCHVISION,
    "timm": TORCHVISION,
    "keras": KeyTable(_keras(), {"stem": "paper", "norm_eps": 1.001e-5}),
}
