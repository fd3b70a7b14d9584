"""Finding the network that a command's argument names, wherever it is: the catalogue, a run, a library, a file."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.guessed_shape import guessed_shape, shape_on
from striate.errors import StriateError, UsageError, unknown

if TYPE_CHECKING:
    from torch import nn

    from striate.models import Card
    from striate.models.references import Reference

Device = Annotated[
    str, typer.Option(help="meta: run without values; cpu: on real ones, for a network that reads its values.")
]

NETWORK = (
    "A network's name, a run folder, a model's .safetensors file, torchvision:NAME, timm:NAME, "
    "or file.py:FUNCTION that returns a module."
)


@dataclass(frozen=True)
class Located:
    """A network and the shape of one input for it; `card` for those of the catalogue.

    `guess` says how the shape was found, `taken` what of the network was decided where nothing was asked for;
    `of_images` that the shape is known to be an image's, whatever the network's first layer tells.
    """

    name: str
    model: nn.Module
    shape: tuple[int, ...]
    card: Card | None = None
    guess: str = ""
    taken: tuple[str, ...] = ()
    of_images: bool = False

    @property
    def example(self) -> tuple[int, ...]:
        """The shape to summarise it on: an image has its batch, so that it is not taken for a batch of signals."""
        return (1, *self.shape) if self.of_images else self.shape

    @property
    def note(self) -> str:
        """What to say of a guessed input, and what to do about it."""
        return f"{self.guess}; --input gives another" if self.guess else ""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While it runs: prints go to standard error, warnings nowhere; an error says where its input was guessed."""
        try:
            with redirect_stdout(sys.stderr), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except StriateError as error:
            if not self.guess:
                raise
            raise type(error)(f"{error}; {self.guess}") from error


def locate(
    network: str,
    *,
    size: int | None = None,
    classes: int | None = None,
    channels: int | None = None,
    demanded: bool = True,
    shape: tuple[int, ...] | None = None,
    device: str = "meta",
    trust: str | None = None,
    weights: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Located:
    """Build what `network` names, without weights' memory where `device` is "meta" and it lets itself be built so.

    Classes and channels that are `demanded` are refused by a network that comes with its own; others it keeps its own.

    Raises:
        UsageError: nothing has that name, or the options do not go with it.
        StriateError: it cannot be built; for a user's file the line that failed.
    """
    from striate.analysis.building import build_weightless

    if device not in ("meta", "cpu"):
        raise unknown("device", device, ("meta", "cpu"))
    for option, value in (("--size", size), ("--channels", channels), ("--classes", classes)):
        if value is not None and value < 1:
            raise UsageError(f"{option} is {value}; it must be at least 1")
    build: Build = build_weightless if device == "meta" else _built
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):  # where a user's file prints
        warnings.simplefilter("ignore")  # libraries' words on names and layers that they have given up
        if weights is not None:
            found = _with_weights(network, weights, size, classes, channels, trust, options or {})
        else:
            found = _found(network, size, classes, channels, demanded, build, trust, options or {})
    return found if shape is None else replace(found, shape=shape, guess="")


def _found(
    network: str,
    size: int | None,
    classes: int | None,
    channels: int | None,
    demanded: bool,
    build: Build,
    trust: str | None,
    options: Mapping[str, Any],
) -> Located:
    from striate.models.references import reference_to

    reference = reference_to(network)
    if options and (reference is not None or _is_in_file(network) or _is_trained(network)):
        raise UsageError(f"{network} is given as it is: --option is for networks of the catalogue.")
    if reference is not None and not reference.is_named_code:
        return _from_library(reference, size, classes, channels, build)
    if _is_in_file(network):
        return _from_file(network, size, classes, channels, demanded, build)
    if _is_trained(network):
        if demanded:
            _refuse(network, classes=classes, channels=channels)
        return _from_run(network, size, trust)
    return _from_catalogue(network, size, classes, channels, build, options)


def called(found: Located, network: str) -> str:
    """What a picture calls a network: one of the catalogue as it was asked for."""
    from striate.models.catalogue import title_of

    return found.name if found.card is None else title_of(network)


def tell_taken(found: Located) -> None:
    """Say on standard error what was decided for the user in building a network."""
    for line in found.taken:
        print(f"note: {line}", file=sys.stderr)


def weights_in_words(network: str, seed: int) -> str:
    """Which weights a network has for which none were named."""
    if _is_in_file(network):
        return f"weights as its file makes them, seed {seed}"
    return "its trained weights" if _is_trained(network) else f"random weights, seed {seed}"


#: Calls a function that makes a network.
Build = Callable[[Callable[[], Any]], Any]


def _built(make: Callable[[], Any]) -> Any:
    return make()


def _refuse(network: str, **options: int | None) -> None:
    if any(value is not None for value in options.values()):
        flags = " and ".join(f"--{name}" for name in options)
        raise UsageError(f"{network} is given as it is: {flags} {'are' if len(options) > 1 else 'is'} for others.")


