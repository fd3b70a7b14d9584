"""Other people's names of the same tensors: ordered regular expressions from theirs to ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from striate.errors import StriateError

Value = TypeVar("Value")


@dataclass(frozen=True)
class KeyTable:
    """How one publisher names the tensors of one family.

    Attributes:
        renames: pairs (regular expression, replacement), tried in order; the first that matches a whole key
            renames it.
        options: options that the publisher's networks have, for files that do not say.
    """

    renames: tuple[tuple[str, str], ...]
    options: Mapping[str, Any] = field(default_factory=dict)


def rename(state: Mapping[str, Value], table: KeyTable | None) -> dict[str, Value]:
    """`state` under our names; a key that no expression matches keeps its own."""
    if table is None:
        return dict(state)
    patterns = [(re.compile(theirs), ours) for theirs, ours in table.renames]

    def ours_of(key: str) -> str:
        for pattern, ours in patterns:
            if pattern.fullmatch(key):
                return pattern.sub(ours, key, count=1)
        return key

    return {ours_of(key): value for key, value in state.items()}


def recognise(keys: Iterable[str], wanted: Collection[str], family: str, where: str) -> str:
    """The style of `keys`, "striate" or one of the family's, by which most of the `wanted` names are found.

    Raises:
        StriateError: under no style is half of the wanted names there.
    """
    keys = list(keys)
    styles: dict[str, KeyTable | None] = {"striate": None, **KEY_TABLES.get(family, {})}
    found = {
        style: len(set(wanted).intersection(rename(dict.fromkeys(keys), table))) for style, table in styles.items()
    }
    best = max(found, key=lambda style: found[style])
    if 2 * found[best] < len([key for key in wanted if not key.endswith("num_batches_tracked")]):
        raise StriateError(
            f"{where}: these are not weights of a network of the family '{family}'; its keys begin "
            f"{', '.join(sorted(keys)[:3])} (known styles: {', '.join(styles)})"
        )
    return best


#: The rest of a key: "weight", "running_mean", ...
_LEAF = r"\.(\w+)"


def _resnet(stem: str = "") -> tuple[tuple[str, str], ...]:
    return (
        (stem + r"conv1" + _LEAF, r"stem.conv.\1"),
        (stem + r"bn1" + _LEAF, r"stem.norm.\1"),
        (stem + r"layer(\d)\.(\d+)\.conv(\d)" + _LEAF, r"stages.stage\1.\2.residual.conv\3.\4"),
        (stem + r"layer(\d)\.(\d+)\.bn(\d)" + _LEAF, r"stages.stage\1.\2.residual.norm\3.\4"),
        (
            stem + r"layer(\d)\.(\d+)\.(?:downsample|shortcut)\.0" + _LEAF,
            r"stages.stage\1.\2.shortcut.conv.\3",
        ),
        (
            stem + r"layer(\d)\.(\d+)\.(?:downsample|shortcut)\.1" + _LEAF,
            r"stages.stage\1.\2.shortcut.norm.\3",
        ),
        (stem + r"(?:fc|linear)" + _LEAF, r"head.classifier.\1"),
    )


#: MobileNet v2's blocks in order: (stage, block), from the n column of the paper's table 2.
_INVERTED = [(stage, block) for stage, n in enumerate((1, 2, 3, 4, 3, 3, 1), 1) for block in range(n)]


def _mobilenet_v2_torchvision() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"features\.0\.0" + _LEAF, r"stem.conv.\1"),
        (r"features\.0\.1" + _LEAF, r"stem.norm.\1"),
        (r"features\.18\.0" + _LEAF, r"stages.stage8.conv.\1"),
        (r"features\.18\.1" + _LEAF, r"stages.stage8.norm.\1"),
        (r"classifier\.1" + _LEAF, r"head.classifier.\1"),
    ]
    for number, (stage, block) in enumerate(_INVERTED, 1):
        units = ["depthwise"] if number == 1 else ["expand", "depthwise"]
        theirs, ours = rf"features\.{number}\.conv\.", f"stages.stage{stage}.{block}."
        for i, unit in enumerate(units):
            renames.append((rf"{theirs}{i}\.0{_LEAF}", rf"{ours}{unit}.conv.\1"))
            renames.append((rf"{theirs}{i}\.1{_LEAF}", rf"{ours}{unit}.norm.\1"))
        renames.append((rf"{theirs}{len(units)}{_LEAF}", rf"{ours}project.conv.\1"))
        renames.append((rf"{theirs}{len(units) + 1}{_LEAF}", rf"{ours}project.norm.\1"))
    return tuple(renames)


def _mobilenet_v2_timm() -> tuple[tuple[str, str], ...]:
    renames = [
        (r"conv_stem" + _LEAF, r"stem.conv.\1"),
        (r"bn1" + _LEAF, r"stem.norm.\1"),
        (r"conv_head" + _LEAF, r"stages.stage8.conv.\1"),
        (r"bn2" + _LEAF, r"stages.stage8.norm.\1"),
        (r"classifier" + _LEAF, r"head.classifier.\1"),
    ]
    for number, (stage, block) in enumerate(_INVERTED):
        theirs, ours = rf"blocks\.{stage - 1}\.{block}\.", f"stages.stage{stage}.{block}."
        units = [("expand", "conv_pw"), ("depthwise", "conv_dw"), ("project", "conv_pwl")]
        if number == 0:
            units = [("depthwise", "conv_dw"), ("project", "conv_pw")]
        for i, (unit, conv) in enumerate(units, 1):
            renames.append((rf"{theirs}{conv}{_LEAF}", rf"{ours}{unit}.conv.\1"))
            renames.append((rf"{theirs}bn{i}{_LEAF}", rf"{ours}{unit}.norm.\1"))
    return tuple(renames)


#: Family: style: table. timm names the tensors of a ResNet as torchvision does.
KEY_TABLES: dict[str, dict[str, KeyTable]] = {
    "resnet": {"torchvision": KeyTable(_resnet(), {"stride_in": "3x3", "stem": "paper"})},
    "resnet_cifar": {"source": KeyTable(_resnet(r"(?:module\.)?"))},
    "mobilenet_v2": {
        "torchvision": KeyTable(_mobilenet_v2_torchvision(), {"stem": "paper"}),
        "timm": KeyTable(_mobilenet_v2_timm(), {"stem": "paper"}),
    },
}
