"""From a source of images to a classifier in a run folder: what `striate.train` and `--resume` do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.classifier.classifier import Classifier, locate
from striate.classifier.execution import Settings, execute, first_process
from striate.classifier.plan import FORMAT, check_request, plan_run, pretrained_channels
from striate.data import Dataset, open_dataset
from striate.data.named import NAMES
from striate.errors import StriateError, UsageError
from striate.training.hardware import create_fabric
from striate.training.progress import create_progress
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder


def train(
    source: str | Path | Dataset,
    *,
    model: str | None = None,
    weights: str | Path | None = None,
    recipe: str | Recipe | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    settings: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    size: int | None = None,
    freeze: str | None = None,
    val_fraction: float = 0.1,
    seed: int = 0,
    run: str | Path | None = None,
    device: str = "auto",
    devices: int = 1,
    precision: str = "auto",
    workers: int | None = None,
    time_limit: float = 0,
    checkpoint_every: float = 60,
    quiet: bool = False,
    report: bool = True,
    command: str | None = None,
) -> Classifier:
    """Train a classifier on images.

    Args:
        source: a folder, CSV, Parquet or IDX file, a known name ("mnist"), or an opened data set; see `open_dataset`.
        model: a network's name; by default one that suits the size of the images.
        weights: pretrained weights to start from: a name on the network's card ("imagenet") or a file.
        recipe: a recipe or its name; by default one that suits images and weights.
        epochs: instead of the recipe's; batch_size and learning_rate likewise.
        batch_size: see epochs.
        learning_rate: see epochs.
        settings: any fields of the recipe by name, nested ones with a dot: {"augment.rotate": 15}.
        options: options of the network, such as {"shortcut": "B"}.
        size: side of the images that the network sees, pixels.
        freeze: train only what comes after this part of the network: "stem", a stage's name, or "all" but the head.
        val_fraction: share of the training images set aside to validate on, where the source has no such split;
            0 trains on all and keeps the last weights.
        seed: decides split, first weights, order and augmentations.
        run: the folder to write; by default a new one under runs/.
        device: "auto", "cpu", "cuda" or "mps".
        devices: how many of them.
        precision: "auto", "32", "bf16", "16" or "64".
        workers: processes that read and augment images; by default as many as help.
        time_limit: seconds after which training stops cleanly; 0 for none.
        checkpoint_every: seconds between checkpoints within an epoch.
        quiet: show no progress.
        report: write report.html.
        command: the command line to record in the report, if there was one.

    Returns:
        The best classifier found, whose `path` is the run folder.

    Raises:
        StriateError: anything a user can mend, in one line.
    """
    check_request(model, recipe, device, precision, workers)
    if run is not None:
        RunFolder(run).refuse_existing()
    if isinstance(source, Dataset):
        dataset = source
    else:
        if isinstance(source, Path) and str(source) in NAMES:
            source = source.absolute()  # a folder called "digits", not the data set of that name
        channels = pretrained_channels(model, weights) if weights and model else None
        dataset = open_dataset(source, seed=seed, val_fraction=val_fraction, channels=channels)
    chosen = plan_run(
        dataset,
        model=model,
        weights=weights,
        recipe=recipe,
        settings={
            **({} if epochs is None else {"epochs": epochs}),
            **({} if batch_size is None else {"batch_size": batch_size}),
            **({} if learning_rate is None else {"learning_rate": learning_rate}),
            **(settings or {}),
        },
        options=options or {},
        size=size,
        freeze=freeze,
        seed=seed,
        device=device,
        devices=devices,
        precision=precision,
        workers=workers,
    )
    config = {
        **chosen,
        "source": str(dataset.source),
        "absolute_source": "" if dataset.source in NAMES else str(Path(dataset.source).expanduser().absolute()),
        "val_fraction": val_fraction,
        "command": command or "",
        "created": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    fabric = create_fabric(config["device"], devices, config["precision"])
    folder = first_process(fabric, lambda: RunFolder.create(run, _stem(dataset.source)))
    try:
        if fabric.is_global_zero:
            folder.write_config(config)
            if dataset.skipped:
                dataset.write_skipped(folder.skipped)
        watch = Settings(create_progress(quiet or not fabric.is_global_zero), time_limit, checkpoint_every, report)
        return execute(folder, config, dataset, fabric, watch)
    except BaseException:
        folder.remove_if_unstarted()
        raise
    finally:
        folder.unlock()


def resume(
    run: str | Path,
    *,
    extend: int = 0,
    time_limit: float = 0,
    checkpoint_every: float = 60,
    quiet: bool = False,
    report: bool = True,
    workers: int | None = None,
) -> Classifier:
    """Go on with a run that was stopped, killed, or is to be extended.

    The weights and metrics become those of a run that was never stopped, bit for bit on the CPU.

    Args:
        run: the run folder.
        extend: epochs to add; the schedule runs over them once more from a tenth of its peak, without warm-up.
        time_limit: as for `train`, and so are the others.
        checkpoint_every: see `train`.
        quiet: see `train`.
        report: see `train`.
        workers: see `train`; the result does not depend on it.

    Raises:
        StriateError: no run, a run another process is in, a damaged checkpoint, or data that has changed.
    """
    if extend < 0:
        raise UsageError(f"extend is {extend}; give the number of epochs to add.")
    config = RunFolder(run).existing().read_config()
    if config.get("format") != FORMAT:
        raise StriateError(f"{run}/config.json: does not say how the run is trained, so it cannot go on.")
    fabric = create_fabric(config["device"], config["devices"], config["precision"])
    folder = first_process(fabric, lambda: RunFolder.open(run))
    try:
        if workers is not None:
            config["workers"] = workers
        source = locate(config["source"], config["absolute_source"])
        channels = config["preprocessing"]["channels"]
        dataset = open_dataset(source, seed=config["seed"], val_fraction=config["val_fraction"], channels=channels)
        if dataset.fingerprint != config["fingerprint"]:
            raise StriateError(
                f"{source}: the images have changed since {folder.path} was trained, so it cannot go on exactly. "
                "Bring them back, or train a new run."
            )
        watch = Settings(create_progress(quiet or not fabric.is_global_zero), time_limit, checkpoint_every, report)
        return execute(folder, config, dataset, fabric, watch, extend)
    finally:
        folder.unlock()


def _stem(source: str) -> str:
    path = Path(source)
    return (path.resolve().stem if path.exists() else path.stem) or "run"
