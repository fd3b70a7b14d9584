"""Plan a run: fill in what the caller left open, so that config.json says all of it."""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from pathlib import Path

import torch

from striate.classifier.choices import (
    default_network,
    enlarged_notes,
    input_size,
    preprocessing_for,
    size_notes,
    typical_side_of,
    workers_for,
)
from striate.classifier.costs import costs_of
from striate.classifier.growth import plan_growth
from striate.classifier.places import place_of
from striate.classifier.recipe_choice import preset_of, recipe_for
from striate.classifier.request import Request
from striate.classifier.run_config import RunConfig
from striate.classifier.transfer_choice import choose_transfer
from striate.data import Dataset, Preprocessing
from striate.data.preprocessing import SMALL
from striate.files import at_home
from striate.models import ConvNet, Network, Outline, get_card, obtain, outline_of
from striate.models.choice import is_named
from striate.models.defaults_taken import defaults_taken
from striate.models.foreign import Foreign
from striate.models.foreign_notes import foreign_notes
from striate.models.references import reference_to
from striate.training.auxiliary import auxiliary_options
from striate.training.first_weights import first_weights_note
from striate.training.hardware import choose_precision, device_type
from striate.training.recipes import KEPT, LONGEST_WARMUP, Recipe
from striate.training.tasks import task_of
from striate.training.trained_set import check_parts
from striate.training.unfreezing import never_thaws, thaws_in
from striate.training.watch import Watch
from striate.transfer.copies import VIEWS, cheap_views
from striate.transfer.regimes import AUTO, FEATURES, steps_of, unfreezing
from striate.version import __version__
from striate.weights import describe
from striate.weights.files import OWN_MODEL, has_metadata, read_metadata
from striate.weights.hub import is_hub

#: Of these the recipe decides.
AUXILIARY = ("auxiliary",)


def channels_wanted(asked: Request) -> int | None:
    """Channels of the images that a network or its weights want; None where it takes what the images have."""
    if asked.model is None:
        return None
    if isinstance(asked.model, str) and reference_to(asked.model) is None:
        return pretrained_channels(asked.model, asked.starting_file) if asked.starting_file else None
    return outline_of(asked.model, asked.options).in_channels


def pretrained_channels(model: str, weights: str | Path) -> int:
    """Channels of the images that pretrained weights want: a classifier's own file says, else the network's card."""
    card, file = get_card(model), at_home(weights)
    if file.is_file() and has_metadata(file) and OWN_MODEL in read_metadata(file):
        return len(describe(file, card.input_size).mean)
    return card.in_channels


def adapts_channels(asked: Request) -> bool:
    """Whether filters of the weights are adapted where images cannot be given the channels that they are for."""
    named = isinstance(asked.model, str) and reference_to(asked.model) is None
    return named and asked.weights is not None


