"""Fine-tuning that diverges: it begins again with a lower rate, and where that helps at none, the features remain."""

from __future__ import annotations

from dataclasses import replace

from striate.classifier.run_config import RunConfig
from striate.training.run_folder import RunFolder
from striate.transfer.regimes import FEATURES

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
    recipe = config.recipe.override({"learning_rate": rate})
    return _anew(folder, replace(config, recipe=recipe), why, f"it began again at a lower rate, {rate:.3g}")


def leave_steps(folder: RunFolder, config: RunConfig, why: Exception, views: int) -> RunConfig:
    """Make a run that diverged at every rate one of features alone; its notes and config.json say so.

    Args:
        folder: of the run; its checkpoint and tables go.
        config: of the run.
        why: how it diverged at last.
        views: augmented copies of each training image that its classifier of features was fitted to.
    """
    return _anew(folder, of_features(config, views), why, "kept is the classifier of the features that it began with")


def of_features(config: RunConfig, views: int) -> RunConfig:
    """The same run as one of features alone, with so many augmented copies of each training image."""
    return replace(config, transfer=FEATURES.name, views=views, freeze="all", precision="32-true", identity="")


def _anew(folder: RunFolder, config: RunConfig, why: Exception, what: str) -> RunConfig:
    line = f"{why.args[0].partition('. ')[0]}: {what}"
    changed = replace(config, notes=(*config.notes, line), identity="")
    # Without a checkpoint a run begins anew, so whatever is cut off here loses nothing.
    for path in (folder.checkpoint, folder.metrics, folder.timing):
        path.unlink(missing_ok=True)
    folder.write_config(changed.to_dict())
    return changed
