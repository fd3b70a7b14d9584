"""Weights for a network of the catalogue: found, read, brought under our names, and put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from striate.errors import StriateError, UsageError
from striate.models.building import weightless
from striate.models.card import Card
from striate.models.catalogue import get_card
from striate.models.choice import choose, is_named
from striate.models.convnet import ConvNet
from striate.models.cutting import UNTIL, cut_after
from striate.models.hidden_layers import first_dense
from striate.models.options import HIDDEN, defaults_of
from striate.models.recognition import spec_of_file
from striate.weights import (
    WeightSource,
    adapt_channels,
    describe,
    key_tables,
    load_state,
    read_tensors,
    recognise,
    rename,
)
from striate.weights.files import has_metadata, weights_file
from striate.weights.images import IMAGENET_STATISTICS, Images
from striate.weights.keras import SUFFIXES, keras_source
from striate.weights.loading import AUXILIARY, CLASSIFIER, first_convolution

HEAD = "head."
#: What a family without such a choice has, PyTorch's habit.
HABITS = {"padding": "symmetric", "norm_eps": 1e-5}


@dataclass(frozen=True)
class Pretrained:
    """Weights as they will be put in.

    Attributes:
        source: the record, with the options that its publisher's networks have.
        state: the tensors under our names.
        of_base: the network beneath whose weights these are, where they are not the whole network's own.
    """

    source: WeightSource
    state: dict[str, Tensor]
    of_base: str | None = None


def pretrained(card: Card, weights: str | Path) -> Pretrained:
    """The weights that a name on the card or a path stands for.

    Raises:
        UsageError: the card has no weights of that name.
        StriateError: they cannot be had, or are another network's.
    """
    named, state, path = _read(card, weights)
    spec = spec_of_file(path)
    until = spec.arguments.get(UNTIL) if spec is not None and spec.name == card.name else None
    base = card.base if card.base and until is None and not set(_keys(card)) <= set(state) else None
    owner = get_card(base) if base else card
    wanted = [key for key in _keys(owner, until) if not (base and key.startswith(HEAD))]
    table = key_tables(owner.family).get(recognise(state, wanted, owner.family, str(path)))
    ours = rename(state, table)
    if base is None and CLASSIFIER + "weight" not in ours:
        raise StriateError(f"{path}: the file has no {CLASSIFIER}weight; give it the whole network's tensors")
    images = table.images if table is not None else IMAGENET_STATISTICS
    source = named or _described(card, path, images)
    if table is not None:
        implied = {key: value for key, value in table.brings.items() if key in defaults_of(card)}
        source = replace(source, options={**implied, **source.options})
    if images.blue_first and source.mean == images.mean:
        ours = _red_first(ours)
    if base is not None:
        return Pretrained(source, ours, base)
    return Pretrained(replace(source, num_classes=len(ours[CLASSIFIER + "weight"])), ours)


def input_size_of(card: Card, weights: str | Path) -> int:
    """The side of image for which to build a network with these weights: theirs, or the card's where they do not say
    or are only its base's.

    Raises:
        StriateError: a file that cannot be read.
    """
    if is_named(card, weights):
        record = choose(card, weights).record
        assert record is not None
        return card.input_size if card.base else record.input_size
    path = weights_file(weights)
    if not path.is_file() or not has_metadata(path):
        return card.input_size
    if card.base and not set(_keys(card)) <= set(read_tensors(path)):
        return card.input_size
    return describe(path, card.input_size).input_size


def _described(card: Card, path: Path, images: Images) -> WeightSource:
    """The record of a file: a publisher's under its name there, else as it says; images that it says nothing of were
    as its publisher's.
    """
    for source in card.weights:
        if source.file == path.name and source.checksum.digits and source.checksum.is_of(path):
            return replace(source, name=str(path))
    describing = keras_source if path.suffix in SUFFIXES else describe
    return describing(path, card.input_size, images)


def _read(card: Card, weights: str | Path) -> tuple[WeightSource | None, dict[str, Tensor], Path]:
    """The record of weights that have a name, the tensors as their publisher names them, and where they lie."""
    choice = choose(card, weights)
    path = choice.path()
    return choice.record, read_tensors(path), path


def _keys(card: Card, until: str | None = None) -> list[str]:
    network = weightless(card.name)
    return list((network if until is None else cut_after(network, until)).state_dict())


def _red_first(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network that knows blue before red, for images with red before blue."""
    first = next(key for key, value in state.items() if value.dim() == 4)
    return {**state, first: state[first].flip(1)}


