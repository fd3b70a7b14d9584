"""Whether a run can go on: what its folder must hold, and what can be done where it does not."""

from __future__ import annotations

import shlex

from striate.classifier.run_config import RunConfig
from striate.errors import StriateError
from striate.models import Trust
from striate.models.origin import Untrusted, reference_in
from striate.training.checkpoints import load_state_alone
from striate.training.hardware import device_type
from striate.training.run_folder import RunFolder


def refuse_without_checkpoint(run: RunFolder, config: RunConfig) -> None:
    """Leave a run alone whose checkpoint is gone: starting from nothing would overwrite what it came to.

    A run that was stopped before it wrote anything starts from nothing, and loses nothing.

    Raises:
        StriateError: see above; the line says what can be done.
    """
    if run.checkpoint.exists() or not run.has_results:
        return
    dropped = config.checkpoint.partition("dropped: ")[2]
    why = f"the training is over and last.ckpt was dropped: {dropped}" if dropped else "last.ckpt is gone"
    raise StriateError(
        f"{run.path}: {why}; so it cannot go on exactly, and is never overwritten. {_instead(run, config)}"
    )


def refuse_other_run(run: RunFolder, config: RunConfig) -> None:
    """Leave a run alone whose config.json is not the one that its checkpoint was written with.

    Raises:
        StriateError: see above; the checkpoint is damaged.
    """
    if run.checkpoint.exists() and load_state_alone(run.checkpoint).get("identity") != config.identity:
        raise StriateError(f"{run.checkpoint}: belongs to another run than {run.config} describes.")


def refuse_other_machine(run: RunFolder, config: RunConfig) -> None:
    """Leave a run alone whose device is not on this machine: on another it would not go on exactly.

    Raises:
        StriateError: see above; the line says what can be done.
    """
    try:
        device_type(config.device)
    except StriateError as error:
        raise StriateError(
            f"{run.path}: was trained on '{config.device}', which is not on this machine, so it goes on elsewhere "
            f"only. {_instead(run, config)}"
        ) from error


def refuse_untrusted(run: RunFolder, config: RunConfig, trust: Trust) -> None:
    """Leave a run alone whose network is made by code that nobody has named.

    Raises:
        StriateError: see above; the line says how to name it.
    """
    if config.network.origin and trust.handed is None:
        try:
            reference_in(config.network.origin, trust)
        except Untrusted as error:
            raise Untrusted(f"{run.path}: {error}") from error


def _instead(run: RunFolder, config: RunConfig) -> str:
    """What can be done with a run that cannot go on."""
    anew = f"striate train {shlex.quote(config.absolute_source or config.source)}"
    if not run.model.exists():
        return f"Train a new run: {anew}"
    anew += f" --model {config.network.name} --weights {shlex.quote(str(run.model))}"
    return f"Its model is whole: use it, or start a new run from it: {anew}"
