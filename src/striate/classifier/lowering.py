"""Fine-tuning that diverges begins again with a lower learning rate: what it knew before is worth keeping."""

from __future__ import annotations

from dataclasses import replace

from striate.classifier.run_config import RunConfig
from striate.training.run_folder import RunFolder

#: What the rate is multiplied by, and how often at most.
LOWER, TIMES = 0.1, 3


def lower(folder: RunFolder, config: RunConfig, why: Exception) -> RunConfig:
    """Make a run one with a lower rate that has not begun; its notes and config.json say so.

    Args:
        folder: of the run; its checkpoint and tables go.
        config: of the run.
        why: how it diverged.
    """
    rate = config.recipe.learning_rate * LOWER
    line = f"{why.args[0].partition('. ')[0]}: it began again at a lower rate, {rate:.3g}"
    lowered = replace(
        config, recipe=config.recipe.override({"learning_rate": rate}), notes=(*config.notes, line), identity=""
    )
    # Without a checkpoint a run begins anew, so whatever is cut off here loses nothing.
    for path in (folder.checkpoint, folder.metrics, folder.timing):
        path.unlink(missing_ok=True)
    folder.write_config(lowered.to_dict())
    return lowered
