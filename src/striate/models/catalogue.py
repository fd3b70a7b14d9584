"""The catalogue: every network by name and alias, with its card and its builder."""

from __future__ import annotations

import fnmatch
import functools
import importlib

from striate.errors import unknown
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


@functools.cache
def families() -> dict[str, Family]:
    """Every family by its name."""
    found = [importlib.import_module(f"striate.models.{file}").FAMILY for file in FAMILIES]
    return {family.name: family for family in found}


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
