"""Inception v4: timm."""

from __future__ import annotations

from striate.weights.images import TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable
from striate.weights.tables.googlenet import unit

_SPLIT_STEM = {
    r"3\.": ("mixed1", {"conv": "conv3x3.0"}),
    r"4\.": ("mixed2", {"branch0": "conv3x3", "branch1": "conv7x7"}),
    r"5\.": ("mixed3", {"conv": "conv3x3.0"}),
}
_A = {"branch0": "conv1x1.0", "branch1": "conv3x3", "branch2": "double3x3", "branch3": "pool"}
_B = {"branch0": "conv1x1.0", "branch1": "conv7x7", "branch2": "double7x7", "branch3": "pool"}
_C = {
    "branch0": "conv1x1.0",
    "branch1_0": "conv3x3.0",
    "branch1_1a": "conv3x3.1.row.0",
    "branch1_1b": "conv3x3.1.column.0",
    **{f"branch2_{i}": f"double3x3.{i}" for i in range(3)},
    "branch2_3a": "double3x3.3.row.0",
    "branch2_3b": "double3x3.3.column.0",
    "branch3": "pool",
}
_REDUCTION_A = {"branch0": "conv3x3.0", "branch1": "double3x3"}
_REDUCTION_B = {"branch0": "conv3x3", "branch1": "conv7x7"}
#: Stage: the number of timm's first module, how many there are, their branches.
_STAGES = {
    "inception_a": (6, 4, _A),
    "reduction_a": (10, 1, _REDUCTION_A),
    "inception_b": (11, 7, _B),
    "reduction_b": (18, 1, _REDUCTION_B),
    "inception_c": (19, 3, _C),
}


def branch(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    """A branch of one unit or, where `theirs` numbers its units as we do, of several."""
    return (*unit(theirs, ours), *unit(theirs + r"\.(\d)", ours + r".\1"))


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [pair for i in range(3) for pair in unit(rf"features\.{i}", f"stem.conv{i + 1}")]
    for number, (ours, units) in _SPLIT_STEM.items():
        renames += [
            p for name, path in units.items() for p in branch(rf"features\.{number}{name}", f"stem.{ours}.{path}")
        ]
    for stage, (start, count, units) in _STAGES.items():
        for i in range(count):
            theirs, ours = rf"features\.{start + i}\.", f"stages.{stage}.{i}."
            renames += [pair for name, path in units.items() for pair in branch(theirs + name, ours + path)]
    return (*renames, (r"last_linear" + LEAF, r"head.classifier.\1"))


TABLES = {"timm": KeyTable(_timm(), {"stem": "paper"}, images=TIMM_HALVES)}
