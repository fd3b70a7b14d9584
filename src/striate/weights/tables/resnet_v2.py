"""ResNet v2: timm's and Keras Applications' names, each with the form of the network they belong to."""

from __future__ import annotations

from striate.weights.images import HALVES, TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"stem\.conv" + LEAF, r"stem.conv.\1"),
        (r"norm" + LEAF, r"stages.stage4.norm.\1"),
        (r"head\.fc" + LEAF, r"head.classifier.\1"),
    ]
    for stage in range(1, 5):
        theirs, ours = rf"stages\.{stage - 1}\.blocks\.(\d+)\.", rf"stages.stage{stage}.\1."
        renames.append((theirs + "downsample.conv" + LEAF, ours + r"shortcut.conv.\2"))
        renames.append((theirs + "norm1" + LEAF, ours + r"before.norm.\2"))
        renames += [(f"{theirs}conv{n}{LEAF}", rf"{ours}residual.conv{n}.\2") for n in (1, 2, 3)]
        renames += [(f"{theirs}norm{n + 1}{LEAF}", rf"{ours}residual.norm{n}.\2") for n in (1, 2)]
    return tuple(renames)


def _keras() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv1_conv" + LEAF, r"stem.conv.\1"),
        (r"post_bn" + LEAF, r"stages.stage4.norm.\1"),
        (r"(?:predictions|probs)" + LEAF, r"head.classifier.\1"),
    ]
    for stage in range(1, 5):
        for block in range(36):  # ResNet-152 has the most
            theirs, ours = rf"conv{stage + 1}_block{block + 1}_", f"stages.stage{stage}.{block}."
            renames.append((theirs + "preact_bn" + LEAF, ours + r"before.norm.\1"))
            renames.append((theirs + "0_conv" + LEAF, ours + r"shortcut.conv.\1"))
            renames.append((theirs + r"(\d)_conv" + LEAF, ours + r"residual.conv\1.\2"))
            renames.append((theirs + r"(\d)_bn" + LEAF, ours + r"residual.norm\1.\2"))
    return tuple(renames)


TABLES = {
    "timm": KeyTable(_timm(), {"form": "timm", "stem": "paper"}, images=TIMM_HALVES),
    "keras": KeyTable(_keras(), {"form": "keras", "stem": "paper"}, images=HALVES),
}
