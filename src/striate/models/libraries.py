"""Networks of torchvision and timm by their names there, made for other classes, channels and sizes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from torch import nn

from striate.errors import StriateError, UsageError, unknown
from striate.models.references import Reference
from striate.weights.hub import hub_as_it_can_be_reached
from striate.weights.images import IMAGENET_STATISTICS

#: Arguments of theirs that fetch or read files: a name alone never does, whoever wrote it down.
FETCHING = frozenset(
    (
        *("weights", "weights_backbone", "pretrained", "pretrained_backbone", "progress"),
        *("checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir", "features_only"),
    )
)
#: Networks of torchvision that build auxiliary heads unasked (`aux_logits`), and whose own rule for the first weights
#: (`init_weights`) takes half a minute.
WITH_HEADS = ("googlenet", "inception_v3")


def library_network(
    reference: Reference,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    input_size: Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
    pretrained: bool = False,
) -> nn.Module:
    """A network of a library.

    Args:
        reference: of the kind "torchvision" or "timm".
        num_classes: outputs; the library's own number by default.
        in_channels: channels of the images; torchvision's networks take 3.
        input_size: (height, width), for those that are built for one size; the others take any.
        options: further arguments of theirs.
        pretrained: with the library's own weights, which it fetches where they are not on this machine.

    Raises:
        UsageError: there is no such network, or an argument that it does not take.
        StriateError: the library is not installed, or cannot make it so.
    """
    given = dict(options or {})
    if refused := sorted(FETCHING & given.keys()):
        raise UsageError(f"{reference}: {refused[0]} is no option of a network here; give weights by themselves")
    check_known(reference)
    make = _of_torchvision(reference.name) if reference.kind == "torchvision" else _of_timm(reference)
    if in_channels is not None and reference.kind == "timm":
        given.setdefault("in_chans", in_channels)
    elif in_channels not in (None, 3):
        raise UsageError(f"{reference} takes 3 channels, not {in_channels}; networks by name and timm:NAME take any")
    if num_classes is not None:
        given.setdefault("num_classes", num_classes)
    try:
        return _first_taken(
            str(reference), lambda **more: make(pretrained, **given, **more), _sizes(reference, input_size)
        )
    except OSError as error:  # of fetching
        reason = str(getattr(error, "reason", error)).strip().splitlines() or [type(error).__name__]
        raise StriateError(
            f"the weights of {reference} are not on this machine and cannot be fetched ({reason[0][:200]}); give a "
            "file of them: --weights FILE"
        ) from error


def check_known(reference: Reference) -> None:
    """Raise `UsageError` for a name that the library does not have, `StriateError` where it is not installed."""
    if reference.kind == "timm":
        timm = _timm(reference)
        if not timm.is_model(reference.name):
            raise unknown("network of timm", reference.name, timm.list_models(), "timm.list_models() lists them all.")
        return
    known = _torchvision().models.list_models()
    if reference.name not in known:
        raise unknown(
            "network of torchvision", reference.name, known, "torchvision.models.list_models() lists them all."
        )


def usual_shape(reference: Reference, network: nn.Module | None = None) -> tuple[int, int, int]:
    """Channels, height and width of the images that a library's network was made for; raises as `check_known`."""
    check_known(reference)
    if reference.kind == "timm":
        settings = getattr(network, "default_cfg", None) or _timm(reference).get_pretrained_cfg(reference.name)
        shape = settings["input_size"] if isinstance(settings, Mapping) else getattr(settings, "input_size", None)
        channels, height, width = shape or (3, 224, 224)
        return int(channels), int(height), int(width)
    side = int(getattr(network, "image_size", 0) or _torchvisions_size(reference.name))
    return 3, side, side


