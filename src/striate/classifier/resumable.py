"""Whether a run can go on: what its folder must hold, and what can be done where it does not."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Collection
from typing import Any

import torch

from striate.classifier import request
from striate.classifier.plan import FORMAT
from striate.data import Preprocessing
from striate.errors import StriateError, unknown
from striate.models import create_model
from striate.training.checkpoints import load_state_alone
from striate.training.hardware import PRECISIONS, device_type
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder

#: What going on needs of config.json.
FIELDS: dict[str, type | tuple[type, ...]] = {
    "network": dict,
    "weights": (str, type(None)),
    "freeze": (str, type(None)),
    "preprocessing": dict,
    "recipe": dict,
    "fingerprint": str,
    "seed": int,
    "device": str,
    "devices": int,
    "precision": str,
    "workers": int,
    "versions": dict,
    "source": str,
    "absolute_source": str,
    "val_fraction": (int, float),
    "command": str,
    "created": str,
    "notes": list,
}


def _one_of(kind: str, known: Collection[str]) -> Callable[[str], object]:
    def check(value: str) -> None:
        if value not in known:
            raise unknown(kind, value, known)

    return check


def _build(network: dict[str, Any]) -> object:
    with torch.device("meta"):  # no weight is made
        return create_model(network["name"], **network["arguments"])


#: What makes something of them, or refuses.
READERS: dict[str, Callable[[Any], object]] = {
    "network": _build,
    "preprocessing": Preprocessing.from_dict,
    "recipe": Recipe.from_dict,
    "seed": lambda seed: request.whole("it", seed, 0, request.SEEDS),
    "device": _one_of("device", ("cpu", "cuda", "mps")),
    "devices": lambda devices: request.whole("it", devices, 1, request.DEVICES),
    "precision": _one_of("precision", set(PRECISIONS.values()) - {"auto"}),
    "workers": lambda workers: request.whole("it", workers, 0, request.WORKERS),
    "val_fraction": lambda share: request.share("it", share),
}


def read_config(run: RunFolder) -> dict[str, Any]:
    """A run's config.json, once it is sure that all is in it that going on needs.

    Raises:
        UsageError: no run lies there.
        StriateError: the file is damaged or was edited.
    """
    config = run.existing().read_config()
    if config.get("format") != FORMAT:
        raise StriateError(f"{run.config}: does not say how the run is trained, so it cannot go on.")
    wrong = [name for name, kind in FIELDS.items() if not isinstance(config.get(name, ...), kind)]
    wrong = wrong or [f"{name}: {problem}" for name in READERS if (problem := _problem(name, config[name]))]
    if wrong:
        raise StriateError(
            f"{run.config}: was edited or is another version's ({', '.join(wrong)}), so the run cannot go on. "
            "Bring the file back as it was."
        )
    return config


def _problem(name: str, value: Any) -> str:
    """What is wrong with a field of `READERS`; empty where nothing is."""
    try:
        READERS[name](value)
    except KeyError as error:
        return f"{error.args[0]} is missing"
    except (StriateError, TypeError, ValueError) as error:
        return str(error).rstrip(".")
    return ""


def refuse_without_checkpoint(run: RunFolder, config: dict[str, Any]) -> None:
    """Leave a run alone whose checkpoint is gone: starting from nothing would overwrite what it came to.

    A run that was stopped before it wrote anything starts from nothing, and loses nothing.

    Raises:
        StriateError: see above; the line says what can be done.
    """
    if run.checkpoint.exists() or not run.has_results:
        return
    dropped = str(config.get("checkpoint", "")).partition("dropped: ")[2]
    why = f"the training is over and last.ckpt was dropped: {dropped}" if dropped else "last.ckpt is gone"
    raise StriateError(
        f"{run.path}: {why}; so it cannot go on exactly, and is never overwritten. {_instead(run, config)}"
    )


def refuse_other_run(run: RunFolder, config: dict[str, Any]) -> None:
    """Leave a run alone whose config.json is not the one that its checkpoint was written with.

    Raises:
        StriateError: see above; the checkpoint is damaged.
    """
    if run.checkpoint.exists() and load_state_alone(run.checkpoint).get("identity") != identity(config):
        raise StriateError(f"{run.checkpoint}: belongs to another run than {run.config} describes.")


def refuse_other_machine(run: RunFolder, config: dict[str, Any]) -> None:
    """Leave a run alone whose device is not on this machine: on another it would not go on exactly.

    Raises:
        StriateError: see above; the line says what can be done.
    """
    try:
        device_type(config["device"])
    except StriateError as error:
        raise StriateError(
            f"{run.path}: was trained on '{config['device']}', which is not on this machine, so it goes on elsewhere "
            f"only. {_instead(run, config)}"
        ) from error


def identity(config: dict[str, Any]) -> str:
    """What decides a run, in a few letters: a checkpoint fits no other."""
    parts = [config[name] for name in ("network", "recipe", "preprocessing", "fingerprint", "seed", "freeze")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _instead(run: RunFolder, config: dict[str, Any]) -> str:
    """What can be done with a run that cannot go on."""
    anew = f"striate train {shlex.quote(config['absolute_source'] or config['source'])}"
    if not run.model.exists():
        return f"Train a new run: {anew}"
    anew += f" --model {config['network']['name']} --weights {shlex.quote(str(run.model))}"
    return f"Its model is whole: use it, or start a new run from it: {anew}"
