"""MobileNet v2: torchvision, timm and Keras Applications."""

from __future__ import annotations

from striate.weights.images import HALVES, TIMM
from striate.weights.keys import LEAF, KeyTable

#: MobileNet v2's blocks in order: (stage, block), from the n column of the paper's table 2.
_INVERTED = [(stage, block) for stage, n in enumerate((1, 2, 3, 4, 3, 3, 1), 1) for block in range(n)]


def _torchvision() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"features\.0\.0" + LEAF, r"stem.conv.\1"),
        (r"features\.0\.1" + LEAF, r"stem.norm.\1"),
        (r"features\.18\.0" + LEAF, r"stages.stage8.conv.\1"),
        (r"features\.18\.1" + LEAF, r"stages.stage8.norm.\1"),
        (r"classifier\.1" + LEAF, r"head.classifier.\1"),
    ]
    for number, (stage, block) in enumerate(_INVERTED, 1):
        units = ["depthwise"] if number == 1 else ["expand", "depthwise"]
        theirs, ours = rf"features\.{number}\.conv\.", f"stages.stage{stage}.{block}."
        for i, unit in enumerate(units):
            renames.append((rf"{theirs}{i}\.0{LEAF}", rf"{ours}{unit}.conv.\1"))
            renames.append((rf"{theirs}{i}\.1{LEAF}", rf"{ours}{unit}.norm.\1"))
        renames.append((rf"{theirs}{len(units)}{LEAF}", rf"{ours}project.conv.\1"))
        renames.append((rf"{theirs}{len(units) + 1}{LEAF}", rf"{ours}project.norm.\1"))
    return tuple(renames)


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv_stem" + LEAF, r"stem.conv.\1"),
        (r"bn1" + LEAF, r"stem.norm.\1"),
        (r"conv_head" + LEAF, r"stages.stage8.conv.\1"),
        (r"bn2" + LEAF, r"stages.stage8.norm.\1"),
        (r"classifier" + LEAF, r"head.classifier.\1"),
    ]
    for number, (stage, block) in enumerate(_INVERTED):
        theirs, ours = rf"blocks\.{stage - 1}\.{block}\.", f"stages.stage{stage}.{block}."
        units = [("expand", "conv_pw"), ("depthwise", "conv_dw"), ("project", "conv_pwl")]
        if number == 0:
            units = [("depthwise", "conv_dw"), ("project", "conv_pw")]
        for i, (unit, conv) in enumerate(units, 1):
            renames.append((rf"{theirs}{conv}{LEAF}", rf"{ours}{unit}.conv.\1"))
            renames.append((rf"{theirs}bn{i}{LEAF}", rf"{ours}{unit}.norm.\1"))
    return tuple(renames)


def _keras() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"Conv1" + LEAF, r"stem.conv.\1"),
        (r"bn_Conv1" + LEAF, r"stem.norm.\1"),
        (r"Conv_1" + LEAF, r"stages.stage8.conv.\1"),
        (r"Conv_1_bn" + LEAF, r"stages.stage8.norm.\1"),
        (r"predictions" + LEAF, r"head.classifier.\1"),
    ]
    for number, (stage, block) in enumerate(_INVERTED):
        theirs = f"block_{number}_" if number else "expanded_conv_"
        ours = rf"stages.stage{stage}.{block}.\1."
        renames.append((rf"{theirs}(expand|depthwise|project){LEAF}", rf"{ours}conv.\2"))
        renames.append((rf"{theirs}(expand|depthwise|project)_BN{LEAF}", rf"{ours}norm.\2"))
    return tuple(renames)


TABLES = {
    "torchvision": KeyTable(_torchvision(), {"stem": "paper"}),
    "timm": KeyTable(_timm(), {"stem": "paper"}, images=TIMM),
    "keras": KeyTable(_keras(), {"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3}, images=HALVES),
}
