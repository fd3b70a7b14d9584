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
from striate.data import ArrayImages, Dataset, KeptImages, Preprocessing
from striate.data.survey import size_text, typical_side
from striate.data.workers import worker_count
from striate.errors import UsageError
from striate.files import at_home
from striate.models import ConvNet, create_model, get_card
from striate.models.pretrained import input_size_of
from striate.training.auxiliary import auxiliary_options, auxiliary_weight
from striate.training.hardware import choose_precision, device_type
from striate.training.limits import check_validated
from striate.training.losses import choose_loss
from striate.training.recipes import LONGEST_WARMUP, Recipe, get_recipe
from striate.weights import describe
from striate.weights.files import OWN_MODEL, read_metadata
from striate.weights.keras import SUFFIXES

FORMAT = "striate run 1"

#: Images of this many pixels a side or less are small: they get a network for small images at their own size.
SMALL = 64


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
    side = _side(dataset)
    preset = get_recipe(recipe) if isinstance(recipe, str) else recipe
    name = model or settings.get("network") or (preset.network if preset else "") or _network(dataset, side)
    options = auxiliary_options(name, options, settings, preset)
    notes = []
    if size is None:
        size = _input_size(name, side, weights)
        notes += _size_notes(dataset, side, size)
    network = create_model(
        name,
        num_classes=_outputs(name, len(dataset.classes)),
        in_channels=dataset.channels,
        input_size=size,
        weights=weights,
        **options,
    )
    preprocessing = _preprocessing(network, dataset, size)
    _try(network, preprocessing)
    if freeze:
        network.freeze(freeze)
    chosen = preset or get_recipe("finetune" if weights else "tiny" if size <= SMALL else "photos")
    fitting = _fitting_batch(len(dataset.train))
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
        "workers": _workers(dataset, side, workers),
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


def _network(dataset: Dataset, side: int | None) -> str:
    """The network where none is asked for."""
    if side is None or side > SMALL:
        return "resnet18"
    return "striate_m" if dataset.channels == 1 else "striate_l"


def _outputs(name: str, classes: int) -> int:
    """One output for each class; a network that is made for one sigmoid separates two classes by it."""
    return 1 if classes == 2 and get_card(name).num_classes == 1 else classes


def _fitting_batch(images: int) -> int:
    """The largest power of two, at least 2, that gives an epoch ten steps; all images where there are fewer."""
    return min(images, max(2, 2 ** ((images // 10).bit_length() - 1)))


def _side(dataset: Dataset) -> int | None:
    """The longer side of a typical training image; None where nobody has looked at their sizes."""
    images, facts = dataset.train.images, dataset.train.facts
    if facts is not None:
        return typical_side(facts.sizes)
    return max(images.array.shape[1:3]) if isinstance(images, ArrayImages) else None


def _size_notes(dataset: Dataset, side: int | None, size: int) -> list[str]:
    """How images of several sizes came to be shown at the size of some of them."""
    sizes = dataset.survey.sizes if dataset.survey else None
    if sizes is None or sizes.different == 1 or size != side:
        return []
    between = f"from {size_text(sizes.smallest)} to {size_text(sizes.largest)}"
    return [
        f"the images are of {sizes.different:,} sizes, {between}; the network sees {size}x{size}, chosen by the middle "
        "one of their longer sides"
    ]


def _input_size(name: str, side: int | None, weights: str | Path | None) -> int:
    card = get_card(name)
    if weights:
        return input_size_of(card, weights)
    smallest = card.smallest("small")
    if side is None or side > SMALL or side < smallest:
        return card.input_size
    # Networks made for small images see them at their own size; others at the size they were made for.
    return card.input_size if card.fixed_size else max(side, smallest)


def _preprocessing(network: ConvNet, dataset: Dataset, size: int) -> Preprocessing:
    source = network.weights_source
    side = _side(dataset)
    if source is not None:
        mean, std = source.normalisation(dataset.channels)
        crop, way = source.crop_fraction, source.interpolation
        return Preprocessing((size, size), dataset.channels, mean, std, "crop", crop, way)
    # Small pictures are shown whole: a centre crop would cut their edges off.
    whole = side is not None and side <= SMALL
    return Preprocessing.for_dataset(dataset, (size, size), resize="squash" if whole else "crop")


def _try(network: ConvNet, preprocessing: Preprocessing) -> None:
    """Raise InputError now, not in the first step, when the network cannot work at this size."""
    with torch.device("meta"):
        shape = (2, network.in_channels, *preprocessing.size)
        network.check_input(torch.empty(shape))


def _weights(name: str, weights: str | Path | None) -> str | None:
    """What says the same from any folder: a name on the card, or an absolute path."""
    named = {source.name for source in get_card(name).weights}
    return str(weights) if weights in named else str(at_home(weights).absolute()) if weights else None


def _workers(dataset: Dataset, side: int | None, wanted: int | None) -> int:
    """Worker processes: none for small images in memory, whose batches cost less than sending them would."""
    if wanted is not None:
        return wanted
    images = dataset.train.images
    is_small = isinstance(images, KeptImages) and side is not None and side <= SMALL
    return 0 if isinstance(images, ArrayImages) or is_small else worker_count()
