"""Inception-ResNet v2 as released: timm and Keras Applications."""

from __future__ import annotations

from striate.weights.images import HALVES, TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable
from striate.weights.tables.googlenet import unit
from striate.weights.tables.inception_v3 import keras
from striate.weights.tables.inception_v4 import branch

_STEM = ("1a", "2a", "2b", "3b", "4a")
_MIXED = {"conv1x1": 1, "conv5x5": 2, "double3x3": 3}
#: Stage: timm's name of it, Keras's of a block, blocks, units in each branch.
_BLOCKS = {
    "inception_a": ("repeat", "block35", 10, (1, 2, 3)),
    "inception_b": ("repeat_1", "block17", 20, (1, 3)),
    "inception_c": ("repeat_2", "block8", 10, (1, 3)),
}
_REDUCTION_A, _REDUCTION_B = {"conv3x3": 1, "double3x3": 3}, {"branch1": 2, "branch2": 2, "branch3": 3}
OPTIONS = {"form": "released", "stem": "paper"}


def _timm() -> tuple[tuple[str, str], ...]:
    renames = [pair for i, key in enumerate(_STEM, 1) for pair in unit(f"conv2d_{key}", f"stem.conv{i}")]
    for module, ours, names in (
        ("mixed_5b", "stem.mixed", (*_MIXED, "pool")),
        ("mixed_6a", "stages.reduction_a", tuple(_REDUCTION_A)),
        ("mixed_7a", "stages.reduction_b", tuple(_REDUCTION_B)),
    ):
        for number, name in enumerate(names):
            one = ".0" if name == "conv1x1" or (module == "mixed_6a" and number == 0) else ""
            renames += branch(rf"{module}\.branch{number}", f"{ours}.{name}{one}")
    for stage, (repeat, _, blocks, branches) in _BLOCKS.items():
        for i in range(blocks):
            ours = f"stages.{stage}.{i}"
            theirs = "block8" if stage == "inception_c" and i == blocks - 1 else rf"{repeat}\.{i}"
            for number, units in enumerate(branches):
                one = ".0" if units == 1 else ""
                renames += branch(rf"{theirs}\.branch{number}", f"{ours}.branches.branch{number + 1}{one}")
            renames.append((rf"{theirs}\.conv2d{LEAF}", rf"{ours}.linear.\1"))
    return (*renames, *unit("conv2d_7b", "stages.conv"), (r"classif" + LEAF, r"head.classifier.\1"))


def _counted() -> tuple[str, ...]:
    """Our units in the order in which Keras makes its layers."""
    units = [f"stem.conv{i}" for i in range(1, 6)]
    units += [f"stem.mixed.{name}.{i}" for name, count in _MIXED.items() for i in range(count)] + ["stem.mixed.pool.1"]
    for stage, (_, _, blocks, branches) in _BLOCKS.items():
        units += [
            f"stages.{stage}.{block}.branches.branch{number}.{i}"
            for block in range(blocks)
            for number, count in enumerate(branches, 1)
            for i in range(count)
        ]
        reduction = {"inception_a": ("reduction_a", _REDUCTION_A), "inception_b": ("reduction_b", _REDUCTION_B)}
        if stage in reduction:
            name, rows = reduction[stage]
            units += [f"stages.{name}.{key}.{i}" for key, count in rows.items() for i in range(count)]
    return tuple(units)


def _keras() -> tuple[tuple[str, str], ...]:
    renames = [(r"conv_7b" + LEAF, r"stages.conv.conv.\1"), (r"conv_7b_bn" + LEAF, r"stages.conv.norm.\1")]
    for stage, (_, block, blocks, _) in _BLOCKS.items():
        renames += [(rf"{block}_{i + 1}_conv{LEAF}", rf"stages.{stage}.{i}.linear.\1") for i in range(blocks)]
    return (*renames, *keras(_counted()))


TABLES = {"timm": KeyTable(_timm(), OPTIONS, images=TIMM_HALVES), "keras": KeyTable(_keras(), OPTIONS, images=HALVES)}
