"""Growing: a deeper network begins with the layers of a trained shallower one of its family.

Simonyan and Zisserman (2015, arXiv:1409.1556, section 3.1) trained column A, shallow enough for that, from random
weights, and began the deeper columns with its first four convolutional layers and its last three fully-connected ones,
the layers between them at random; what was taken over was free to change, at no lower rate. Gradual training goes on
from there: all layers of the shallow network are taken over, and the new ones begin as identity, so that nothing of
what was learnt is lost (Chen et al., 2016, arXiv:1511.05641).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from striate.errors import UsageError, unknown
from striate.models import ConvNet
from striate.notebook import Facts, Shown
from striate.transfer.identity import IDEMPOTENT, Spread, start_as_identity
from striate.transfer.pairing import Pairing, pair
from striate.units import plural

#: What the deep network takes over, and how its new layers begin. "identity": all layers of the shallow network, the
#: new ones hand on what they are fed; "random": all, the new ones as they are; "paper": of VGG's column A the first
#: four convolutions and the dense layers, the others as they are.
RULES = ("identity", "random", "paper")

#: Of "paper": the first four convolutions of column A as the deeper columns call them, their norms with them.
FIRST_FOUR = ("stem.{}1", "stages.stage2.{}1", "stages.stage3.{}1", "stages.stage3.{}2")
COLUMNS_A = ("vgg_a", "vgg_a_lrn", "vgg11_bn")


@dataclass(frozen=True, repr=False)
class Grown(Shown):
    """What became of a deep network when it was grown.

    Attributes:
        network: the deep one, changed in place.
        shallow: name of the network that it was grown from.
        rule: one of `RULES`.
        copied: names of the deep network's layers with weights that came from the shallow one, in order.
        new: those that the shallow one does not have, or does not hand over.
        fresh: those of the heads that are random, since the shallow network has others, for other classes say.
    """

    network: ConvNet
    shallow: str
    rule: str
    copied: tuple[str, ...]
    new: tuple[str, ...]
    fresh: tuple[str, ...]

    @property
    def words(self) -> str:
        """How much was copied and how the rest begins: 8 of 13 convolutions copied, 5 new begin as identity."""
        both = [sum(isinstance(self.network.get_submodule(name), nn.Conv2d) for name in names) for names in self.parts]
        start = "as identity" if self.rule == "identity" else "at random"
        fresh = f"; {' and '.join(self.fresh)} at random, for other outputs or images" if self.fresh else ""
        whole = plural(sum(both), "convolution")
        return f"{both[0]} of {whole} copied, {both[1]} new {'begins' if both[1] == 1 else 'begin'} {start}{fresh}"

    @property
    def parts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The layers behind the heads: copied, and new."""
        return tuple(name for name in self.copied if not name.startswith(("head.", "auxiliary."))), self.new

    def _facts(self) -> Facts:
        said = {"network": self.network.spec.name, "grown from": f"grown from {self.shallow}", "layers": self.words}
        rows = [(name, "copied") for name in self.copied] + [(name, "new") for name in (*self.new, *self.fresh)]
        return Facts(said, ("layer", "weights"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        lists = {name: list(getattr(self, name)) for name in ("copied", "new", "fresh")}
        return {"shallow": self.shallow, "network": self.network.spec.to_dict(), "rule": self.rule, **lists}


def grow(shallow: ConvNet, deep: ConvNet, rule: str = "identity") -> Grown:
    """Begin a deep network with the layers of a shallow one of its family.

    Which layers correspond says `striate.transfer.pairing`. In evaluation mode a network grown by the rule "identity"
    puts out what the shallow one does, up to float rounding, where the heads are alike. Layers of heads for other
    classes, and dense layers for another size of image, stay as they are.

    Args:
        shallow: the trained one; left as it is.
        deep: one of its family with more layers in its stages, of the same widths; changed in place.
        rule: one of `RULES`.

    Returns:
        What was copied, and what is new.

    Raises:
        UsageError: the deep network is not the shallow one made deeper, or its new layers cannot begin as identity.
    """
    check_rule(rule, shallow)
    pairing = _of_rule(pair(shallow, deep), rule)
    given, own = shallow.state_dict(), deep.state_dict()
    with torch.no_grad():
        for ours, theirs in pairing.copied.items():
            for key in deep.get_submodule(ours).state_dict():
                own[f"{ours}.{key}"].copy_(given[f"{theirs}.{key}"])
    if rule == "identity":
        _begin_as_identity(deep, pairing)
    copied = tuple(_layers(deep, pairing.copied))
    deep.copied, deep.fresh = copied, pairing.fresh
    new = tuple(_layers(deep, [name for unit in pairing.new for name in unit]))
    return Grown(deep, shallow.spec.name, rule, copied, new, pairing.fresh)


def check_rule(rule: str, shallow: ConvNet) -> None:
    """Refuse an unknown rule, and the paper's for what is not of the paper.

    Raises:
        UsageError: see above.
    """
    if rule not in RULES:
        raise unknown("rule of growing", rule, RULES)
    if rule == "paper" and shallow.spec.name not in COLUMNS_A:
        raise UsageError(
            f"the rule 'paper' is for VGGs grown from column A ({', '.join(COLUMNS_A)}), and the shallow network is "
            f"{shallow.spec.name}; take 'identity' or 'random'."
        )


def _of_rule(pairing: Pairing, rule: str) -> Pairing:
    """What is left of a pairing where the rule takes over less."""
    if rule != "paper":
        return pairing
    first = {name.format(kind) for name in FIRST_FOUR for kind in ("conv", "norm")}
    copied = {ours: theirs for ours, theirs in pairing.copied.items() if ours in first or ours.startswith("head.")}
    left = tuple((ours,) for ours in pairing.copied if ours not in copied)
    return Pairing(copied, (*pairing.new, *left), pairing.fresh)


def _begin_as_identity(deep: ConvNet, pairing: Pairing) -> None:
    """Let each new unit hand on what the layers before it put out."""
    first = {names[0]: names for names in pairing.new}
    inside = tuple(f"{name}." for names in pairing.new for name in names)
    others = {name for names in pairing.new for name in names}
    norm: nn.BatchNorm2d | None = None
    act: nn.Module | None = None
    for name, layer in deep.named_modules():
        if name in first:
            spread = Spread.behind(norm, act) if norm is not None else None
            start_as_identity(name, [deep.get_submodule(each) for each in first[name]], spread)
        if name in others or name.startswith(inside):
            continue
        if isinstance(layer, nn.BatchNorm2d):
            norm, act = layer, None
        elif isinstance(layer, IDEMPOTENT):
            act = layer


def _layers(network: nn.Module, names: Iterable[str]) -> list[str]:
    """Names of the layers in these modules that have weights, or statistics, of their own; in the network's order."""
    chosen = tuple(names)
    inside = tuple(f"{name}." for name in chosen)
    return [
        name
        for name, layer in network.named_modules()
        if (name in chosen or name.startswith(inside)) and (layer._parameters or layer._buffers)
    ]
