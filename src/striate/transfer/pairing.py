"""Which layers of a deeper network are those of a shallower one of its family, and which are new.

Networks of a family are the same stem, stages and head, with more units in a stage the deeper they are. A unit is a
block, or the layers of one number in a plain chain (conv2, norm2, act2). The shallow network's units are found in the
deep one's stage in order, each as early as one of its kind comes: the first units of a stage are the shallow ones, the
new ones stand behind them, before whatever ends the stage (a pool, a block with a stride). For VGG's column A that puts
its first four convolutions where the paper has them (Simonyan and Zisserman, 2015, section 3.1), and its others so too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from striate.errors import UsageError
from striate.layers import DropPath
from striate.models import ConvNet

#: Layers that only training uses: they may differ, and may be missing.
OF_TRAINING = (nn.Dropout, nn.Dropout2d, DropPath)


class Misfit(UsageError):
    """Two networks of which one is not the other made deeper; the line says where they part."""


@dataclass(frozen=True)
class Unit:
    """What a stage has more of when it is deeper: the names of its layers, by what they are without their number."""

    number: int | None
    layers: dict[str, str]

    @property
    def named(self) -> tuple[int | None, str]:
        """By what a unit of another network is its namesake."""
        return self.number, next(iter(self.layers))

    def names(self, part: str) -> tuple[str, ...]:
        """Full names of the layers, in order."""
        return tuple(f"{part}.{name}" for name in self.layers.values())


@dataclass(frozen=True)
class Pairing:
    """How two networks correspond.

    Attributes:
        copied: modules of the deep network by name, to those of the shallow one.
        new: units of the deep network alone, each the names of its modules, in order.
        fresh: modules of the deep network's heads that the shallow one does not have so, such as those for other
            classes.
    """

    copied: dict[str, str]
    new: tuple[tuple[str, ...], ...]
    fresh: tuple[str, ...]


def pair(shallow: ConvNet, deep: ConvNet) -> Pairing:
    """Find the shallow network's layers in the deep one; both may be weightless.

    Raises:
        Misfit: a layer of the shallow network is not in the deep one, or the deep one is no deeper.
    """
    copied: dict[str, str] = {}
    new: list[tuple[str, ...]] = []
    if list(shallow.parts()) != list(deep.parts()):
        raise _misfit(shallow, deep, "its parts", (", ".join(shallow.parts()), ", ".join(deep.parts())))
    for name in deep.parts():
        part = name if name == "stem" else f"stages.{name}"
        pairs, more = _pair_units(shallow, deep, part)
        for theirs, ours in pairs:
            copied |= dict(zip(ours.names(part), theirs.names(part), strict=True))
        new += [unit.names(part) for unit in more]
    if not new:
        raise _misfit(shallow, deep, "it has no layer that the other has not")
    heads, fresh = _pair_heads(shallow, deep)
    return Pairing({**copied, **heads}, tuple(new), tuple(fresh))


def _pair_units(shallow: ConvNet, deep: ConvNet, part: str) -> tuple[list[tuple[Unit, Unit]], list[Unit]]:
    """The units of a part that both networks have, and those that only the deep one has."""
    given, own = shallow.get_submodule(part), deep.get_submodule(part)
    left, ours = list(_units(given)), list(_units(own))
    pairs, more = [], []
    for unit in ours:
        if left and not _difference(given, left[0], own, unit):
            pairs.append((left.pop(0), unit))
        elif unit.number is not None:
            more.append(unit)
        elif unit.named not in [each.named for each in _units(given)]:
            raise _misfit(shallow, deep, f"{unit.names(part)[0]} is not in {shallow.spec.name}")
        else:
            break
    if left:
        name = left[0].names(part)[0]
        namesake = next((unit for unit in ours if unit.named == left[0].named), None)
        difference = _difference(given, left[0], own, namesake) if namesake else None
        raise _misfit(shallow, deep, f"it has no {name}" if difference is None else name, difference)
    return pairs, more


def _units(part: nn.Module) -> Iterator[Unit]:
    """A part's children in order, those together that have one number."""
    unit: Unit | None = None
    for name, _ in part.named_children():
        found = re.fullmatch(r"(\D*)(\d+)", name)
        kind, number = (found[1], int(found[2])) if found else (name, None)
        if unit is not None and number is not None and unit.number == number:
            unit.layers[kind] = name
            continue
        if unit is not None:
            yield unit
        unit = Unit(number, {kind: name})
    if unit is not None:
        yield unit


def _difference(shallow: nn.Module, theirs: Unit, deep: nn.Module, ours: Unit) -> tuple[str, str] | None:
    """What two units have of their own where they differ, in words; None where they are alike."""
    if list(theirs.layers) != list(ours.layers):
        return ", ".join(theirs.layers.values()), ", ".join(ours.layers.values())
    for their, our in zip(theirs.layers.values(), ours.layers.values(), strict=True):
        if difference := unlike(shallow.get_submodule(their), deep.get_submodule(our)):
            return difference
    return None


def unlike(one: nn.Module, other: nn.Module) -> tuple[str, str] | None:
    """What two modules have where they first differ, in words; None where they do not.

    Neither the values of weights matter, nor what only training uses.
    """
    layers, others = (
        {name: layer for name, layer in module.named_modules() if not isinstance(layer, OF_TRAINING)}
        for module in (one, other)
    )
    for name in {**layers, **others}:
        told = [f"{name} {_told(found[name])}".strip() if name in found else f"no {name}" for found in (layers, others)]
        if name not in layers or name not in others or _settings(layers[name]) != _settings(others[name]):
            return told[0], told[1]
    return None


def _settings(layer: nn.Module) -> tuple[object, ...]:
    """All that makes a layer what it is, but for its children and the values of its weights."""
    tensors = {**layer._parameters, **layer._buffers}
    shapes = {name: None if tensor is None else tuple(tensor.shape) for name, tensor in tensors.items()}
    plain = {
        name: value
        for name, value in vars(layer).items()
        if name[:1] != "_" and name != "training" and isinstance(value, bool | int | float | str | tuple)
    }
    return type(layer), shapes, plain


def _told(layer: nn.Module) -> str:
    return f"{type(layer).__name__}({layer.extra_repr()})"


def _pair_heads(shallow: ConvNet, deep: ConvNet) -> tuple[dict[str, str], list[str]]:
    """Layers of heads that are alike, and those that are not; behind one that is not all are fresh."""
    copied, fresh = {}, []
    heads = ["head", *(f"auxiliary.{name}" for name in deep.auxiliary)]
    for head in heads:
        known = not head.startswith("auxiliary.") or head.removeprefix("auxiliary.") in shallow.auxiliary
        theirs = dict(shallow.get_submodule(head).named_children()) if known else {}
        alike = True
        for name, layer in deep.get_submodule(head).named_children():
            if isinstance(layer, OF_TRAINING):
                continue
            alike = alike and name in theirs and not unlike(theirs[name], layer)
            if alike:
                copied[f"{head}.{name}"] = f"{head}.{name}"
            elif any(True for _ in layer.parameters()):
                fresh.append(f"{head}.{name}")
    return copied, fresh


def _misfit(shallow: ConvNet, deep: ConvNet, where: str, difference: tuple[str, str] | None = None) -> Misfit:
    names = shallow.spec.name, deep.spec.name
    if difference is not None:
        where = f"{where} is {difference[0]} in {names[0]} and {difference[1]} in {names[1]}"
    return Misfit(f"{names[1]} is not {names[0]} made deeper: {where}")
