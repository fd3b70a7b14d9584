"""GoogLeNet: torchvision, auxiliary heads included."""

from __future__ import annotations

from striate.weights.images import HALVES
from striate.weights.keys import LEAF, KeyTable


def unit(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    """The two layers of a convolution with batch norm, torchvision's conv and bn."""
    groups = theirs.count("(") - theirs.count(r"\(") + 1
    return (
        (rf"{theirs}\.conv{LEAF}", rf"{ours}.conv.\{groups}"),
        (rf"{theirs}\.bn{LEAF}", rf"{ours}.norm.\{groups}"),
    )


def _torchvision() -> tuple[tuple[str, str], ...]:
    module, ours = r"(inception\d\w)\.", r"stages.\1.branches."
    renames = [*unit(r"(conv\d)", r"stem.\1"), *unit(module + "branch1", ours + "conv1x1.0")]
    for number, branch in ((2, "conv3x3"), (3, "conv5x5"), (4, "pool")):
        renames += unit(rf"{module}branch{number}\.(\d)", rf"{ours}{branch}.\2")
    for number, stage in ((1, "inception4a"), (2, "inception4d")):
        head = rf"auxiliary.{stage}."
        renames += unit(rf"aux{number}\.conv", head + "conv")
        renames += [(rf"aux{number}\.fc1{LEAF}", rf"{head}dense.\1")]
        renames += [(rf"aux{number}\.fc2{LEAF}", rf"{head}classifier.\1")]
    return (*renames, (r"fc" + LEAF, r"head.classifier.\1"))


TABLES = {"torchvision": KeyTable(_torchvision(), {"form": "torchvision", "stem": "paper"}, images=HALVES)}
