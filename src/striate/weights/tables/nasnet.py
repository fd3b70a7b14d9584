"""NASNet: Keras Applications, and timm's large one, whose names are those of Cadene's earlier port."""

from __future__ import annotations

from striate.weights.images import HALVES, TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable

#: Keras's and timm's words for the separable convolutions of a cell.
_BRANCHES = {
    "left1": ("left1", r"comb_iter_0_left"),
    "right1": ("right1", r"comb_iter_0_right"),
    "left2": ("left2", r"comb_iter_1_left"),
    "right2": ("right2", r"comb_iter_1_right"),
    "right3": ("right3", r"comb_iter_2_right"),
    "left5": ("left5", r"comb_iter_4_left"),
}


def _keras() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"stem_conv1" + LEAF, r"stem.conv.\1"),
        (r"stem_bn1" + LEAF, r"stem.norm.\1"),
        (r"predictions" + LEAF, r"head.classifier.\1"),
    ]
    # the first reduction carries the number of cells before it, the second twice that: 4 and 8, or 6 and 12
    cells = (
        (r"stem_(\d)", "stem"),
        (r"reduce_[46]()", "reduction1"),
        (r"reduce_(?:8|12)()", "reduction2"),
        (r"(\d+)", "cell"),
    )
    for theirs, ours in cells:
        kind = "normal" if ours == "cell" else "reduction"
        into = rf"stages.{ours}\g<1>"
        renames += [
            (rf"{kind}_conv_1_{theirs}{LEAF}", rf"{into}.squeeze.convs.0.\2"),
            (rf"{kind}_bn_1_{theirs}{LEAF}", rf"{into}.squeeze.norm.\2"),
            (rf"adjust_conv_(?:1|projection)_{theirs}{LEAF}", rf"{into}.adjust.convs.0.\2"),
            (rf"adjust_conv_2_{theirs}{LEAF}", rf"{into}.adjust.convs.1.\2"),
            (rf"adjust_bn_{theirs}{LEAF}", rf"{into}.adjust.norm.\2"),
        ]
        for branch, (word, _) in _BRANCHES.items():
            if kind == "reduction" and branch == "left5":
                word = "left4"  # two of Keras's layers have this number
            for i in (1, 2):
                renames += [
                    (
                        rf"separable_conv_{i}_{kind}_{word}_{theirs}\.(depthwise|pointwise)\.weight",
                        rf"{into}.{branch}.conv{i}.\2.weight",
                    ),
                    (rf"separable_conv_{i}_bn_{kind}_{word}_{theirs}{LEAF}", rf"{into}.{branch}.norm{i}.\2"),
                ]
    return tuple(renames)


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv0\.conv" + LEAF, r"stem.conv.\1"),
        (r"conv0\.bn" + LEAF, r"stem.norm.\1"),
        (r"last_linear" + LEAF, r"head.classifier.\1"),
    ]
    cells = {"cell_stem_0": "stem1", "cell_stem_1": "stem2", "reduction_cell_0": "reduction1"}
    cells |= {"reduction_cell_1": "reduction2"}
    cells |= {f"cell_{i}": f"cell{i if i < 6 else i + 1}" for i in range(18)}
    for cell, ours in cells.items():
        theirs, into = cell + r"\.", f"stages.{ours}."
        renames += [
            (rf"{theirs}conv_1x1\.conv{LEAF}", rf"{into}squeeze.convs.0.\1"),
            (rf"{theirs}conv_1x1\.bn{LEAF}", rf"{into}squeeze.norm.\1"),
            (rf"{theirs}(?:conv_prev_1x1|path_1)\.conv{LEAF}", rf"{into}adjust.convs.0.\1"),
            (rf"{theirs}path_2\.conv{LEAF}", rf"{into}adjust.convs.1.\1"),
            (rf"{theirs}(?:conv_prev_1x1\.bn|final_path_bn){LEAF}", rf"{into}adjust.norm.\1"),
        ]
        for branch, (_, word) in _BRANCHES.items():
            renames += [
                (
                    rf"{theirs}{word}\.separable_(\d)\.(depthwise|pointwise)_conv2d{LEAF}",
                    rf"{into}{branch}.conv\1.\2.\3",
                ),
                (rf"{theirs}{word}\.bn_sep_(\d){LEAF}", rf"{into}{branch}.norm\1.\2"),
            ]
    return tuple(renames)


TABLES = {
    "keras": KeyTable(_keras(), {"stem": "paper", "pool_padding": "zeros", "norm_eps": 1e-3}, images=HALVES),
    "timm": KeyTable(_timm(), {"stem": "paper", "pool_padding": "averaged", "norm_eps": 1e-3}, images=TIMM_HALVES),
}
