"""A pretrained network used as it is: without training, with its own class names and its own preprocessing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from striate.data import Preprocessing
from striate.errors import UsageError
from striate.files import at_home
from striate.models import ModelSpec, Network, create_model
from striate.models.catalogue import own_name
from striate.models.foreign import Foreign
from striate.models.hub import hub_model
from striate.models.imagenet import imagenet_names
from striate.models.libraries import library_network, preprocessing_of
from striate.models.origin import origin_of
from striate.models.recognition import spec_in
from striate.models.references import Reference, reference_to
from striate.models.weights_of_own import put_in
from striate.training.model_file import Description, load_model
from striate.version import __version__
from striate.weights import WeightSource
from striate.weights.files import OWN_MODEL, read_metadata, weights_file
from striate.weights.hub import is_hub


def pretrained(
    model: str, weights: str | Path | None = None, classes: tuple[str, ...] = ()
) -> tuple[Network, Description]:
    """A network with published weights, and what is needed to use it.

    Args:
        model: a name of the catalogue, `torchvision:NAME`, `timm:NAME`, or a repository of the Hub's (`hf:ORG/NAME`).
        weights: a name on the card, a repository, or a file; by default the card's first, or the library's own.
        classes: names of its outputs, where the weights are not ImageNet's and do not say them.

    Raises:
        UsageError: nothing has that name, or there are no weights to use it with.
        StriateError: the weights cannot be had or do not fit.
    """
    if is_hub(model):
        weights, model = weights or model, hub_model(model).network
    reference = reference_to(model)
    if weights is not None and (spec := _trained(weights)) is not None:
        return _of_run(reference, model, spec, weights_file(weights), classes)
    if reference is None:
        return _of_catalogue(model, weights, classes)
    if reference.is_named_code:
        raise UsageError(f"{model}: a network of your own has no published weights; load the run that trained it")
    return _of_library(reference, weights, classes)


def _trained(weights: str | Path) -> ModelSpec | None:
    """The network of a run, or of the file of one; None for weights that were published, or are none."""
    if not at_home(weights).exists():
        return None
    file = weights_file(weights)
    return spec_in(file) if file.suffix == ".safetensors" and OWN_MODEL in read_metadata(file) else None


def _of_run(
    reference: Reference | None, model: str, spec: ModelSpec, file: Path, classes: tuple[str, ...]
) -> tuple[Network, Description]:
    """What a run came to, where it is one of the network that was asked for."""
    asked = str(reference) if reference else own_name(model)
    if asked != spec.name:
        raise UsageError(f"{file}: weights of {spec.name}, not of {asked}; load it by itself.")
    network, description = load_model(file)
    return network, replace(description, classes=tuple(classes)) if classes else description


def _of_catalogue(model: str, weights: str | Path | None, classes: tuple[str, ...]) -> tuple[Network, Description]:
    network = create_model(model, weights=weights or _first(model))
    source = network.weights_source
    assert source is not None
    if network.fresh:
        raise UsageError(f"{model} with weights '{source.name}' has no head that was trained; train one")
    side = (source.input_size, source.input_size) if network.fixed_size is None else network.fixed_size
    mean, std = source.normalisation(network.in_channels)
    look = Preprocessing(side, network.in_channels, mean, std, "crop", source.crop_fraction, source.interpolation)
    return network.eval(), _described(network, look, classes or source.classes, source)


def _first(model: str) -> str:
    """The name of a network's published weights."""
    from striate.models import get_card

    card = get_card(model)
    if not card.weights:
        raise UsageError(f"{card.name} has no published weights; give a file of them: --weights FILE")
    return card.weights[0].name


def _of_library(
    reference: Reference, weights: str | Path | None, classes: tuple[str, ...]
) -> tuple[Network, Description]:
    if is_hub(weights):
        return _of_hub(reference, str(weights), classes)
    if weights is not None and not at_home(weights).is_file():
        raise UsageError(f"weights {weights} of {reference}: no such file; leave them out for the library's own")
    module = library_network(reference, pretrained=weights is None)
    fields = preprocessing_of(reference, module)
    size, channels = fields.pop("size"), fields.pop("channels")
    known = {"num_classes": None, "in_channels": channels, "input_size": list(size)}
    network = Foreign(module, ModelSpec(str(reference), known, origin_of(reference)), channels, size, True)
    network.spec = ModelSpec(str(reference), {**known, "num_classes": network.num_classes}, network.spec.origin)
    if weights is not None:
        put_in(network, weights)
        if network.fresh:
            raise UsageError(f"{weights}: are for other classes than {reference} has; train with --weights")
    look = Preprocessing(size, channels, **fields)
    return network.eval(), _described(network, look, classes, None)


def _of_hub(reference: Reference, weights: str, classes: tuple[str, ...]) -> tuple[Network, Description]:
    """A network of timm's that the catalogue lacks, with what a repository of the Hub's holds and says."""
    source = hub_model(weights).source
    size = (source.input_size, source.input_size)
    known: dict[str, Any] = {
        "num_classes": source.num_classes,
        "in_channels": len(source.mean),
        "input_size": list(size),
    }
    module = library_network(reference, **known)
    network = Foreign(module, ModelSpec(str(reference), known, origin_of(reference)), len(source.mean), size, True)
    put_in(network, weights)
    look = Preprocessing(
        size, len(source.mean), source.mean, source.std, "crop", source.crop_fraction, source.interpolation
    )
    return network.eval(), _described(network, look, classes or source.classes, source)


def _described(
    network: Network, look: Preprocessing, classes: tuple[str, ...], source: WeightSource | None
) -> Description:
    count = max(2, network.num_classes)
    names = classes or (imagenet_names() if count == len(imagenet_names()) else ())
    if not names:
        raise UsageError(
            f"{network.spec.name}: its {count} outputs are not ImageNet's 1,000 classes, and the weights do not name "
            "them; give classes=(...)"
        )
    if len(names) != count or len(set(names)) < count:
        raise UsageError(f"{network.spec.name} has {count} outputs; {len(names)} names of classes were given")
    versions: dict[str, Any] = {"striate": __version__, "torch": torch.__version__}
    metrics = {"weights": source.name} if source is not None else {}
    return Description(network.spec.to_dict(), tuple(names), look, metrics=metrics, versions=versions)


def is_pretrained_name(name: str | Path) -> bool:
    """Whether a name is that of a network of the catalogue or a library, and nothing of it lies on the disk."""
    from striate.models import list_models

    text = str(name)
    if is_hub(text):
        return True
    if isinstance(name, Path) and len(name.parts) > 1:
        return False
    if at_home(text).exists():
        return False
    reference = reference_to(text)
    return not reference.is_named_code if reference else own_name(text) in list_models()
