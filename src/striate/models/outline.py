"""Outline: what is known of a network before it is built for anybody's images, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from striate.analysis.building import build_weightless
from striate.analysis.inputs import own_shape
from striate.errors import StriateError
from striate.models.card import Card
from striate.models.catalogue import get_card
from striate.models.libraries import usual_shape
from striate.models.origin import Handed, about, made_in_package, origin_of, origin_of_module
from striate.models.references import Reference, reference_of, reference_to
from striate.models.signature import CHANNELS, SIZES, filled_in, takes
from striate.models.user_file import module_in


@dataclass(frozen=True)
class Outline:
    """What the choice of images, classes and recipe needs of a network.

    Attributes:
        name: of the network.
        input_size: side of the images it was made for, pixels; None where it takes any.
        in_channels: channels of its images; None where it takes any number.
        num_classes: outputs it has where nobody asks for others; 0 where it is not known.
        fixed_size: it works at `input_size` only, unless it is built for another.
        smallest: side of the smallest images that it may be built for.
        auxiliary_weight: of its auxiliary heads, which are built where a recipe asks for them; 0 where there are none.
        about: a line on what it is.
        card: of a network of the catalogue.
    """

    name: str
    input_size: int | None
    in_channels: int | None = None
    num_classes: int = 0
    fixed_size: bool = False
    smallest: int = 1
    auxiliary_weight: float = 0.0
    about: str = ""
    card: Card | None = None


def outline_of(model: str | Handed, options: Mapping[str, Any] | None = None) -> Outline:
    """What is known of a network by its name, its reference, or itself; no weight is made.

    Args:
        model: as `obtain` takes it.
        options: further arguments of its function.

    Raises:
        UsageError: nothing has that name.
        StriateError: its code fails, with the line that failed.
    """
    if isinstance(model, nn.Module):
        return _of_module(type(model).__name__, model, None, about(origin_of_module(model)))
    if not isinstance(model, str):
        return _of_function(reference_of(model), model, options)
    reference = reference_to(model)
    if reference is None:
        return _of_card(get_card(model))
    if not reference.is_named_code:
        _, side, _ = usual_shape(reference)
        channels = 3 if reference.kind == "torchvision" else None
        return Outline(str(reference), side, channels, about=about(origin_of(reference)))
    if reference.kind == "package":
        return _of_function(reference, made_in_package(reference), options)
    return _in_file(reference, options)


def _of_card(card: Card) -> Outline:
    return Outline(
        name=card.name,
        input_size=card.input_size,
        num_classes=card.num_classes,
        fixed_size=card.fixed_size,
        smallest=card.smallest("small"),
        auxiliary_weight=card.auxiliary_weight,
        about=f"{card.introduces} {card.paper}",
        card=card,
    )


def _of_function(reference: Reference, make: Callable[..., Any], options: Mapping[str, Any] | None) -> Outline:
    try:
        module = build_weightless(lambda: make(**_asked(make, options)))
    except StriateError:
        raise
    except Exception as error:
        raise StriateError(f"{reference} fails ({type(error).__name__}: {error})") from error
    return _of_module(str(reference), module, make, about(origin_of(reference)))


def _in_file(reference: Reference, options: Mapping[str, Any] | None) -> Outline:
    made: list[Callable[..., Any]] = []

    def build(make: Callable[..., Any]) -> Any:
        made.append(make)
        return build_weightless(lambda: make(**_asked(make, options)))

    module = module_in(str(reference), build)
    return _of_module(str(reference), module, made[0] if made else None, about(origin_of(reference)))


def _asked(make: Callable[..., Any], options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Arguments that its function may ask for, whatever the images turn out to be."""
    return filled_in(make, {"num_classes": 2, "in_channels": 3, "input_size": (224, 224), **(options or {})})


def _of_module(name: str, module: nn.Module, make: Callable[..., Any] | None, words: str) -> Outline:
    """From what a module says of itself, and from its first convolution."""
    own = None if make is not None and takes(make, SIZES) else own_shape(module)
    first = next((layer.in_channels for layer in module.modules() if isinstance(layer, nn.Conv2d)), None)
    channels = None if make is not None and takes(make, CHANNELS) else own[0] if own else first
    side = own[1] if own and len(own) == 3 else None
    return Outline(name, side, channels, fixed_size=side is not None, about=words)
