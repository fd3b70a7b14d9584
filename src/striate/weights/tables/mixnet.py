"""MixNet: timm."""

from __future__ import annotations

from striate.weights.images import TIMM
from striate.weights.keys import LEAF, KeyTable


def _timm() -> tuple[tuple[str, str], ...]:
    """A mixed convolution's parts are numbered here and there."""
    renames = [
        (r"conv_stem" + LEAF, r"stem.conv.\1"),
        (r"bn1" + LEAF, r"stem.norm.\1"),
        (r"conv_head" + LEAF, r"stages.stage7.conv.\1"),
        (r"bn2" + LEAF, r"stages.stage7.norm.\1"),
        (r"classifier" + LEAF, r"head.classifier.\1"),
    ]
    for stage in range(6):
        theirs, ours = rf"blocks\.{stage}\.(\d+)\.", rf"stages.stage{stage + 1}.\1."
        parts = [("expand", "conv_pw"), ("depthwise", "conv_dw"), ("project", "conv_pwl")]
        if stage == 0:
            parts = [("depthwise", "conv_dw"), ("project", "conv_pw")]
        for i, (part, conv) in enumerate(parts, 1):
            renames.append((rf"{theirs}{conv}((?:\.\d)?){LEAF}", rf"{ours}{part}.conv\2.\3"))
            renames.append((rf"{theirs}bn{i}{LEAF}", rf"{ours}{part}.norm.\2"))
        renames.append((rf"{theirs}se\.conv_(reduce|expand){LEAF}", rf"{ours}excite.\2.\3"))
    return tuple(renames)


TABLES = {"timm": KeyTable(_timm(), {"stem": "paper"}, images=TIMM)}
