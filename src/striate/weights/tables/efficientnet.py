"""EfficientNet: torchvision, timm and Keras Applications."""

from __future__ import annotations

from striate.weights.images import TIMM
from striate.weights.keys import LEAF, KeyTable


def _ends(stem: tuple[str, str], last: tuple[str, str], classifier: str) -> tuple[tuple[str, str], ...]:
    """The layers around the blocks: convolution and norm of the stem and of the last stage, the classifier."""
    return (
        (stem[0] + LEAF, r"stem.conv.\1"),
        (stem[1] + LEAF, r"stem.norm.\1"),
        (last[0] + LEAF, r"stages.stage8.conv.\1"),
        (last[1] + LEAF, r"stages.stage8.norm.\1"),
        (classifier + LEAF, r"head.classifier.\1"),
    )


def _torchvision() -> tuple[tuple[str, str], ...]:
    """Its stage 1 has no expansion, so its parts are counted from the depthwise convolution."""
    renames = [*_ends((r"features\.0\.0", r"features\.0\.1"), (r"features\.8\.0", r"features\.8\.1"), r"classifier\.1")]
    for stage, parts in (("(1)", "depthwise excite project"), (r"(\d)", "expand depthwise excite project")):
        for number, part in enumerate(parts.split()):
            theirs, ours = rf"features\.{stage}\.(\d+)\.block\.{number}\.", rf"stages.stage\1.\2.{part}."
            if part == "excite":
                renames += [(rf"{theirs}fc1{LEAF}", rf"{ours}reduce.\3"), (rf"{theirs}fc2{LEAF}", rf"{ours}expand.\3")]
            else:
                renames += [(rf"{theirs}0{LEAF}", rf"{ours}conv.\3"), (rf"{theirs}1{LEAF}", rf"{ours}norm.\3")]
    return tuple(renames)


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [*_ends(("conv_stem", "bn1"), ("conv_head", "bn2"), "classifier")]
    for stage in range(7):
        theirs, ours = rf"blocks\.{stage}\.(\d+)\.", rf"stages.stage{stage + 1}.\1."
        parts = [("expand", "conv_pw"), ("depthwise", "conv_dw"), ("project", "conv_pwl")]
        if stage == 0:
            parts = [("depthwise", "conv_dw"), ("project", "conv_pw")]
        for i, (part, conv) in enumerate(parts, 1):
            renames.append((rf"{theirs}{conv}{LEAF}", rf"{ours}{part}.conv.\2"))
            renames.append((rf"{theirs}bn{i}{LEAF}", rf"{ours}{part}.norm.\2"))
        renames.append((rf"{theirs}se\.conv_(reduce|expand){LEAF}", rf"{ours}excite.\2.\3"))
    return tuple(renames)


def _keras() -> tuple[tuple[str, str], ...]:
    """Its blocks are lettered; the deepest stage of B7 has thirteen."""
    renames = [*_ends(("stem_conv", "stem_bn"), ("top_conv", "top_bn"), "predictions")]
    for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz"):
        theirs, ours = rf"block(\d){letter}_", rf"stages.stage\1.{number}."
        renames += [
            (rf"{theirs}(expand|project)_conv{LEAF}", rf"{ours}\2.conv.\3"),
            (rf"{theirs}(expand|project)_bn{LEAF}", rf"{ours}\2.norm.\3"),
            (rf"{theirs}dwconv{LEAF}", rf"{ours}depthwise.conv.\2"),
            (rf"{theirs}bn{LEAF}", rf"{ours}depthwise.norm.\2"),
            (rf"{theirs}se_(reduce|expand){LEAF}", rf"{ours}excite.\2.\3"),
        ]
    return tuple(renames)


TABLES = {
    "torchvision": KeyTable(_torchvision(), {"stem": "paper"}),
    "timm": KeyTable(_timm(), {"stem": "paper"}, images=TIMM),
    "keras": KeyTable(_keras(), {"stem": "paper", "padding": "tensorflow", "norm_eps": 1e-3}),
}
