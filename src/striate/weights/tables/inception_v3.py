"""Inception v3: torchvision, whose names timm shares, and Keras Applications."""

from __future__ import annotations

from striate.weights.images import HALVES
from striate.weights.keys import LEAF, KeyTable
from striate.weights.tables.googlenet import unit

#: The units of each kind of module in order: torchvision's name, ours.
_A = (
    ("branch1x1", "conv1x1.0"),
    *((f"branch5x5_{i + 1}", f"conv5x5.{i}") for i in range(2)),
    *((f"branch3x3dbl_{i + 1}", f"double3x3.{i}") for i in range(3)),
    ("branch_pool", "pool.1"),
)
_B = (
    ("branch1x1", "conv1x1.0"),
    *((f"branch7x7_{i + 1}", f"conv7x7.{i}") for i in range(3)),
    *((f"branch7x7dbl_{i + 1}", f"double7x7.{i}") for i in range(5)),
    ("branch_pool", "pool.1"),
)
_C = (
    ("branch1x1", "conv1x1.0"),
    ("branch3x3_1", "conv3x3.0"),
    ("branch3x3_2a", "conv3x3.1.row.0"),
    ("branch3x3_2b", "conv3x3.1.column.0"),
    ("branch3x3dbl_1", "double3x3.0"),
    ("branch3x3dbl_2", "double3x3.1"),
    ("branch3x3dbl_3a", "double3x3.2.row.0"),
    ("branch3x3dbl_3b", "double3x3.2.column.0"),
    ("branch_pool", "pool.1"),
)
_REDUCTION_A = (("branch3x3", "conv3x3.0"), *((f"branch3x3dbl_{i + 1}", f"double3x3.{i}") for i in range(3)))
_REDUCTION_B = (
    *((f"branch3x3_{i + 1}", f"conv3x3.{i}") for i in range(2)),
    *((f"branch7x7x3_{i + 1}", f"conv7x7.{i}") for i in range(4)),
)
#: torchvision's names of the modules, by our stages.
_STAGES = {
    "inception_a": (("5b", "5c", "5d"), _A),
    "reduction_a": (("6a",), _REDUCTION_A),
    "inception_b": (("6b", "6c", "6d", "6e"), _B),
    "reduction_b": (("7a",), _REDUCTION_B),
    "inception_c": (("7b", "7c"), _C),
}
_STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")

#: Every convolution with its batch norm, in order: torchvision's name, ours.
UNITS = (
    *((f"Conv2d_{theirs}", f"stem.conv{i}") for i, theirs in enumerate(_STEM, 1)),
    *(
        (f"Mixed_{theirs}.{name}", f"stages.{stage}.{i}.{ours}")
        for stage, (modules, units) in _STAGES.items()
        for i, theirs in enumerate(modules)
        for name, ours in units
    ),
)


def _torchvision() -> tuple[tuple[str, str], ...]:
    head = "auxiliary.inception_b."
    renames = [pair for theirs, ours in UNITS for pair in unit(theirs.replace(".", r"\."), ours)]
    renames += [*unit(r"AuxLogits\.conv0", head + "conv1"), *unit(r"AuxLogits\.conv1", head + "conv2")]
    return (*renames, (r"AuxLogits\.fc" + LEAF, head + r"classifier.\1"), (r"fc" + LEAF, r"head.classifier.\1"))


def keras(units: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Keras's names where it only counts its layers: `units` are ours in the order in which it makes them."""
    renames = [(r"predictions" + LEAF, r"head.classifier.\1")]
    for number, ours in enumerate(units, 1):
        renames.append((rf"conv2d_{number}{LEAF}", rf"{ours}.conv.\1"))
        renames.append((rf"batch_normalization_{number}{LEAF}", rf"{ours}.norm.\1"))
    return tuple(renames)


TORCHVISION = KeyTable(_torchvision(), {"stem": "paper", "count_padding": True}, images=HALVES)
TABLES = {
    "torchvision": TORCHVISION,
    "timm": TORCHVISION,
    "keras": KeyTable(
        keras(tuple(ours for _, ours in UNITS)), {"stem": "paper", "count_padding": False}, images=HALVES
    ),
}
