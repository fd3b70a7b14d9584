"""Plan a run: fill in what the user left open, so that config.json says all of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import striate
from striate.analysis import summary
from striate.classifier.choices import (
    SMALL,
    default_network,
    fitting_batch,
    input_size,
    preprocessing_for,
    size_notes,
    typical_side_of,
    workers_for,
)
from striate.data import Dataset, Preprocessing
from striate.errors import UsageError
from striate.files import at_home
from striate.models import ConvNet, create_model, get_card
from striate.training.auxiliary import auxiliary_options, auxiliary_weight
from striate.training.hardware import choose_precision, device_type
from striate.training.limits import check_validated
from striate.training.losses import choose_loss
from striate.training.recipes import LONGEST_WARMUP, Recipe, get_recipe
from striate.weights import describe
from striate.weights.files import OWN_MODEL, read_metadata
from striate.weights.keras import SUFFIXES

FORMAT = "striate run 1"


def pretrained_channels(model: str, weights: str | Path) -> int:
    """Channels of the images that pretrained weights want: a classifier's own file says, else the network's card."""
    card, file = get_card(model), at_home(weights)
    if file.is_file() and file.suffix not in SUFFIXES and OWN_MODEL in read_metadata(file):
        return len(describe(file, card.input_size).mean)
    return card.in_channels


def plan_run(
    dataset: Dataset,
    *,
    model: str | None,
    weights: str | Path | None,
    recipe: str | Recipe | None,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    size: int | None,
    freeze: str | None,
    seed: int,
    device: str,
    devices: int,
    precision: str,
    workers: int | None,
) -> dict[str, Any]:
    """Everything that decides a run, as plain values for config.json.

    Raises:
        UsageError: an unknown name or an impossible value.
        StriateError: weights that do not fit, a device that is not there.
    """
    side = typical_side_of(dataset)
    preset = get_recipe(recipe) if isinstance(recipe, str) else recipe
    name = model or default_network(dataset, side)
    options = auxiliary_options(name, options, settings, preset)
    notes = []
    if size is None:
        size = input_size(name, side, weights)
        notes += size_notes(dataset, side, size)
    network = create_model(
        name,
        num_classes=_outputs(name, len(dataset.classes)),
        in_channels=dataset.channels,
        input_size=size,
        weights=weights,
        **options,
    )
    preprocessing = preprocessing_for(network, dataset, size)
    _try(network, preprocessing)
    if freeze:
        network.freeze(freeze)
    chosen = preset or get_recipe("finetune" if weights else "tiny" if size <= SMALL else "photos")
    fitting = fitting_batch(len(dataset.train))
    if "batch_size" not in settings and fitting < chosen.batch_size:
        chosen = chosen.with_batch_size(fitting)
        notes.append(
            f"batches of {fitting} images, since there are only {len(dataset.train)} to train on; "
            f"learning rate {chosen.learning_rate:.3g} to suit"
        )
    chosen = chosen.override(settings)
    choose_loss(chosen.loss, network.loss, chosen.label_smoothing)  # raises where they do not go together
    chosen = replace(chosen, auxiliary_weight=auxiliary_weight(network, chosen))
    check_validated(chosen, dataset.val is not None)
    if chosen.batch_size % devices:
        raise UsageError(f"a batch of {chosen.batch_size} cannot be shared evenly by {devices} devices.")
    kind = device_type(device)
    costs = summary(network, (network.in_channels, *preprocessing.size))
    return {
        "format": FORMAT,
        "network": network.spec.to_dict(),
        "weights": _weights(name, weights),
        "freeze": freeze,
        "preprocessing": preprocessing.to_dict(),
        "recipe": chosen.to_dict(),
        "classes": list(dataset.classes),
        "fingerprint": dataset.fingerprint,
        "seed": seed,
        "device": kind,
        "devices": devices,
        "precision": choose_precision(precision, kind, costs.multiply_adds, chosen.batch_size // devices),
        "workers": workers_for(dataset, side, workers),
        "threads": torch.get_num_threads(),
        "versions": {
            "striate": striate.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "notes": notes + _start(network, weights) + _warnings(network, chosen, weights),
    }


def _start(network: ConvNet, weights: str | Path | None) -> list[str]:
    """What of a network on another's base starts from the weights, and what does not."""
    base = get_card(network.spec.name).base
    if base is None or not network.fresh:
        return []
    return [f"the convolutions start from {base}'s weights '{weights}', {' and '.join(network.fresh)} from random ones"]


def _warnings(network: ConvNet, recipe: Recipe, weights: str | Path | None) -> list[str]:
    """What is possible and hardly meant."""
    found = []
    if network.frozen and not weights:
        until = "all" if len(network.frozen) == len(network.parts()) else network.frozen[-1]
        found.append(f"frozen until '{until}' at random first weights: nothing is learnt there; freeze with --weights")
    if recipe.learning_rate == 0:
        found.append("the learning rate is 0: no weight will change")
    if recipe.warmup_epochs > LONGEST_WARMUP * recipe.epochs:
        found.append(f"the warm-up takes {LONGEST_WARMUP:.0%} of training, not {recipe.warmup_epochs:g} epochs")
    return found


def _outputs(name: str, classes: int) -> int:
    """One output for each class; a network that is made for one sigmoid separates two classes by it."""
    return 1 if classes == 2 and get_card(name).num_classes == 1 else classes


def _try(network: ConvNet, preprocessing: Preprocessing) -> None:
    """Raise InputError now, not in the first step, when the network cannot work at this size."""
    with torch.device("meta"):
        shape = (2, network.in_channels, *preprocessing.size)
        network.check_input(torch.empty(shape))


def _weights(name: str, weights: str | Path | None) -> str | None:
    """What says the same from any folder: a name on the card, or an absolute path."""
    named = {source.name for source in get_card(name).weights}
    return str(weights) if str(weights) in named else str(at_home(weights).absolute()) if weights else None
