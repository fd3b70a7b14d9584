"""The catalogue: every network by name and alias, with its card and its builder."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import warnings
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from striate.errors import UsageError, unknown
from striate.models.card import Card, Family

#: Files of this package that hold a `FAMILY`, in the order in which networks are listed.
FAMILIES = (
    "lenet",
    "lenet5_1998",
    "mcdnn",
    "keras_examples",
    "cifar100_course",
    "small",
    "alexnet",
    "zfnet",
    "nin",
    "vgg",
    "all_cnn",
    "resnet",
    "resnet_cifar",
    "resnet_v2",
    "resnext",
    "wide_resnet",
    "densenet",
    "highway",
    "mobilenet_v1",
    "mobilenet_v2",
    "efficientnet",
    "efficientnet_lite",
    "mixnet",
    "shufflenet_v1",
    "shufflenet_v2",
    "googlenet",
    "bn_inception",
    "inception_v3",
    "inception_v4",
    "inception_resnet",
    "xception",
    "nasnet",
    "vit",
    "squeezenet",
)


#: The group of entry points under which other packages bring families: each names a `Family`.
ENTRY_POINTS = "striate.families"

_registered: dict[str, Family] = {}


@functools.cache
def families() -> dict[str, Family]:
    """Every family by its name: those of this package, then those of others."""
    found = [importlib.import_module(f"striate.models.{file}").FAMILY for file in FAMILIES]
    known = {family.name: family for family in found}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            family = point.load()
            _demand_family(family, known)
        except Exception as error:  # whatever another package does wrong, the others work
            warnings.warn(f"the families of '{point.value}' are left out: {error}", stacklevel=2)
            continue
        known[family.name] = family
    return known | _registered


def register(family: Family) -> Family:
    """Add a family to the catalogue: its networks then build, train and are listed like all others.

    A package does the same for whoever installs it by an entry point of the group "striate.families".

    Args:
        family: its cards, and the function that builds them; see `Family`.

    Returns:
        The family.

    Raises:
        UsageError: it is no family, or a name of it is taken.
    """
    again = getattr(family, "name", "") in _registered  # written anew, as in a notebook
    _demand_family(family, {name: other for name, other in families().items() if not (again and name == family.name)})
    _registered[family.name] = family
    for cached in (families, cards, aliases):
        cached.cache_clear()
    return family


def _demand_family(family: Any, others: Mapping[str, Family]) -> None:
    """Raise UsageError for what is no family, or one whose names others have already."""
    if not isinstance(family, Family) or not family.cards:
        raise UsageError(f"{family!r} is no family: give a striate.models.Family with its cards")
    if family.name in others:
        raise UsageError(f"the family '{family.name}' is in the catalogue already")
    taken = {name for other in others.values() for card in other.cards for name in (card.name, *card.aliases)}
    for card in family.cards:
        if card.family != family.name:
            raise UsageError(f"the card of {card.name} is of the family '{card.family}', not '{family.name}'")
        for name in (card.name, *card.aliases):
            if name in taken or name != _plain(name):
                why = "is taken" if name in taken else "is written with small letters and underscores"
                raise UsageError(f"the name '{name}' of the family '{family.name}' {why}")
            taken.add(name)


@functools.cache
def cards() -> dict[str, Card]:
    """Every card by the network's name."""
    return {card.name: card for family in families().values() for card in family.cards}


@functools.cache
def aliases() -> dict[str, str]:
    """Every other spelling, to the network's name."""
    return {alias: card.name for card in cards().values() for alias in card.aliases}


def get_card(name: str) -> Card:
    """The card of a network by its name or an alias; capitals and hyphens do not matter.

    Raises:
        UsageError: no network has that name; the nearest are offered.
    """
    own = own_name(name)
    if own not in cards():
        raise unknown("network", name, [*cards(), *aliases()], "`striate models` lists them all.")
    return cards()[own]


def own_name(name: str) -> str:
    """The name on the card of what is called `name`; where nothing is, only plainly spelled."""
    return aliases().get(_plain(name), _plain(name))


def title_of(name: str) -> str:
    """What a network is called before whoever asked for it by `name`: an alias that is another word stays that.

    "vgg16" stays "vgg16", whose card is named vgg_d; "ResNet-50" is only another spelling of "resnet50".

    Raises:
        UsageError: as `get_card`.
    """
    card = get_card(name)
    same = _plain(name).replace("_", "") == card.name.replace("_", "")
    return card.name if same else _plain(name)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def list_models(pattern: str = "*") -> list[str]:
    """Names of networks that match a shell pattern ("resnet*") by themselves or by an alias, in the catalogue's order.

    Capitals and hyphens do not matter.
    """
    return [name for name, card in cards().items() if name_matching(card, pattern)]


def name_matching(card: Card, pattern: str) -> str | None:
    """The network's name where a shell pattern fits it, else the first of its aliases that it fits, if there is one."""
    plain = _plain(pattern)
    return next((name for name in (card.name, *card.aliases) if fnmatch.fnmatchcase(name, plain)), None)
