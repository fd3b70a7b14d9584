"""The options of a network: the arguments of its own that its family's builder takes."""

from __future__ import annotations

import inspect
from numbers import Integral, Real

from striate.errors import UsageError, unknown
from striate.models.card import Card, Family
from striate.models.catalogue import families

#: What a value of an option must be, by the annotation of the builder's argument, and the words for it.
KINDS: dict[str, tuple[type, str]] = {
    "bool": (bool, "true or false"),
    "int": (Integral, "a whole number"),
    "float": (Real, "a number"),
    "str": (str, "a word"),
}


#: Options of every network, or with a dense classifier, which `create_model` itself takes.
HIDDEN = "hidden"
OF_ALL = (HIDDEN, "hidden_dropout", "until")


def options_of(family: Family) -> list[str]:
    """Names of the options that a family's builder takes."""
    parameters = inspect.signature(family.build).parameters.values()
    common = ("num_classes", "in_channels", "input_size")
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in common]


def defaults_of(card: Card) -> dict[str, object]:
    """Every option of a network with its default: the builder's, or the card's where it has one."""
    build = families()[card.family].build
    parameters = inspect.signature(build).parameters
    return {name: card.options.get(name, parameters[name].default) for name in options_of(families()[card.family])}


def check_options(card: Card, options: dict[str, object]) -> None:
    """Raise `UsageError` for an option that the network does not have, or a value of another kind than it takes."""
    family = families()[card.family]
    known = options_of(family)
    for option, value in options.items():
        if option not in known:
            raise unknown(f"option of {card.name}", option, [*known, *OF_ALL])
        annotation = inspect.signature(family.build).parameters[option].annotation
        kind, *none = inspect.formatannotation(annotation).strip("'").split(" | ")
        if kind not in KINDS:  # of a family of somebody else's, whose builder says what it takes
            continue
        wanted, words = KINDS[kind]
        is_number_of_truth = isinstance(value, bool) and wanted is not bool
        if (not isinstance(value, wanted) or is_number_of_truth) and not (none and value is None):
            raise UsageError(f"{option} of {card.name} is {value!r}; it must be {words}")
