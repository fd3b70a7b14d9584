"""Which networks a trained one can grow into, and with which options they are built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from striate.caller import either
from striate.errors import StriateError, UsageError
from striate.models import ConvNet, ModelSpec, create_model, get_card
from striate.models.catalogue import families
from striate.models.references import reference_to
from striate.models.signature import KNOWN
from striate.transfer.growing import Grown, check_rule, grow
from striate.transfer.pairing import Misfit


def options_from(shallow: ModelSpec, deep: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options of a network that grows from another: those asked for, its card's own, else the shallow one's.

    So a narrow column A grows into a narrow column D, and a ResNet keeps its shortcuts and its stem.

    Args:
        shallow: the network it grows from, of the same family.
        deep: its name.
        options: those asked for.
    """
    card = get_card(deep)
    inherited = {name: value for name, value in shallow.arguments.items() if name not in (*KNOWN, *card.options)}
    return {**inherited, **(options or {})}


def check_growth(
    shallow: ModelSpec, deep: str | None, options: Mapping[str, Any] | None = None, rule: str = "identity"
) -> Grown:
    """What will become of a deep network, before any weight is made: it is grown weightless.

    Args:
        shallow: the network it grows from.
        deep: its name; None, and anything that is not of the catalogue, is refused.
        options: those asked for.
        rule: as for `grow`.

    Raises:
        UsageError: it cannot grow from that network; the line says what differs, and what can.
    """
    if shallow.origin or (deep is not None and reference_to(deep) is not None):
        name = shallow.name if shallow.origin else deep
        raise UsageError(f"{name} is not of the catalogue, so which layers a deeper one shares with it is not known.")
    if deep is None:
        raise UsageError(f"which network is to grow? Give {either('--model NAME', 'model')}: {_able(shallow)}.")
    given = _weightless(shallow.name, shallow.arguments)
    check_rule(rule, given)
    if get_card(deep).family != get_card(shallow.name).family:
        raise Misfit(f"{get_card(deep).name} is of another family than {shallow.name}; {_able(shallow)}.")
    known = {name: value for name, value in shallow.arguments.items() if name in KNOWN}
    network = _weightless(deep, {**known, **options_from(shallow, deep, options)})
    try:
        return grow(given, network, rule)
    except Misfit as error:
        raise Misfit(f"{error}; {_able(shallow)}.") from error


def grows_into(shallow: ModelSpec) -> list[str]:
    """Names of the networks of its family that a network can grow into, in the catalogue's order."""
    given, found = _weightless(shallow.name, shallow.arguments), []
    known = {name: value for name, value in shallow.arguments.items() if name in KNOWN}
    for card in families()[get_card(shallow.name).family].cards:
        try:
            grow(given, _weightless(card.name, {**known, **options_from(shallow, card.name)}), "random")
        except StriateError:  # it does not fit, or cannot be built for these images
            continue
        found.append(card.name)
    return found


def _able(shallow: ModelSpec) -> str:
    names = grows_into(shallow)
    if not names:
        return f"no network of its family is {shallow.name} made deeper"
    return f"{shallow.name} grows into {', '.join(names)}"


def _weightless(name: str, arguments: Mapping[str, Any]) -> ConvNet:
    with torch.device("meta"):
        return create_model(name, **arguments)
