"""Xception: timm and Keras Applications."""

from __future__ import annotations

from striate.weights.images import HALVES, TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable

#: Our blocks in order, with how many separable convolutions they have.
_BLOCKS = (
    *((f"entry{i}", 2) for i in range(1, 4)),
    *((f"middle.{i}", 3) for i in range(8)),
    ("exit", 2),
)
_SHORTCUTS = ("entry1", "entry2", "entry3", "exit")


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [(r"fc" + LEAF, r"head.classifier.\1")]
    for i in (1, 2):
        renames += [(rf"conv{i}{LEAF}", rf"stem.conv{i}.conv.\1"), (rf"bn{i}{LEAF}", rf"stem.conv{i}.norm.\1")]
        renames += [
            (rf"conv{i + 2}\.conv1{LEAF}", rf"stages.last.conv{i}.depthwise.\1"),
            (rf"conv{i + 2}\.pointwise{LEAF}", rf"stages.last.conv{i}.pointwise.\1"),
            (rf"bn{i + 2}{LEAF}", rf"stages.last.norm{i}.\1"),
        ]
    for number, (block, convolutions) in enumerate(_BLOCKS, 1):
        theirs, ours = rf"block{number}\.", f"stages.{block}."
        renames += [
            (rf"{theirs}skip{LEAF}", rf"{ours}shortcut.conv.\1"),
            (rf"{theirs}skipbn{LEAF}", rf"{ours}shortcut.norm.\1"),
        ]
        for i in range(convolutions):  # activation, convolution, norm; the first block begins with the convolution
            place = 3 * i + (number > 1)
            renames += [
                (rf"{theirs}rep\.{place}\.conv1{LEAF}", rf"{ours}residual.conv{i + 1}.depthwise.\1"),
                (rf"{theirs}rep\.{place}\.pointwise{LEAF}", rf"{ours}residual.conv{i + 1}.pointwise.\1"),
                (rf"{theirs}rep\.{place + 1}{LEAF}", rf"{ours}residual.norm{i + 1}.\1"),
            ]
    return tuple(renames)


def _keras() -> tuple[tuple[str, str], ...]:
    leaf = r"\.([\w.]+)"  # "depthwise.weight" too
    renames = [
        (r"block1_conv(\d)" + LEAF, r"stem.conv\1.conv.\2"),
        (r"block1_conv(\d)_bn" + LEAF, r"stem.conv\1.norm.\2"),
        (r"block14_sepconv(\d)" + leaf, r"stages.last.conv\1.\2"),
        (r"block14_sepconv(\d)_bn" + LEAF, r"stages.last.norm\1.\2"),
        (r"predictions" + LEAF, r"head.classifier.\1"),
    ]
    for number, (block, _) in enumerate(_BLOCKS, 2):
        theirs, ours = rf"block{number}_sepconv(\d)", f"stages.{block}.residual."
        renames += [(theirs + leaf, rf"{ours}conv\1.\2"), (rf"{theirs}_bn{LEAF}", rf"{ours}norm\1.\2")]
    for number, block in enumerate(_SHORTCUTS, 1):
        renames += [
            (rf"conv2d_{number}{LEAF}", rf"stages.{block}.shortcut.conv.\1"),
            (rf"batch_normalization_{number}{LEAF}", rf"stages.{block}.shortcut.norm.\1"),
        ]
    return tuple(renames)


TABLES = {
    "timm": KeyTable(_timm(), {"padding": "symmetric", "norm_eps": 1e-5, "stem": "paper"}, images=TIMM_HALVES),
    "keras": KeyTable(_keras(), {"padding": "tensorflow", "norm_eps": 1e-3, "stem": "paper"}, images=HALVES),
}
