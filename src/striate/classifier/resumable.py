"""Whether a run can go on: what its folder must hold, and what can be done where it does not."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from striate.classifier.plan import FORMAT
from striate.data import Preprocessing
from striate.errors import StriateError
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

#: What makes something of the larger ones.
READERS: dict[str, Callable[[Any], object]] = {
    "network": lambda network: {"name": str(network["name"]), **network["arguments"]},
    "preprocessing": Preprocessing.from_dict,
    "recipe": Recipe.from_dict,
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
    source, path = shlex.quote(config["absolute_source"] or config["source"]), shlex.quote(str(run.model))
    anew = f"striate train {source}"
    if run.model.exists():
        anew += f" --model {config['network']['name']} --weights {path}"
        use = f"Its model is whole: use it, or start a new run from it: {anew}"
    else:
        use = f"Train a new run: {anew}"
    raise StriateError(f"{run.path}: {why}; so it cannot go on exactly, and is never overwritten. {use}")