def _is_in_file(network: str) -> bool:
    return re.search(r"\.py(:|$)", network) is not None


def _is_trained(network: str) -> bool:
    from striate.models import list_models

    path = Path(network)
    return path.suffix == ".safetensors" or (path.is_dir() and network not in list_models())


def _from_run(network: str, size: int | None, trust: str | None) -> Located:
    from striate.classifier import load

    classifier = load(network, trust=trust)
    model, look = classifier.model, classifier.description.preprocessing
    itself = getattr(model, "module", model)  # somebody else's shows its own layers
    sides = look.size if size is None else (size, size)
    return Located(network, itself, (model.in_channels, *sides), of_images=True)


def _with_weights(
    network: str,
    weights: str,
    size: int | None,
    classes: int | None,
    channels: int | None,
    trust: str | None,
    options: Mapping[str, Any],
) -> Located:
    """The network as these weights have it; without a name of it, the network that they belong to."""
    from striate.models import create_model, get_card
    from striate.models.pretrained import input_size_of
    from striate.models.recognition import network_of, spec_of_file
    from striate.models.references import reference_to
    from striate.weights.files import weights_file

    if network and (reference_to(network) is not None or _is_trained(network)):
        raise UsageError(f"{network} comes with weights of its own: --weights is for networks of the catalogue.")
    spec = spec_of_file(weights) if network else network_of(weights)
    name = network or spec.name  # type: ignore[union-attr]
    if spec is not None and spec.origin:
        _refuse(weights, classes=classes, channels=channels)
        return _from_run(str(weights_file(weights)), size, trust)
    card = get_card(name)
    model = create_model(
        name,
        weights=weights,
        num_classes=classes,
        in_channels=channels or (spec.arguments.get("in_channels") if spec else None),
        input_size=size or input_size_of(card, weights),
        **options,
    )
    return _as_made(model, options)


def _from_catalogue(
    network: str,
    size: int | None,
    classes: int | None,
    channels: int | None,
    build: Build,
    options: Mapping[str, Any],
) -> Located:
    from striate.models import create_model

    model = build(lambda: create_model(network, num_classes=classes, in_channels=channels, input_size=size, **options))
    return _as_made(model, options)


def _as_made(model: Any, options: Mapping[str, Any]) -> Located:
    """A network of the catalogue, and what was decided for whoever left it open."""
    from striate.analysis.inputs import own_shape
    from striate.models import get_card
    from striate.models.defaults_taken import defaults_taken

    card = get_card(model.spec.name)
    return Located(card.name, model, own_shape(model) or (), card, taken=tuple(defaults_taken(model, options)))


def _from_library(
    reference: Reference, size: int | None, classes: int | None, channels: int | None, build: Build
) -> Located:
    from striate.models.libraries import WITH_HEADS, library_network, usual_shape

    # Their own rule for the first weights takes half a minute, and their values are not looked at.
    quick = {"init_weights": False} if reference.kind == "torchvision" and reference.name in WITH_HEADS else None
    model = build(
        lambda: library_network(
            reference,
            num_classes=classes,
            in_channels=channels,
            input_size=None if size is None else (size, size),
            options=quick,
        )
    )
    usual, *sides = usual_shape(reference, model)
    if reference.kind == "torchvision":
        return Located(str(reference), model, shape_on(model, 3, size or sides[0]))
    return Located(str(reference), model, (channels or usual, *((size, size) if size else sides)))


def _from_file(
    network: str, size: int | None, classes: int | None, channels: int | None, demanded: bool, build: Build
) -> Located:
    """What its function makes, which is given what was asked for, and the usual where it cannot do without."""
    from striate.analysis.inputs import own_shape
    from striate.analysis.weightless import uncompiled
    from striate.models.signature import CHANNELS, CLASSES, filled_in, takes, usual_for
    from striate.models.user_file import made_by, named_in

    found = named_in(network)
    if demanded and not takes(found, CLASSES):
        _refuse(network, classes=classes)
    if not demanded and not takes(found, CHANNELS):
        channels = None
    asked = {"num_classes": classes, "in_channels": channels, "input_size": (size, size) if size else None}
    usual = usual_for(found, asked)
    arguments = filled_in(found, asked) | usual
    model = made_by(found, network, lambda make: build(lambda: make(**arguments)))
    model = uncompiled(model)  # compiled code would show no layers
    taken = tuple(f"{network} asks for {name}: it was given {value}" for name, value in usual.items())
    own = own_shape(model)
    if own is not None:
        first, *sides = own
        shape, guess = (channels or first, *(size or side for side in sides)), ""
    else:
        shape, guess = guessed_shape(model, size, channels)
    return Located(network, model, shape, guess=guess, taken=taken)
