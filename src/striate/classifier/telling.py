"""What whoever watches a run is told before its work begins."""

from __future__ import annotations

from striate.classifier.run_config import RunConfig
from striate.data import Dataset
from striate.data.targets import OUTPUTS
from striate.training.loop import Training
from striate.training.run_folder import RunFolder
from striate.units import plural


def introduction(folder: RunFolder, config: RunConfig, dataset: Dataset) -> list[str]:
    """What the watcher should know before the work begins."""
    counts = ", ".join(f"{len(split):,} {split.name}" for split in dataset.splits)
    lines = [f"{dataset.source}: {len(dataset.classes)} {OUTPUTS[dataset.task]}, {counts} images"]
    lines += [f"note: {note}" for note in dataset.notes]
    if dataset.skipped:
        first, count = dataset.skipped[0], len(dataset.skipped)
        lines.append(
            f"{first.path}: {first.reason}; skipped. {plural(count, 'file')} skipped, listed in {folder.skipped}"
        )
    height, width = config.preprocessing.size
    lines.append(
        f"{config.network.name} at {height}x{width}, {_way(config)}, "
        f"{config.device} in {config.precision}; writing to {folder.path}"
    )
    return lines + [f"note: {note}" for note in config.notes]


def _way(config: RunConfig) -> str:
    """How it is trained, in words."""
    recipe = f"recipe '{config.recipe.name}'"
    if not config.transfer:
        return recipe
    return f"transfer '{config.transfer}'" + ("" if config.transfer == "features" else f", {recipe}")


def standing(training: Training) -> list[str]:
    """Where a training stands that was begun before."""
    lines = []
    if training.position.step:
        lines.append(f"going on from epoch {training.position.epoch}, step {training.position.step}")
    phases = training.position.phases
    if len(phases) > 1:
        lines.append(
            f"extended: epochs {' + '.join(map(str, phases))}; each extension runs the schedule "
            "once more from a tenth of its peak rate, without warm-up"
        )
    return lines
