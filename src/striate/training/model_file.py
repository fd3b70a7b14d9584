"""model.safetensors: weights that describe themselves, so that using them needs nothing else and guesses nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from striate.caller import either
from striate.data import Preprocessing
from striate.errors import StriateError
from striate.files import write_atomically
from striate.models import ModelSpec, Network, Trust, rebuild
from striate.models.origin import Untrusted
from striate.strict_json import to_json
from striate.training.checkpoints import checksum
from striate.training.tasks import Task, read_task
from striate.weights import load_state
from striate.weights.files import OWN_MODEL as FORMAT


@dataclass(frozen=True)
class Description:
    """What a trained network needs to be used and understood.

    Attributes:
        network: the network's name in the catalogue and the arguments that build it.
        classes: class names, in the order of the outputs.
        preprocessing: what brings an image to the network.
        task: what was learnt, as `Task.to_dict` says it; nothing for one class per image.
        recipe: the whole recipe, as plain values.
        data: source, fingerprint and number of images of the data trained on.
        metrics: validation figures of these weights, and the epoch they are from.
        versions: of striate and torch, when written.
        checksum: of the weights, set when they are written.
    """

    network: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    recipe: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    checksum: int = 0
    task: dict[str, Any] = field(default_factory=dict)

    @property
    def learnt(self) -> Task:
        """The task."""
        return read_task(self.classes, self.task)

    def to_json(self) -> str:
        """As JSON."""
        values = {
            **self.__dict__,
            "preprocessing": self.preprocessing.to_dict(),
            "classes": list(self.classes),
        }
        return to_json(values)

    @classmethod
    def from_json(cls, text: str) -> Description:
        """From JSON.

        Raises:
            ValueError, KeyError, TypeError, StriateError: it describes no trained network.
        """
        values = json.loads(text)
        names = values["classes"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("its classes are no names")
        if len(set(names)) < len(names):
            raise ValueError("two of its classes have one name")
        values["classes"] = tuple(names)
        values["preprocessing"] = Preprocessing.from_dict(values["preprocessing"])
        read_task(values["classes"], values.get("task", {}))
        return cls(**values)


class Undescribed(StriateError):
    """A file of weights that says nothing of network, classes and preprocessing."""


def save_model(path: Path, model: Network, description: Description) -> Path:
    """Write weights and description to one file, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    description = replace(description, checksum=checksum(tensors))
    # One entry: safetensors writes several in no fixed order, and equal models are to be equal files.
    return write_atomically(path, save(tensors, metadata={FORMAT: description.to_json()}))


def load_model(path: str | Path, trust: Trust | None = None) -> tuple[Network, Description]:
    """Rebuild the network that `save_model` wrote, in evaluation mode; `trust` says whose code may make it.

    Raises:
        StriateError: missing, a pickle (refused: loading one can run anything), damaged, or without striate's
            description.
    """
    path = Path(path)
    refuse_pickle(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if FORMAT not in metadata:
                raise Undescribed(
                    f"{path}: these weights do not say what network, classes and preprocessing they belong to, and "
                    "striate does not guess. To start from them, train with "
                    f"{either('--weights and --model', 'weights and model')}."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise StriateError(f"{path}: the model file is damaged ({error}); make it anew.") from error
    try:
        description = Description.from_json(metadata[FORMAT])
        if description.checksum != checksum(tensors):
            raise ValueError("its checksum is wrong")
        model = rebuild(ModelSpec.from_dict(description.network), trust or Trust())
        if description.learnt.outputs(model.num_classes) != model.num_classes:
            raise ValueError(f"{len(description.classes)} names of classes for {model.num_classes} outputs")
    except Untrusted as error:
        raise Untrusted(f"{path}: {error}") from error
    except (StriateError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StriateError(f"{path}: the model file is damaged ({str(error).rstrip('.')}); make it anew.") from error
    load_state(model, tensors, where=str(path))
    return model.eval(), description


def refuse_pickle(path: Path) -> None:
    """Raise for a missing file and for anything that looks like a pickle or a torch.save archive.

    Raises:
        StriateError: see above.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except FileNotFoundError:
        raise StriateError(f"{path}: no such model file.") from None
    except OSError as error:
        raise StriateError(f"{path}: cannot be read ({error.strerror}).") from error
    # A safetensors file starts with the length of its header, whose first byte can be 0x80 too; then "{" follows.
    pickled = (start[:2] == b"PK" or start[:1] == b"\x80") and start[8:] != b"{"
    if pickled or path.suffix in (".pkl", ".pickle", ".pt", ".pth", ".ckpt"):
        if path.name == "last.ckpt":
            raise StriateError(f"{path}: a checkpoint, not a model; load {path.with_name('model.safetensors')}.")
        raise StriateError(
            f"{path}: a pickle can run any code when loaded, so striate refuses it. Convert its state dict to "
            "safetensors first (safetensors.torch.save_file)."
        )
