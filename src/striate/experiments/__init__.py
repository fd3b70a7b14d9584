"""The lectures' questions, each a table of runs that is carried out by name and shown side by side."""

from typing import TYPE_CHECKING, Any

from striate.experiments.outcomes import Outcome, Results
from striate.experiments.steps import Asked, Experiment, Step

if TYPE_CHECKING:
    from striate.experiments.running import experiment

__all__ = ["Asked", "Experiment", "Outcome", "Results", "Step", "experiment"]


def __getattr__(name: str) -> Any:
    """What runs one on first use: it brings all of training, which listing does without."""
    if name != "experiment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from striate.experiments import running

    return running.experiment
