"""Finding the network that a command's argument names, wherever it is: the catalogue, a run, a library, a file."""

from __future__ import annotations

import re
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.errors import StriateError, UsageError, unknown

if TYPE_CHECKING:
    from torch import nn

    from striate.models import Card

Device = Annotated[
    str, typer.Option(help="meta: run without values; cpu: on real ones, for a network that reads its values.")
]
Input = Annotated[
    str | None, typer.Option("--input", help="Shape of one input, such as 3x224x224; else what the network says.")
]

NETWORK = (
    "A network's name, a run folder, a model's .safetensors file, torchvision:NAME, timm:NAME, "
    "or file.py:FUNCTION that returns a module."
)


@dataclass(frozen=True)
class Located:
    """A network and the shape of one input for it; `card` for those of the catalogue."""

    name: str
    model: nn.Module
    shape: tuple[int, ...]
    card: Card | None = None


def locate(
    network: str,
    *,
    size: int | None = None,
    classes: int | None = None,
    channels: int | None = None,
    shape: str | None = None,
    device: str = "meta",
) -> Located:
    """Build what `network` names, without weights' memory where `device` is "meta".

    Raises:
        UsageError: nothing has that name, or the options do not go with it.
        StriateError: it cannot be built; for a user's file the line that failed.
    """
    import torch

    if device not in ("meta", "cpu"):
        raise unknown("device", device, ("meta", "cpu"))
    for option, value in (("--size", size), ("--channels", channels), ("--classes", classes)):
        if value is not None and value < 1:
            raise UsageError(f"{option} is {value}; it must be at least 1")
    given = None if shape is None else _parsed(shape)
    library, _, name = network.partition(":")
    with torch.device("meta") if device == "meta" else nullcontext():
        if library == "torchvision" and name:
            found = _from_torchvision(name, size, classes, channels)
        elif library == "timm" and name:
            found = _from_timm(name, size, classes, channels)
        elif re.search(r"\.py(:|$)", network):
            _refuse(network, classes=classes)
            found = _from_file(network, size, channels, given, device)
        elif _is_trained(network):
            _refuse(network, classes=classes, channels=channels)
            found = _from_run(network, size)
        else:
            found = _from_catalogue(network, size, classes, channels)
    return found if given is None else Located(found.name, found.model, given, found.card)


def _parsed(shape: str) -> tuple[int, ...]:
    """The numbers of "3x224x224" or "3,224,224"."""
    try:
        sizes = tuple(int(part) for part in re.split("[x×,]", shape))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UsageError(f"--input {shape}: a shape is written such as 3x224x224")
    return sizes


def _refuse(network: str, **options: int | None) -> None:
    if any(value is not None for value in options.values()):
        flags = " and ".join(f"--{name}" for name in options)
        raise UsageError(f"{network} is given as it is: {flags} {'are' if len(options) > 1 else 'is'} for others.")


def _is_trained(network: str) -> bool:
    from striate.models import list_models

    path = Path(network)
    return path.suffix == ".safetensors" or (path.is_dir() and network not in list_models())


def _from_run(network: str, size: int | None) -> Located:
    import torch

    from striate.classifier import load

    with torch.device("cpu"):
        classifier = load(network)
    model, look = classifier.model, classifier.description.preprocessing
    return Located(network, model, (model.in_channels, *(look.size if size is None else (size, size))))


def _from_catalogue(network: str, size: int | None, classes: int | None, channels: int | None) -> Located:
    from striate.models import create_model, get_card

    card = get_card(network)
    model = create_model(network, num_classes=classes, in_channels=channels, input_size=size)
    side = card.input_size if size is None else size
    return Located(card.name, model, (model.in_channels, side, side), card)


def _from_torchvision(name: str, size: int | None, classes: int | None, channels: int | None) -> Located:
    import torchvision

    known = torchvision.models.list_models()
    if name not in known:
        raise unknown("network of torchvision", name, known)
    if channels not in (None, 3):
        raise UsageError(f"torchvision:{name} takes 3 channels, not {channels}; --channels is for other networks")
    options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False  # their own rule takes half a minute
    if "weights_backbone" in _parameters(torchvision.models.get_model_builder(name)):
        options["weights_backbone"] = None
    model = torchvision.models.get_model(name, weights=None, **options)
    side = size or _torchvisions_size(name)
    return Located(f"torchvision:{name}", model, (3, side, side))


def _parameters(function: Any) -> Any:
    import inspect

    return inspect.signature(function).parameters


def _torchvisions_size(name: str) -> int:
    """The side of the images that its weights were made for; 224 where there is none."""
    import torchvision

    try:
        return int(torchvision.models.get_model_weights(name).DEFAULT.transforms().crop_size[0])
    except (AttributeError, TypeError, IndexError):
        return 224


def _from_timm(name: str, size: int | None, classes: int | None, channels: int | None) -> Located:
    try:
        import timm
    except ImportError as error:
        raise StriateError(f"timm:{name} needs timm: pip install 'striate[timm]'") from error
    if not timm.is_model(name):
        raise unknown("network of timm", name, timm.list_models())
    options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    if channels is not None:
        options["in_chans"] = channels
    sized: dict[str, Any] = {} if size is None else {"img_size": size}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm's words on names that it has given up
        try:
            model = timm.create_model(name, pretrained=False, **options, **sized)
        except TypeError:  # most take any size, and then no such argument
            model = timm.create_model(name, pretrained=False, **options)
    usual = tuple(getattr(model, "default_cfg", {}).get("input_size", (3, 224, 224)))
    sides = usual[1:] if size is None else (size, size)
    return Located(f"timm:{name}", model, (usual[0] if channels is None else channels, *sides))


def _from_file(
    network: str, size: int | None, channels: int | None, given: tuple[int, ...] | None, device: str
) -> Located:
    from striate.cli.user_file import build

    model = build(network, weightless=device == "meta")
    own = getattr(model, "input_shape", None)
    if given is not None:
        shape = given
    elif own is not None and size is None and channels is None:
        shape = tuple(own)
    else:
        shape = _guessed(model, size, channels)
    return Located(network, model, shape)


def _guessed(model: nn.Module, size: int | None, channels: int | None) -> tuple[int, ...]:
    """From the first layer: a convolution's channels with the usual size, or a dense layer's inputs."""
    from torch.nn import Conv1d, Conv2d, Conv3d, Linear

    for layer in model.modules():
        for rank, kind in ((1, Conv1d), (2, Conv2d), (3, Conv3d)):
            if isinstance(layer, kind):
                return (channels or layer.in_channels, *(size or 224,) * rank)
        if isinstance(layer, Linear):
            return (layer.in_features,)
    return (channels or 3, size or 224, size or 224)