def plan_run(dataset: Dataset, asked: Request, watch: Watch | None = None) -> RunConfig:
    """Everything that decides a run: what was asked for, and what suits the images where nothing was.

    Args:
        dataset: the images.
        asked: what was asked for.
        watch: shows what takes a while.

    Raises:
        UsageError: an unknown name or an impossible value.
        StriateError: weights that do not fit, a device that is not there.
    """
    side, task = typical_side_of(dataset), task_of(dataset)
    asked, transfer, decided = choose_transfer(asked, dataset, watch)
    model = asked.model or default_network(dataset, side)
    outline = outline_of(model, asked.options)
    size, notes = asked.size, list(decided)
    if size is None:
        size = input_size(outline, side, asked.starting_file)
        notes += size_notes(dataset, side, size)
    preset = preset_of(asked, transfer, len(dataset.train), side is not None and side <= SMALL, size)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(asked.seed)  # a module that is handed over keeps the head that it is given here
        network = obtain(
            model,
            num_classes=task.outputs(outline.num_classes),
            in_channels=dataset.channels,
            input_size=(size, size),
            weights=asked.weights,
            options=auxiliary_options(outline, asked.options, asked.settings, preset),
        )
        grown, told = plan_growth(network, asked.grow_from, asked.grow_rule)
    notes += [*told, *_stand_in(network, asked.weights)]
    if isinstance(network, ConvNet):
        notes += defaults_taken(network, {*asked.options, *AUXILIARY})
    if isinstance(network, Foreign):
        notes += foreign_notes(network, asked.weights)
    notes += enlarged_notes(network, side, size)
    preprocessing = preprocessing_for(network, dataset, size, asked.resize)
    _try(network, preprocessing)
    recipe, more = recipe_for(preset, asked, network, dataset, task)
    if transfer in (FEATURES.name, AUTO):  # nothing, or perhaps nothing, is trained by steps
        more = [f"should it be trained: {note}" for note in more if transfer == AUTO]
    freeze = asked.freeze
    if transfer and not freeze:
        steps = steps_of(network, transfer)
        freeze = steps[0]
        if "unfreeze" not in asked.settings and freeze is not None:
            recipe = replace(recipe, unfreeze=unfreezing(steps, recipe.epochs))
    check_parts(network, freeze, recipe)
    kind, devices = device_type(asked.device), asked.devices
    precision = "32" if transfer == FEATURES.name else asked.precision  # nothing is trained
    costs = costs_of(network, preprocessing)
    return RunConfig(
        network=network.spec,
        weights=_weights(outline, asked.weights),
        grown=grown,
        freeze=freeze,
        transfer=transfer,
        views=_views(asked, transfer, costs.multiply_adds, len(dataset.train)),
        shallow=asked.shallow or "",
        preprocessing=preprocessing,
        recipe=recipe,
        classes=tuple(dataset.classes),
        fingerprint=dataset.fingerprint,
        task=task.to_dict(),
        target=asked.columns,
        **place_of(str(dataset.source)),
        val_fraction=asked.val_fraction,
        seed=asked.seed,
        device=kind,
        devices=devices,
        precision=choose_precision(precision, kind, costs.multiply_adds, recipe.batch_size // devices),
        workers=workers_for(dataset, side, asked.workers),
        cache=asked.cache,
        threads=torch.get_num_threads(),
        versions={
            "striate": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        notes=(
            *notes,
            *more,
            *_start(network, asked.weights),
            *_warnings(network, recipe, asked.starting_file, transfer),
        ),
        command=asked.command,
        created=time.strftime("%Y-%m-%d %H:%M:%S"),
    )


def _views(asked: Request, transfer: str, multiply_adds: int, images: int) -> int | None:
    """Augmented copies for the classifier of features; None where there is none, or it is not decided yet."""
    if asked.views is not None or transfer in ("", AUTO):
        return asked.views
    return cheap_views(multiply_adds, images) if transfer == FEATURES.name else VIEWS


def _stand_in(network: Network, weights: str | Path | None) -> list[str]:
    """That a file in a folder of weights was taken for a network's usual ones."""
    source = network.weights_source
    if source is None or not isinstance(network, ConvNet) or not is_named(get_card(network.spec.name), str(weights)):
        return []
    return [f"for the weights '{weights}' stands {source.name}"] if Path(source.name).is_absolute() else []


def _start(network: Network, weights: str | Path | None) -> list[str]:
    """What of a network on another's base starts from the weights, and what does not."""
    base = None if network.spec.origin else get_card(network.spec.name).base
    if base is None or not network.fresh:
        return []
    return [f"the convolutions start from {base}'s weights '{weights}', {' and '.join(network.fresh)} from random ones"]


def _warnings(network: Network, recipe: Recipe, weights: str | Path | None, transfer: str) -> list[str]:
    """What is possible and hardly meant."""
    found = []
    if network.frozen and not weights and not transfer:
        until = "all" if len(network.frozen) == len(network.parts()) else network.frozen[-1]
        first = "".join(f" before epoch {thaw.epoch}" for thaw in thaws_in(recipe.unfreeze)[:1])
        found.append(
            f"frozen until '{until}' at random first weights: nothing is learnt there{first}; freeze with pretrained "
            "weights"
        )
    if recipe.norm_statistics == KEPT and not weights:
        found.append("norm_statistics=kept at random first weights: batch norms have no statistics that are worth it")
    if recipe.learning_rate == 0:
        found.append("the learning rate is 0: no weight will change")
    if recipe.warmup_epochs > LONGEST_WARMUP * recipe.epochs:
        found.append(f"the warm-up takes {LONGEST_WARMUP:.0%} of training, not {recipe.warmup_epochs:g} epochs")
    late = never_thaws(thaws_in(recipe.unfreeze), recipe.epochs)
    found += [note for note in (first_weights_note(network, recipe.init, weights), recipe.never_falls(), late) if note]
    return found


def _try(network: Network, preprocessing: Preprocessing) -> None:
    """Raise InputError now, not in the first step, when the network cannot work at this size."""
    with torch.device("meta"):
        shape = (2, network.in_channels, *preprocessing.size)
        network.check_input(torch.empty(shape))


def _weights(outline: Outline, weights: str | Path | None) -> str | None:
    """What says the same from any folder: a name on the card, a repository of the Hub's, or an absolute path."""
    if not weights:
        return None
    named = is_named(outline.card, weights) if outline.card else is_hub(weights)
    return str(weights) if named else str(at_home(weights).absolute())
