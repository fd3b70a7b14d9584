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
from torch import Tensor
from torch.optim import Optimizer

from striate.errors import StriateError
from striate.files import write_atomically

FORMAT = "striate checkpoint 1"


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
            if FORMAT not in metadata:
                raise StriateError(f"{path}: not a checkpoint of striate's; nothing can be resumed from it.")
            yield file, json.loads(metadata[FORMAT])
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


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """The optimizer's state (momenta, counters) as tensors named "optimizer/<parameter>/<kind>"."""
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer/{index}/{kind}": torch.as_tensor(value)
        for index, kinds in state.items()
        for kind, value in kinds.items()
        if value is not None
    }


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put `optimizer_tensors` back; the groups (rates, decay) stay as the recipe made them."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            _, index, kind = name.split("/")
            parameter = parameters[int(index)]
            if tensor.shape == parameter.shape:
                # Fused optimizers walk through memory, so momenta need their parameter's memory format.
                tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
            state.setdefault(int(index), {})[kind] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names with "prefix/" in front."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under "prefix/", by their own names."""
    start = f"{prefix}/"
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}