def options_needed(card: Card, found: Pretrained, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the weights need, checked against what the family has and what was asked for.

    Raises:
        UsageError: the family lacks one of them, or another value was asked for.
    """
    source, known = found.source, defaults_of(card)
    needed = {}
    for option, value in source.options.items():
        if option in (HIDDEN, UNTIL):
            continue  # other hidden layers than the weights', or another end, are fresh
        if option not in known:
            if found.of_base is None and HABITS.get(option) != value:
                raise UsageError(f"{source.name}: needs {option}={value!r}, which {card.name} does not have")
            continue  # what a base's head would have had, or a misfit that its tensors will show
        if option in options and options[option] != value:
            raise UsageError(
                f"weights '{source.name}' of {card.name} need {option}={value!r} "
                f"and {option}={options[option]!r} was asked for; leave the option out, or the weights"
            )
        needed[option] = value
    return needed


def put_in(model: ConvNet, found: Pretrained) -> None:
    """Load the weights into the network they were found for; `model.fresh` names what stays random.

    Raises:
        StriateError: they do not fit.
    """
    source = found.source
    state = found.state if found.of_base is None else _on_top_of(model, found.of_base, found.state)
    first = first_convolution(model)
    if first is not None and first[0] + ".weight" in state:
        key = first[0] + ".weight"
        state = {**state, key: adapt_channels(state[key], first[1].in_channels)}
    if not model.auxiliary:  # heads that only training used
        state = {key: value for key, value in state.items() if not key.startswith(AUXILIARY)}
    state = dict(model.fitted(state))
    if model.is_cut:
        state = _without_the_end(model, found.source, state)
    leave = _left_fresh(model, found, state)
    load_state(model, state, where=source.name, leave=leave)
    model.weights_source = source
    left = (key.rpartition(".")[0] for key, _ in model.named_parameters() if leave and key.startswith(leave))
    model.fresh = tuple(dict.fromkeys(left))


def _left_fresh(model: ConvNet, found: Pretrained, state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Beginnings of the names of tensors that stay as the network has them."""
    if found.of_base is not None or (model.is_cut and _cut_elsewhere(model, found.source)):
        return (HEAD, AUXILIARY)
    leave: tuple[str, ...] = ()
    if found.source.num_classes != model.num_classes:
        leave = (CLASSIFIER, *(f"{AUXILIARY}{name}.classifier." for name in model.auxiliary))
    start = first_dense(model.head) if HIDDEN in model.spec.arguments else None
    if start is None:
        return leave
    kept = tuple(f"{HEAD}{name}." for name, _ in list(model.head.named_children())[:start])

    def hidden(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
        others = (*kept, CLASSIFIER)
        return {
            key: tuple(x.shape) for key, x in tensors.items() if key.startswith(HEAD) and not key.startswith(others)
        }

    own, given = hidden(model.state_dict()), hidden(state)
    if own != given:  # then the classifier has other inputs, too
        leave = (*leave, CLASSIFIER, *own, *given)
    return leave


def _cut_elsewhere(model: ConvNet, source: WeightSource) -> bool:
    """Whether a network that ends early ends elsewhere than that of the weights."""
    return model.spec.arguments[UNTIL] != source.options.get(UNTIL)


def _without_the_end(model: ConvNet, source: WeightSource, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of what a network that ends early still has."""
    begins = tuple(map(_prefix, model.parts())) + (() if _cut_elsewhere(model, source) else (HEAD, AUXILIARY))
    return {key: value for key, value in state.items() if key.startswith(begins)}


def _on_top_of(model: ConvNet, base: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the base's stem and stages, in their order, under the names that `model` has for them."""
    parts = zip(weightless(base).parts(), model.parts(), strict=not model.is_cut)
    places = {_prefix(theirs): _prefix(ours) for theirs, ours in parts}
    found = {}
    for key, value in state.items():
        for theirs, ours in places.items():
            if key.startswith(theirs):
                found[ours + key.removeprefix(theirs)] = value
    return found


def _prefix(part: str) -> str:
    return "stem." if part == "stem" else f"stages.{part}."
