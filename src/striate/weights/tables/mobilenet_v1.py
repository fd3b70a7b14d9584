"""MobileNet v1: the converted weights of the authors, timm, Keras Applications."""

from __future__ import annotations

from striate.weights.images import HALVES, TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable

#: The thirteen separable blocks in order: (stage, block), as the paper's table 1 groups them by map size.
_BLOCKS = [(stage, block) for stage, depth in enumerate((1, 2, 2, 6, 2), 1) for block in range(depth)]
_AUTHORS = {"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3, "activation": "relu6", "full": False}


def _v1() -> tuple[tuple[str, str], ...]:
    renames = [(r"stem\.bn" + LEAF, r"stem.norm.\1"), (r"classifier" + LEAF, r"head.classifier.\1")]
    for number, (stage, block) in enumerate(_BLOCKS):
        theirs, ours = rf"blocks\.{number}\.(\w+)\.", rf"stages.stage{stage}.{block}.\1."
        renames += [(rf"{theirs}conv{LEAF}", rf"{ours}conv.\2"), (rf"{theirs}bn{LEAF}", rf"{ours}norm.\2")]
    return tuple(renames)


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv_stem" + LEAF, r"stem.conv.\1"),
        (r"bn1" + LEAF, r"stem.norm.\1"),
        (r"classifier" + LEAF, r"head.classifier.\1"),
    ]
    for stage, block in _BLOCKS:
        theirs, ours = rf"blocks\.{stage - 1}\.{block}\.", f"stages.stage{stage}.{block}."
        for i, (unit, conv) in enumerate((("depthwise", "conv_dw"), ("pointwise", "conv_pw")), 1):
            renames.append((rf"{theirs}{conv}{LEAF}", rf"{ours}{unit}.conv.\1"))
            renames.append((rf"{theirs}bn{i}{LEAF}", rf"{ours}{unit}.norm.\1"))
    return tuple(renames)


def _keras() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv1" + LEAF, r"stem.conv.\1"),
        (r"conv1_bn" + LEAF, r"stem.norm.\1"),
        (r"conv_preds" + LEAF, r"head.classifier.\1"),
    ]
    for number, (stage, block) in enumerate(_BLOCKS, 1):
        for unit, word in (("depthwise", "dw"), ("pointwise", "pw")):
            ours = rf"stages.stage{stage}.{block}.{unit}."
            renames.append((rf"conv_{word}_{number}{LEAF}", rf"{ours}conv.\1"))
            renames.append((rf"conv_{word}_{number}_bn{LEAF}", rf"{ours}norm.\1"))
    return tuple(renames)


TABLES = {
    "v1": KeyTable(_v1(), _AUTHORS, images=HALVES),
    "timm": KeyTable(_timm(), {"stem": "paper", "activation": "relu6", "full": False}, images=TIMM_HALVES),
    "keras": KeyTable(_keras(), _AUTHORS, images=HALVES),
}