def preprocessing_of(reference: Reference, network: nn.Module | None = None) -> dict[str, Any]:
    """How a library feeds images to its own weights: size, channels, mean, std, resize rule, crop and interpolation.

    Raises:
        UsageError: it publishes none for this network, of torchvision's.
    """
    channels, height, width = usual_shape(reference, network)
    fields: dict[str, Any] = {"size": (height, width), "channels": channels}
    if reference.kind == "timm":
        settings = dict(getattr(network, "pretrained_cfg", None) or {})
        squash = settings.get("crop_mode") == "squash"
        return fields | {
            "mean": tuple(settings.get("mean", IMAGENET_STATISTICS.mean)),
            "std": tuple(settings.get("std", IMAGENET_STATISTICS.std)),
            "resize": "stretch" if squash else "crop",
            "crop_fraction": float(settings.get("crop_pct") or 0.875),
            "interpolation": "bilinear" if settings.get("interpolation") == "bilinear" else "bicubic",
        }
    weights = getattr(_torchvision().models.get_model_weights(reference.name), "DEFAULT", None)
    if weights is None:
        raise UsageError(f"{reference} has no published weights")
    made = weights.transforms()
    return fields | {
        "mean": tuple(made.mean),
        "std": tuple(made.std),
        "resize": "crop",
        "crop_fraction": min(1.0, height / made.resize_size[0]),
        "interpolation": made.interpolation.value,
    }


def version_of(reference: Reference) -> dict[str, str]:
    """The library and its version."""
    library = _timm(reference) if reference.kind == "timm" else _torchvision()
    return {reference.kind: str(library.__version__)}


def _of_torchvision(name: str) -> Callable[..., nn.Module]:
    models = _torchvision().models
    without_backbone = "weights_backbone" in inspect.signature(models.get_model_builder(name)).parameters

    def make(pretrained: bool, **options: Any) -> nn.Module:
        weights = "DEFAULT" if pretrained else None
        backbone = {"weights_backbone": None} if without_backbone else {}
        return models.get_model(name, weights=weights, **backbone, **options)

    return make


def _of_timm(reference: Reference) -> Callable[..., nn.Module]:
    timm, name = _timm(reference), reference.name

    def make(pretrained: bool, **options: Any) -> nn.Module:
        with hub_as_it_can_be_reached() if pretrained else nullcontext():
            return timm.create_model(name, pretrained=pretrained, **options)

    return make


def _sizes(reference: Reference, input_size: Sequence[int] | None) -> Iterator[dict[str, Any]]:
    """The arguments by which networks that are built for one size may take it."""
    if input_size is None:
        return
    height, width = input_size
    if reference.kind == "timm":
        yield {"img_size": height if height == width else (height, width)}
        return
    if height == width:
        yield {"image_size": height}  # of transformers
    yield {"input_size": (height, width)}


def _first_taken(what: str, make: Callable[..., nn.Module], sized: Iterator[dict[str, Any]]) -> nn.Module:
    """A network made for its size where it takes one of these arguments; most take any size, and then none."""
    for more in sized:
        try:
            return make(**more)
        except TypeError as error:
            if not any(name in str(error) for name in more):
                raise UsageError(f"{what}: {error}") from error
        except (AssertionError, ValueError) as error:
            said = ", ".join(f"{name} {value}" for name, value in more.items())
            raise StriateError(f"{what} cannot be built for {said}: {error}") from error
    try:
        return make()
    except TypeError as error:
        raise UsageError(f"{what}: {error}") from error


def _torchvisions_size(name: str) -> int:
    """The side of the images that its weights were made for; 224 where there is none."""
    try:
        return int(_torchvision().models.get_model_weights(name).DEFAULT.transforms().crop_size[0])
    except AttributeError:  # of weights for other tasks
        return 224


def _torchvision() -> Any:
    import torchvision

    return torchvision


def _timm(reference: Reference) -> Any:
    try:
        import timm
    except ImportError as error:
        raise StriateError(f"{reference} needs timm: pip install 'striate[timm]'") from error
    return timm
