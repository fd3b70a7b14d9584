"""Any network by its name or reference, with the face of a network: the catalogue's, a library's, one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from striate.analysis.weightless import uncompiled
from striate.errors import StriateError, UsageError
from striate.models.card import ModelSpec
from striate.models.create import create_model
from striate.models.foreign import Foreign
from striate.models.libraries import WITH_HEADS, library_network
from striate.models.network import Network
from striate.models.origin import Handed, Trust, made_in_package, origin_of, origin_of_module, reference_in
from striate.models.references import Reference, reference_of, reference_to
from striate.models.signature import KNOWN, filled_in
from striate.models.user_file import module_in
from striate.models.weights_of_own import put_in


def obtain(
    model: str | Handed,
    *,
    num_classes: int | None = None,
    in_channels: int = 3,
    input_size: Sequence[int] = (224, 224),
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Network:
    """A network made for a number of classes, of channels and a size of image.

    Args:
        model: a name of the catalogue, `torchvision:NAME`, `timm:NAME`, `file.py:function`, `package.module:Class`;
            a module; or a function or class that makes one.
        num_classes: outputs; where its function does not ask for them its last layer is made anew. None for as it is.
        in_channels: channels of the images.
        input_size: (height, width) in pixels.
        weights: see `create_model`; of a network that is not of the catalogue, a file with the tensors of its own.
        options: of the network, or further arguments of its function.

    Raises:
        UsageError: nothing has that name, an option that it does not take, or a head that cannot be made anew.
        StriateError: its code fails, with the line that failed; weights that do not fit.
    """
    if isinstance(model, str) and reference_to(model) is None:
        size = tuple(input_size)
        return create_model(
            model,
            num_classes=num_classes,
            in_channels=in_channels,
            input_size=size[0] if size[0] == size[1] else size,
            weights=weights,
            **(options or {}),
        )
    arguments = {
        "num_classes": num_classes,
        "in_channels": in_channels,
        "input_size": list(input_size),
        **(options or {}),
    }
    network = adapt(model, arguments)
    if num_classes is not None and network.num_classes not in (num_classes, 1 if num_classes == 2 else num_classes):
        network.reset_head(num_classes)
    network.spec = ModelSpec(network.spec.name, {**arguments, "num_classes": network.num_classes}, network.spec.origin)
    if weights is not None:
        put_in(network, weights)
    return network


def adapt(model: str | Handed, arguments: Mapping[str, Any]) -> Foreign:
    """A network that is not of the catalogue, with the face of one and the head that it has by itself.

    Args:
        model: as `obtain` takes it.
        arguments: `KNOWN` and further ones of its function.

    Raises:
        UsageError, StriateError: as `obtain`.
    """
    if isinstance(model, nn.Module):
        reference, name, origin = None, type(model).__name__, origin_of_module(model)
        module = uncompiled(model)
    else:
        reference = reference_of(model) if not isinstance(model, str) else reference_to(model)
        assert reference is not None
        name, origin = str(reference), origin_of(reference)
        module = _build(reference, arguments) if isinstance(model, str) else _made(model, arguments, name)
    height, width = arguments["input_size"]
    known_to_take_it = True if reference is not None and not reference.is_named_code else None
    spec = ModelSpec(name, dict(arguments), origin)
    return Foreign(module, spec, arguments["in_channels"], (height, width), known_to_take_it)


def rebuild(spec: ModelSpec, trust: Trust) -> Network:
    """The network that a spec describes, with random weights.

    Raises:
        StriateError: it is made by code that is not trusted; see `striate.models.origin`.
    """
    if trust.handed is not None and spec.origin:
        made: str | Handed = trust.handed
    elif spec.origin:
        made = str(reference_in(spec.origin, trust))
    else:
        return create_model(spec.name, **spec.arguments)
    options = dict(spec.arguments)
    known = {name: options.pop(name) for name in KNOWN}
    network = obtain(made, **known, options=options)
    network.spec = spec
    return network


def _build(reference: Reference, arguments: Mapping[str, Any]) -> nn.Module:
    if not reference.is_named_code:
        known = {name: arguments[name] for name in KNOWN}
        options = {name: value for name, value in arguments.items() if name not in KNOWN}
        if str(reference) in (f"torchvision:{name}" for name in WITH_HEADS):
            options = {"init_weights": True, "aux_logits": False, **options}
        return library_network(reference, **known, options=options)
    if reference.kind == "package":
        return _made(made_in_package(reference), arguments, str(reference))
    return uncompiled(module_in(str(reference), lambda make: make(**filled_in(make, arguments))))


def _made(make: Callable[..., nn.Module], arguments: Mapping[str, Any], what: str) -> nn.Module:
    try:
        module = make(**filled_in(make, arguments))
    except StriateError:
        raise
    except Exception as error:
        raise StriateError(f"{what} fails ({type(error).__name__}: {error})") from error
    if not isinstance(module, nn.Module):
        raise UsageError(f"{what} returns a value of type {type(module).__name__}; it must return a torch.nn.Module")
    return uncompiled(module)
