"""Checkpoints without pickle: tensors by name and a JSON state in one safetensors file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from striate.errors import StriateError
from striate.files import write_atomically

FORMAT = "striate checkpoint 2"
#: The first form kept an optimizer's state by the places of its parameters.
FIRST = "striate checkpoint 1"

#: Before the names of an optimizer's tensors: by the name of the parameter, or by its place among the groups.
BY_NAME, BY_PLACE = "optimizer", "optimizer by place"


def save_checkpoint(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = json.dumps({**state, "checksum": checksum(contiguous)})
    write_atomically(path, save(contiguous, metadata={FORMAT: content}))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint.

    Raises:
        StriateError: missing, damaged, or not a checkpoint of striate's.
    """
    with _opened(path) as (file, state):
        # safetensors keeps no alignment; a copy gives each tensor memory of its own.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if state.pop("checksum") != checksum(tensors):
            raise ValueError("its checksum is wrong")
        if FIRST in file.metadata():
            old = without_prefix(BY_NAME, tensors)
            rest = {name: tensor for name, tensor in tensors.items() if not name.startswith(f"{BY_NAME}/")}
            tensors = rest | with_prefix(BY_PLACE, old)
        return tensors, state


def load_state_alone(path: Path) -> dict[str, Any]:
    """The state of a checkpoint without its tensors, which stay unread; raises as `load_checkpoint`."""
    with _opened(path) as (_, state):
        return state


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A checkpoint's file and its state; whatever is wrong with it becomes one line."""
    try:
        path.open("rb").close()  # to safetensors a file that may not be read is not there
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            written = next((metadata[form] for form in (FORMAT, FIRST) if form in metadata), None)
            if written is None:
                raise StriateError(f"{path}: not a checkpoint of striate's; nothing can be resumed from it.")
            yield file, json.loads(written)
    except FileNotFoundError:
        raise StriateError(f"{path}: no checkpoint there, so there is nothing to resume.") from None
    except PermissionError as error:
        raise StriateError(f"{path}: cannot be read ({error.strerror}).") from error
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise StriateError(f"{path}: the checkpoint is damaged ({error}). Start again in a new folder.") from error


def checksum(tensors: dict[str, Tensor]) -> int:
    """CRC-32 over the names and bytes of contiguous tensors: safetensors itself would not notice a flipped bit."""
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, zlib.crc32(name.encode(), value))
    return value


def optimizer_tensors(optimizer: Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The optimizer's state (momenta, counters) as tensors named "optimizer/<parameter>/<kind>".

    By the names that parameters have in `model`: which of them are trained, and in which groups, may change between
    two checkpoints.
    """
    return {
        f"{BY_NAME}/{name}/{kind}": torch.as_tensor(value)
        for name, parameter in model.named_parameters()
        for kind, value in optimizer.state.get(parameter, {}).items()
        if value is not None
    }


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor], model: nn.Module) -> None:
    """Put `optimizer_tensors` back; the groups (rates, decay) stay as the recipe made them.

    Raises:
        ValueError: a state is of a parameter that the optimizer does not train, or does not fit it.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    places = {id(parameter): place for place, parameter in enumerate(parameters)}
    named = {name: places[id(one)] for name, one in model.named_parameters() if id(one) in places}
    numbered = {str(place): place for place in places.values()}
    state: dict[int, dict[str, Tensor]] = {}
    for prefix, known in ((BY_NAME, named), (BY_PLACE, numbered)):
        for path, tensor in without_prefix(prefix, tensors).items():
            name, _, kind = path.rpartition("/")  # names may have a "/", kinds have none
            if name not in known:
                raise ValueError(f"it keeps an optimizer's {kind} of '{name}', which is not trained")
            place = known[name]
            state.setdefault(place, {})[kind] = _laid_out(tensor, parameters[place], f"{kind} of '{name}'")
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out(tensor: Tensor, parameter: Tensor, what: str) -> Tensor:
    """A state in memory as its parameter: fused optimizers walk through both side by side. Counters stay as they are.

    Raises:
        ValueError: it has another shape.
    """
    if tensor.shape == parameter.shape:
        return torch.empty_like(parameter, requires_grad=False).copy_(tensor)
    if tensor.dim():
        raise ValueError(f"{what} has the shape {tuple(tensor.shape)}, not {tuple(parameter.shape)}")
    return tensor


def with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names with "prefix/" in front."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under "prefix/", by their own names."""
    start = f"{prefix}/"
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}
